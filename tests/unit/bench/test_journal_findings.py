"""What a run says of the journal: ratios to bare inserts, and limits of its own."""

from journal.findings import Findings
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
        used=[0.985],
        most=[1.0],
    )


def test_the_ratio_is_the_median_of_those_of_the_rounds() -> None:
    [row] = Findings([home("sqlite")]).rows()

    assert (row.value, row.unit, row.verdict) == (80.0, "%", "aim")
    assert (row.ours, row.theirs) == ("8,000/s", "10,000/s")


def test_accepting_and_delivering_is_one_after_the_other() -> None:
    rows = {row.what: row for row in Findings([home("postgresql")]).rows()}

    assert rows["accepted and delivered, one replica"].value == 4_000.0
    assert rows["accepted and delivered, one replica"].verdict == "floor"
    assert rows["the fullest window of that limit"].verdict == "aim"


def test_figures_are_a_table() -> None:
    lines = Findings([home("sqlite"), home("postgresql")]).figures()

    assert {len(line) for line in lines} == {3}
    assert [line[0] for line in lines if line[0]] == ["journal", "sqlite", "postgresql"]


def test_a_run_without_a_journal_says_nothing_of_it() -> None:
    assert Findings().rows() == []
