"""Lines of logs: what they say, which are meant, and how people read them."""

import json
from typing import Any

import click
import pytest

from isthmus_cli import log_lines
from isthmus_cli.log_lines import Line, Wanted

AT = b"2026-01-31T12:00:00.123456789Z "


def line(text: str | dict[str, Any]) -> Line:
    said = text if isinstance(text, str) else json.dumps(text)
    return log_lines.of("it-a", AT + said.encode())


@pytest.mark.parametrize(
    ("wanted", "said", "takes"),
    [
        (Wanted(), {"level": "info"}, True),
        (Wanted("warning"), {"level": "info"}, False),
        (Wanted("warning"), {"level": "error"}, True),
        (Wanted("error"), {"level": "critical"}, True),
        (Wanted("error"), {"event": "without a level"}, True),
        (Wanted("error"), "Traceback", True),
        (Wanted(correlation_id="c"), {"level": "info", "correlationId": "c"}, True),
        (Wanted(correlation_id="c"), {"level": "info", "correlationId": "d"}, False),
        (Wanted(correlation_id="c"), "Traceback", False),
        (Wanted(message="m"), {"level": "info", "uid": "m"}, True),
        (Wanted("warning", message="m"), {"level": "info", "uid": "m"}, False),
    ],
)
def test_which_lines_are_meant(wanted: Wanted, said: str | dict[str, Any], takes: bool) -> None:
    assert wanted.takes(line(said)) is takes


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "{]", '"text"', "Traceback (most recent call last):", "{" * 10]
)
def test_what_the_runtime_did_not_write_stays_as_it_is(text: str) -> None:
    found = line(text)

    assert found.fields is None
    assert json.loads(log_lines.as_json(found))["text"] == text
    assert click.unstyle(next(log_lines.as_text(found))).endswith(f" it-a {text}")


def test_an_exception_stands_below_its_line() -> None:
    found = line({"level": "error", "event": "failed", "exception": "Traceback:\n  here\n"})

    head, *below = log_lines.as_text(found)

    assert click.unstyle(head).endswith(" it-a error   failed")
    assert below == ["    Traceback:", "      here"]


def test_nothing_in_a_line_steers_a_terminal() -> None:
    said = {
        "level": "info\x1b[2J",
        "event": "a\rb",
        "path": "\x1b]0;x\x07",
        "exception": "\x1b[31m",
    }

    for each in (*log_lines.as_text(line(said)), *log_lines.as_text(line("\x1b[2J"))):
        assert click.unstyle(each).isprintable()
        assert "\x1b[2J" not in each


def test_a_time_that_cannot_be_read_comes_first_and_breaks_nothing() -> None:
    odd, usual = log_lines.of("it-a", b"yesterday hello"), line("hello")

    assert sorted((usual, odd), key=lambda each: each.moment) == [odd, usual]
    assert next(log_lines.as_text(odd)).endswith("hello")


def test_bytes_that_are_no_text() -> None:
    assert log_lines.of("it-a", AT + b"\xff").text == "\ufffd"
