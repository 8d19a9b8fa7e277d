"""Groups of commands whose modules are imported when a command is used."""

import difflib
import importlib
from collections.abc import Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem


class Commands(click.Group):
    """A group that knows its commands by name and line; `PACKAGE.NAME` holds the command NAME."""

    def __init__(
        self,
        *args: Any,
        lines: Mapping[str, str],
        package: str,
        modules: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        """`lines` are the commands, in the order in which people meet them, and their help.

        `modules` names the module of a command whose own name is a word of Python.
        """
        super().__init__(*args, **kwargs)
        self._lines = lines
        self._package = package
        self._modules = modules or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands."""
        return list(self._lines)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in self._lines:
            return None
        name = self._modules.get(cmd_name, cmd_name)
        module = importlib.import_module(f"{self._package}.{name}")
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._lines.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names of commands without importing them."""
        names = [
            CompletionItem(name, help=line)
            for name, line in self._lines.items()
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; of an unknown one say which was meant."""
        near = difflib.get_close_matches(args[0], self._lines, n=1)
        if near and args[0] not in self._lines and not ctx.resilient_parsing:
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)
