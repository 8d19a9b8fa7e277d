"""The goals: which rows a run gives, their ratios, and what the verdict calls them."""

from collections.abc import Sequence

import pytest

import goals
import load
import processes


def measure(rate: float = 1000, *, p99: float = 0.002, late: int = 0) -> load.Measure:
    return load.Measure(requests=99, rate=rate, p50=0.001, p99=p99, late=late)


def result(
    engine: str, work: str, *rates: float, starts: Sequence[float] = (0.5,), rss: int | None = None
) -> goals.Result:
    return goals.Result(
        engine,
        work,
        starts=list(starts),
        closed=[measure(rate) for rate in rates],
        memory=None if rss is None else processes.Memory(rss=rss, pss=rss),
    )


def rows(what: str, *results: goals.Result) -> list[goals.Row]:
    return [row for row in goals.rows(results) if row.what == what]


# Which rows there are


def test_no_results_give_no_rows() -> None:
    assert goals.rows([]) == []


def test_peers_alone_give_no_rows() -> None:
    assert goals.rows([result("benthos", "map", 1000), result("camel", "map", 1000)]) == []


def test_ours_alone_is_judged_by_its_own_figures() -> None:
    found = goals.rows([result("isthmus", "map", 1000, rss=50 * goals.MB)])
    assert [row.what for row in found] == ["RSS after load", "start to first 200"]


@pytest.mark.parametrize(
    ("ours", "peer"),
    [
        pytest.param(result("isthmus", "map"), result("benthos", "map", 1000), id="ours"),
        pytest.param(result("isthmus", "map", 1000), result("benthos", "map"), id="the peer"),
    ],
)
def test_what_was_never_loaded_has_no_ratio(ours: goals.Result, peer: goals.Result) -> None:
    assert rows("requests/s", ours, peer) == []


def test_workloads_are_not_mixed() -> None:
    assert rows("requests/s", result("isthmus", "map", 1), result("benthos", "pass", 1)) == []


def test_a_peer_without_a_goal_has_no_row() -> None:
    assert rows("requests/s", result("isthmus", "pass", 1), result("camel", "pass", 1)) == []


# What they say


def test_throughput_is_the_ratio_of_the_medians() -> None:
    (row,) = rows(
        "requests/s",
        result("isthmus", "map", 1500, 2500, 9000),
        result("benthos", "map", 10, 1000, 1100),
    )

    assert (row.value, row.ours, row.theirs) == (2.5, "2,500", "1,000")
    assert (row.work, row.against, row.floor, row.aim) == ("map", "benthos", 1.8, 3.0)
    assert row.verdict == "floor"


def test_overhead_is_the_time_per_request_beyond_the_prototype() -> None:
    (row,) = rows(
        "time per request over the hand-written calls",
        result("isthmus", "compose", 800),
        result("prototype", "compose", 1000),
    )

    assert row.value == pytest.approx(25)
    assert row.verdict == "floor"


def test_memory_is_ours_with_the_peers_of_the_same_work_beside_it() -> None:
    (row,) = rows(
        "RSS after load",
        result("isthmus", "map", 1, rss=60 * goals.MB),
        result("benthos", "map", 1, rss=80 * goals.MB),
        result("camel", "map", 1),
        result("camel", "compose", 1, rss=300 * goals.MB),
    )

    assert (row.value, row.ours, row.theirs, row.verdict) == (60, "60 MB", "benthos 80", "aim")


def test_memory_that_was_not_weighed_has_no_row() -> None:
    assert rows("RSS after load", result("isthmus", "map", 1)) == []


def test_start_is_the_median() -> None:
    (row,) = rows("start to first 200", result("isthmus", "map", 1, starts=[0.9, 0.3, 0.4]))
    assert (row.value, row.verdict) == (0.4, "floor")


# Latencies under the same load


def paced(engine: str, **paces: load.Measure) -> goals.Result:
    found = result(engine, "compose", 1000)
    found.paced = {pace: [one] for pace, one in paces.items()}
    return found


def test_latencies_are_compared_at_our_pace_and_at_theirs() -> None:
    found = goals.rows(
        [
            paced("isthmus", isthmus=measure(p99=0.002), benthos=measure(p99=0.001)),
            paced("benthos", isthmus=measure(p99=0.001), benthos=measure(p99=0.004)),
        ]
    )

    assert [
        (row.what, row.ours, row.theirs, row.value, row.verdict)
        for row in found
        if row.what.startswith("p99")
    ] == [
        ("p99 at 70 % of isthmus's maximum", "2.0 ms", "1.0 ms", 2.0, "MISSED"),
        ("p99 at 70 % of benthos's maximum", "1.0 ms", "4.0 ms", 0.25, "aim"),
    ]


def test_a_pace_that_one_side_did_not_run_has_no_row() -> None:
    found = goals.rows([paced("isthmus", isthmus=measure()), paced("benthos", benthos=measure())])
    assert not [row for row in found if row.what.startswith("p99")]


@pytest.mark.parametrize(
    ("late", "told"),
    [
        pytest.param(1, "2.0 ms", id="one in a hundred is not"),
        pytest.param(2, "2.0 ms (overloaded)", id="more is"),
    ],
)
def test_a_peer_that_could_not_follow_is_called_overloaded(late: int, told: str) -> None:
    (row,) = rows(
        "p99 at 70 % of isthmus's maximum",
        paced("isthmus", isthmus=measure()),
        paced("benthos", isthmus=measure(late=late)),
    )

    assert row.theirs == told


# Verdicts


@pytest.mark.parametrize(
    ("value", "more_is_better", "verdict"),
    [
        pytest.param(3.0, True, "aim", id="the aim itself"),
        pytest.param(2.9, True, "floor", id="below the aim"),
        pytest.param(2.0, True, "floor", id="the floor itself"),
        pytest.param(1.9, True, "MISSED", id="below the floor"),
        pytest.param(1.0, False, "aim", id="less is better: the aim itself"),
        pytest.param(1.1, False, "floor", id="less is better: above the aim"),
        pytest.param(2.0, False, "floor", id="less is better: the floor itself"),
        pytest.param(2.1, False, "MISSED", id="less is better: above the floor"),
    ],
)
def test_verdict(value: float, more_is_better: bool, verdict: str) -> None:
    row = goals.Row(
        work="map",
        what="",
        against="",
        ours="",
        theirs="",
        value=value,
        unit="x",
        floor=2.0,
        aim=3.0 if more_is_better else 1.0,
        more_is_better=more_is_better,
    )

    assert row.verdict == verdict
