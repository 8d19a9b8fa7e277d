"""Shapes of what commands write: keys stay, and keep their type."""

from pathlib import Path

import click
import pytest

from isthmus_cli import shapes
from isthmus_cli.main import isthmus
from isthmus_cli.manual import outputs

GOLDEN = Path(__file__).parent / "golden" / "outputs.txt"
WITHOUT = {
    "init": "writes files",
    "mapping fmt": "writes files, and their names",
    "rollout undo": "is advice for people",
    "import openapi": "writes files",
    "completion": "writes a script",
}
"""Commands that have nothing for a machine to read."""
ALL = {**shapes.WRITTEN, **shapes.LINES}


def told() -> list[str]:
    return [f"{command} {key}" for command, shape in ALL.items() for key in outputs.keys(shape)]


def test_no_key_goes_or_changes_its_type() -> None:
    """A key may be added: write `told()` into the file then. For one that goes, tell users."""
    missing = set(GOLDEN.read_text().splitlines()) - set(told())

    assert sorted(missing) == []


def test_new_keys_are_kept_from_now_on() -> None:
    assert GOLDEN.read_text().splitlines() == told()


@pytest.mark.parametrize("name", isthmus.list_commands(click.Context(isthmus)))
def test_every_command_tells_what_it_writes(name: str) -> None:
    command = isthmus.get_command(click.Context(isthmus), name)
    names = [name]
    if isinstance(command, click.Group):
        names = [f"{name} {each}" for each in command.list_commands(click.Context(command))]

    known = ALL.keys() | shapes.OTHERS.keys() | WITHOUT.keys()
    assert set(names) <= known
