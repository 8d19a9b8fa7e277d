"""Pages: what each command says of itself, without the form that a terminal gives it."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

import click

from isthmus_cli.main import isthmus

NAME = "isthmus"


@dataclass(frozen=True, slots=True)
class Page:
    """One command."""

    path: tuple[str, ...]
    usage: str
    """What stands behind the name."""
    paragraphs: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    """How each is written, and what it is for."""
    commands: tuple[tuple[str, str], ...]
    """Of a group: their names and lines."""

    @property
    def name(self) -> str:
        """As it is typed."""
        return " ".join(self.path)


def pages() -> Iterator[Page]:
    """All commands, each group before its own."""
    yield from _below(isthmus, click.Context(isthmus, info_name=NAME))


def _below(command: click.Command, ctx: click.Context) -> Iterator[Page]:
    children = {}
    if isinstance(command, click.Group):
        found = ((name, command.get_command(ctx, name)) for name in command.list_commands(ctx))
        children = {name: each for name, each in found if each and not each.hidden}
    yield Page(
        path=tuple(ctx.command_path.split()),
        usage=" ".join(command.collect_usage_pieces(ctx)),
        paragraphs=_paragraphs(command.help or ""),
        options=tuple(_options(command, ctx)),
        commands=tuple((name, _line(each)) for name, each in children.items()),
    )
    for name, each in children.items():
        yield from _below(each, click.Context(each, info_name=name, parent=ctx))


def _paragraphs(text: str) -> tuple[str, ...]:
    whole = inspect.cleandoc(text).split("\n\n")
    return tuple(" ".join(each.split()) for each in whole if each.strip())


def _options(command: click.Command, ctx: click.Context) -> Iterator[tuple[str, str]]:
    for each in command.get_params(ctx):
        # Every command has --help, and arguments stand in the usage.
        if isinstance(each, click.Option) and "--help" not in each.opts:
            names, told = each.get_help_record(ctx) or ("", "")
            variable = f" Also as {each.envvar}." if each.envvar else ""
            yield names, " ".join(told.split()) + variable


def _line(command: click.Command) -> str:
    return command.get_short_help_str(limit=200)
