"""What a run says of the journal: ratios to bare inserts, and limits of its own."""

from journal.deliveries import Carried
from journal.findings import ONE, ONE_SHARE, THREE, THREE_SHARES, Findings
from journal.trials import Home


def home(name: str) -> Home:
    return Home(
        name,
        accepts=[8_000.0, 9_000.0, 4_000.0],
        p50=[0.002],
        p99=[0.01],
        bare=[10_000.0, 10_000.0, 10_000.0],
        plain=[20_000.0],
        delivers=[8_000.0, 9_000.0, 4_000.0],
        ordered=[3_000.0],
        three=[12_000.0, 27_000.0, 8_000.0],
        used=[0.985],
        most=[1.0],
    )


def carried(name: str, whole: list[float]) -> Carried:
    return Carried(
        name,
        accepts=[4_000.0],
        during=[2_000.0],
        whole=whole,
        answer_p50=[0.02],
        answer_p99=[0.05],
        p50=[0.001],
        p99=[0.01],
        cpu=[0.0002],
        beside=[0.0001],
        ends=[0.0001],
        bytes_each=[6_000.0],
        rss=[90e6],
    )


def test_the_ratio_is_the_median_of_those_of_the_rounds() -> None:
    [row] = Findings([home("sqlite")]).rows()

    assert (row.value, row.unit, row.verdict) == (80.0, "%", "aim")
    assert (row.ours, row.theirs) == ("8,000/s", "10,000/s")


def test_accepting_and_delivering_is_one_after_the_other() -> None:
    rows = {row.what: row for row in Findings([home("postgresql")]).rows()}

    assert rows["accepted and delivered, one replica, by calls"].value == 4_000.0
    assert rows["accepted and delivered, one replica, by calls"].verdict == "floor"
    assert rows["delivered by three replicas, by calls"].value == 2.0
    assert rows["the fullest window of that limit"].verdict == "aim"


def test_figures_are_a_table() -> None:
    lines = Findings([home("sqlite"), home("postgresql")]).figures()

    assert {len(line) for line in lines} == {3}
    assert [line[0] for line in lines if line[0]] == ["journal", "sqlite", "postgresql"]


def test_three_replicas_are_compared_with_one_round_by_round() -> None:
    one, three = (
        carried(ONE, [3_000.0, 2_000.0, 1_000.0]),
        carried(THREE, [6_000.0, 2_000.0, 900.0]),
    )

    rows = {row.what: row for row in Findings(carried=[one, three]).rows()}

    assert rows["accepted and delivered, one replica, HTTP"].value == 2_000.0
    assert rows["by three replicas, HTTP"].value == 1.0
    assert rows["by three replicas, HTTP"].verdict == "MISSED"


def test_three_replicas_with_a_share_are_a_figure_and_no_goal() -> None:
    found = Findings(carried=[carried(ONE_SHARE, [500.0]), carried(THREE_SHARES, [1_400.0])])

    assert ["delivered, by that of one replica", "-", "2.80x"] in found.through_http()
    assert found.rows() == []


def test_without_postgresql_there_is_no_goal_through_http() -> None:
    assert Findings(carried=[carried("sqlite", [1.0])]).rows() == []


def test_deliveries_are_a_table_with_the_peer_as_measure() -> None:
    found = [carried(ONE, [3_000.0]), carried("jetstream", [1_000.0])]

    lines = Findings(carried=found).through_http()

    assert lines[0][1:] == [ONE, "jetstream"]
    assert lines[-1] == ["delivered, by that of jetstream", "3.00x", "1.00x"]
    assert ["202 to arrival at half of that, p50, p99", *2 * ["1.0 ms, 10.0 ms"]] in lines


def test_a_peer_that_is_missing_measures_nobody() -> None:
    lines = Findings(carried=[carried(ONE, [3_000.0])]).through_http()

    assert lines[-1] == ["delivered, by that of jetstream", "-"]


def test_a_run_without_a_journal_says_nothing_of_it() -> None:
    assert Findings().rows() == []
