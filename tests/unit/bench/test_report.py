"""The report of a run: its tables, what it says when there is nothing to say, and its JSON."""

import dataclasses
import json
import platform

import pytest

import goals
import load
import machine
import processes
import report
from scale.findings import Findings
from scale.pods import Pods


def measured(engine: str, rate: float, *, memory: processes.Memory | None = None) -> goals.Result:
    return goals.Result(
        engine,
        "map",
        starts=[0.25],
        closed=[load.Measure(requests=100, rate=rate, p50=0.001, p99=0.0025)],
        cpu=[0.00025],
        memory=memory,
    )


OURS = measured("isthmus", 3600, memory=processes.Memory(rss=50 * goals.MB, pss=45 * goals.MB))
PEER = measured("benthos", 1200)


def cells(line: str) -> list[str]:
    """Split a line of a table: at least two blanks stand between its columns."""
    return [cell.strip() for cell in line.split("  ") if cell.strip()]


def test_figures_are_a_table_with_even_columns() -> None:
    lines = report.text([OURS, PEER], []).splitlines()

    assert lines[:5] == [
        "Figures (medians over the rounds)",
        "work  engine   req/s  CPU us  p50 ms  p99 ms  p99@70%  RSS MB  PSS MB  start",
        "----  -------  -----  ------  ------  ------  -------  ------  ------  ------",
        "MAP   isthmus  3,600  250     1.00    2.50    -        50      45      0.25 s",
        "MAP   benthos  1,200  250     1.00    2.50    -        -       -       0.25 s",
    ]


def test_latencies_at_the_own_pace_are_figures() -> None:
    found = measured("isthmus", 1000)
    found.paced = {
        "isthmus": [load.Measure(requests=1, rate=700, p50=0.001, p99=0.004)],
        "benthos": [load.Measure(requests=1, rate=900, p50=0.001, p99=0.008)],
    }

    assert cells(report.text([found], []).splitlines()[3])[6] == "4.00"


def test_pods_alone_are_a_report() -> None:
    pods = Pods(ready=3.0, bare_ready=2.0, scaled=4.5, bare_scaled=3.0)

    told = report.text([], [], Findings(pods=pods))

    assert "kubectl apply of a Route to Ready" in told
    assert "1.50x" in told


def test_plain_rows_alone_are_a_report() -> None:
    row = goals.Row(
        *("saves", "test --watch, 9 of 10", "-", "median 40 ms", "-", 0.06, " s"),
        floor=0.1,
        aim=0.05,
        more_is_better=False,
    )

    told = report.text([], [], rows=[row])

    assert cells(told.splitlines()[-1])[-3:] == ["<= 0.1 s", "<= 0.05 s", "floor"]
    assert report.document([], [], {}, rows=[row])["goals"] == [
        {**dataclasses.asdict(row), "verdict": "floor"}
    ]


def test_what_was_never_loaded_has_no_figures() -> None:
    assert "camel" not in report.text([OURS, goals.Result("camel", "map")], [])


def test_ratios_stand_with_floor_aim_and_verdict() -> None:
    lines = report.text([OURS, PEER], []).splitlines()
    at = lines.index("Ratios of this run, with floor and aim")
    found = [cells(line) for line in lines[at + 1 :]]

    assert found[0] == [
        *("work", "what", "against", "ours", "theirs", "value", "floor", "aim", "verdict")
    ]
    assert found[2:] == [
        ["MAP", "requests/s", "benthos", "3,600", "1,200", "3.00x", ">= 1.8x", ">= 3x", "aim"],
        ["MAP", "RSS after load", "-", "50 MB", "-", "50.00 MB", "<= 95 MB", "<= 60 MB", "aim"],
        ["MAP", "start to first 200", "-", "0.25 s", "-", "0.25 s", "<= 0.8 s", "<= 0.35 s", "aim"],
    ]


@pytest.mark.parametrize("results", [[], [PEER]], ids=["nothing", "peers alone"])
def test_a_run_without_ratios_says_why(results: list[goals.Result]) -> None:
    said = report.text(results, [])

    assert said.endswith("No ratios: they need isthmus and a peer in the same run.")
    assert "Left out" not in said


def test_what_was_left_out_is_listed_last() -> None:
    said = report.text([OURS], ["camel: no mvn", "wrk: not installed"])
    assert said.endswith("\n\nLeft out\n  - camel: no mvn\n  - wrk: not installed")


def test_conditions_stand_at_the_end() -> None:
    said = report.text([OURS], [], conditions={"kernel": "6.1", "load": "wrk"})
    assert said.endswith("\n\nConditions\n  - kernel: 6.1\n  - load: wrk")


@pytest.mark.parametrize(
    ("arguments", "begin"),
    [
        ("'--enable-shared' '--enable-optimizations' '--with-lto'", "yes"),
        ("'--enable-shared'", "not asked for"),
        ("", "not asked for"),
    ],
)
def test_how_python_was_built_is_told_by_its_configuration(arguments: str, begin: str) -> None:
    assert machine.profile_guided(arguments).startswith(begin)


def test_this_machine_has_conditions() -> None:
    found = machine.conditions()
    assert all(found.values())
    assert platform.python_version() in found["python"]


def test_the_document_is_json_with_figures_and_verdicts() -> None:
    document = report.document(
        [OURS, PEER], ["camel: no mvn"], {"rounds": 1}, conditions={"load": "wrk"}
    )
    found = json.loads(json.dumps(document))

    assert (found["options"], found["conditions"]) == ({"rounds": 1}, {"load": "wrk"})
    assert found["leftOut"] == ["camel: no mvn"]
    assert [each["engine"] for each in found["results"]] == ["isthmus", "benthos"]
    assert found["results"][0]["memory"] == {"rss": 50 * goals.MB, "pss": 45 * goals.MB}
    assert [(row["what"], row["verdict"]) for row in found["goals"]] == [
        ("requests/s", "aim"),
        ("RSS after load", "aim"),
        ("start to first 200", "aim"),
    ]
