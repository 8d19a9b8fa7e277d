"""The command `isthmus`.

A command's module is imported when the command is used: planning and running bring in engines and
models that `isthmus version` should not wait for.

Exit codes: 0 all is well, 1 something was found, 2 wrong use, 70 a mistake of ours.
"""

import difflib
import importlib
import os
import sys

import click

CRASHED = 70
"""EX_SOFTWARE of sysexits.h."""

_COMMANDS = {
    "run": "Serve every Route in a folder of manifests.",
    "lint": "Check manifests without running them.",
    "test": "Run the tests that Mappings and Routes hold.",
    "openapi": "Describe the served Routes as OpenAPI.",
    "crds": "Print the CustomResourceDefinitions.",
    "version": "Print the version.",
}
"""The commands and their lines in the help. `isthmus_cli.NAME` holds the command NAME."""


class _Commands(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order in which people meet them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"isthmus_cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; of an unknown one say which was meant."""
        near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
        if near and args[0] not in _COMMANDS:
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def isthmus(ctx: click.Context) -> None:
    """Integrations as Kubernetes resources: check, test and run them on this machine."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False


def main() -> None:
    """Run the command line. A mistake of ours ends with one line that says so."""
    try:
        isthmus(prog_name="isthmus")
    except Exception as error:
        if os.environ.get("ISTHMUS_DEBUG"):
            raise
        click.echo(
            f"isthmus: a mistake of Isthmus, not of yours: {type(error).__name__}: {error}\n"
            "Set ISTHMUS_DEBUG=1 to see where, and please report it.",
            err=True,
        )
        sys.exit(CRASHED)


if __name__ == "__main__":
    main()
