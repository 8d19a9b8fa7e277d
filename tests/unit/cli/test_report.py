"""The report: problems as text and as JSON."""

import json
from pathlib import Path

import click
import pytest

from isthmus_api.problems import Code, Location, Problem, Severity
from isthmus_cli import report


def problem(
    message: str = "there is no Connector 'erb'",
    *,
    hint: str = "",
    location: Location | None = None,
    severity: Severity = Severity.ERROR,
) -> Problem:
    return Problem(
        Code.CONNECTOR_NOT_FOUND,
        message,
        hint=hint,
        subject="Route default/orders",
        path=("spec", "steps", 0, "call", "connector"),
        location=location,
        severity=severity,
    )


def text(found: Problem) -> str:
    return click.unstyle(report.as_text(found))


def excerpt(file: Path, *, line: int, column: int | None) -> list[str]:
    return [click.unstyle(each) for each in report.excerpt(Location(str(file), line, column))]


def test_a_problem_is_told_as_a_compiler_tells_it(tmp_path: Path) -> None:
    file = tmp_path / "route.yaml"
    file.write_text("spec:\n  steps:\n    - call: {connector: erb}\n")

    told = text(problem(hint="there are: erp", location=Location(str(file), 3, 25)))

    assert told.splitlines() == [
        f"{file}:3:25  error  ConnectorNotFound  Route default/orders spec.steps[0].call.connector",
        "  there is no Connector 'erb'",
        "  3 |     - call: {connector: erb}",
        "    |                         ^",
        "  help: there are: erp",
    ]


def test_a_problem_without_a_place_is_told_without_one() -> None:
    assert text(problem()).splitlines() == [
        "error  ConnectorNotFound  Route default/orders spec.steps[0].call.connector",
        "  there is no Connector 'erb'",
    ]


@pytest.mark.parametrize(
    ("content", "line", "column", "expected"),
    [
        pytest.param("a: b\n", 1, 4, ["  1 | a: b", "    |    ^"], id="the caret is below"),
        pytest.param("a: b\n", 1, None, ["  1 | a: b"], id="no column, no caret"),
        pytest.param("a: b\n", 9, 1, [], id="a line that is not there"),
        pytest.param("\ta\n", 1, 2, ["  1 |  a", "    |  ^"], id="a tab is as wide as a blank"),
        pytest.param("a\n", 1, 99, ["  1 | a", "    |  ^"], id="a column behind the line"),
        pytest.param("\x1b[2Ja\n", 1, 5, ["  1 | ?[2Ja", "    |     ^"], id="an escape sequence"),
    ],
)
def test_excerpts(
    tmp_path: Path, content: str, line: int, column: int | None, expected: list[str]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(content)

    assert excerpt(file, line=line, column=column) == expected


def test_of_a_long_line_the_part_around_the_caret_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("x" * 5000 + "HERE" + "y" * 5000)

    shown, caret = excerpt(file, line=1, column=5001)

    assert len(shown) < 120
    assert shown[caret.index("^") :].startswith("HERE")


def test_text_that_steers_a_terminal_is_escaped() -> None:
    told = text(problem("unknown field '\x1b[31m\nfake'"))

    assert "unknown field '\\x1b[31m\\nfake'" in told


def test_problems_are_sorted_by_place(capsys: pytest.CaptureFixture[str]) -> None:
    report.show(
        [
            problem("third", location=Location("b.yaml", 1, 1)),
            problem("second", location=Location("a.yaml", 10, 1)),
            problem("first", location=Location("a.yaml", 9, 5)),
        ]
    )

    told = capsys.readouterr().out
    assert told.index("first") < told.index("second") < told.index("third")
    assert "\x1b" not in told


@pytest.mark.parametrize(
    ("severities", "objects", "others", "expected"),
    [
        pytest.param([], 4, 0, "0 errors, 0 warnings in 4 objects", id="nothing is wrong"),
        pytest.param(
            [Severity.ERROR, Severity.WARNING],
            1,
            1,
            "1 error, 1 warning in 1 object (1 other object left alone)",
            id="one of each",
        ),
        pytest.param([Severity.WARNING] * 2, None, 0, "0 errors, 2 warnings", id="no objects told"),
    ],
)
def test_summaries(
    severities: list[Severity], objects: int | None, others: int, expected: str
) -> None:
    found = [problem(severity=severity) for severity in severities]

    assert report.summary(found, objects=objects, others=others) == expected


def test_json_tells_every_part() -> None:
    told = json.loads(
        report.as_json([problem(hint="h", location=Location("a.yaml", 3, 25))], objects=2, others=1)
    )

    assert told == {
        "problems": [
            {
                "severity": "error",
                "code": "ConnectorNotFound",
                "message": "there is no Connector 'erb'",
                "hint": "h",
                "object": "Route default/orders",
                "field": "spec.steps[0].call.connector",
                "file": "a.yaml",
                "line": 3,
                "column": 25,
            }
        ],
        "summary": {"errors": 1, "warnings": 0, "objects": 2, "others": 1},
    }
