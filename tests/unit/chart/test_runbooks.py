"""What runbooks tell people to type and ask: commands, options and metrics that there are."""

import re
import shlex
from pathlib import Path

import click
import metric_labels
import pytest

from isthmus_cli.main import isthmus

PAGES = sorted((Path(__file__).parents[3] / "docs/runbooks").glob("*.md"))
PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
FENCED = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def _fenced(page: Path, language: str) -> list[str]:
    """The blocks of one language."""
    return [text for found, text in FENCED.findall(page.read_text()) if found == language]


def _unknown(line: str) -> set[str]:
    """The words of a command line that the command `isthmus` does not know."""
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = isthmus
    context = click.Context(command, info_name="isthmus")
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        if found is None:
            return {words[0]}
        command, words = found, words[1:]
    known = {option for each in command.params for option in each.opts}
    return {word for word in words if word.startswith("-")} - known


@PAGE
def test_its_commands_are_known(page: Path) -> None:
    lines = [line for text in _fenced(page, "sh") for line in text.splitlines()]
    inline = re.findall(r"`(isthmus [^`]+)`", page.read_text())

    asked = [line for line in (*lines, *inline) if line.startswith("isthmus ")]
    assert {line: wrong for line in asked if (wrong := _unknown(line))} == {}


@PAGE
def test_its_queries_ask_for_what_there_is(page: Path) -> None:
    # A line that is set in goes on with the one above.
    queries = [
        query for text in _fenced(page, "promql") for query in re.split(r"\n(?! )", text.strip())
    ]

    for query in queries:
        assert metric_labels.named(query)
        assert metric_labels.unknown(query) == set()


def test_a_command_that_there_is_not_is_found() -> None:
    assert _unknown("isthmus statsu -A") == {"statsu"}
    assert _unknown("isthmus status --al") == {"--al"}
    assert _unknown("isthmus messages groups -n shop") == set()
