"""The command `isthmus`, which is `kubectl isthmus` as well.

A command's module is imported when the command is used: planning and running bring in engines and
models that `isthmus version` should not wait for.

Exit codes: 0 all is well, 1 something was found, 2 wrong use or no cluster to ask, 70 a mistake of
ours, 130 a Ctrl-C.
"""

import os
import sys
from typing import Any

import click

from isthmus_cli.commands import Commands

CRASHED = 70
"""EX_SOFTWARE of sysexits.h."""
INTERRUPTED = 130
"""As a shell has it for what a Ctrl-C ended."""

_COMMANDS = {
    "init": "Write a new repository of integrations.",
    "run": "Serve every Route in a folder of manifests.",
    "lint": "Check manifests without running them.",
    "test": "Run the tests that Mappings and Routes hold.",
    "mapping": "Try, explain and format mappings.",
    "promote": "Copy a tested set from one overlay to another.",
    "render": "Print the objects that the operator makes of Routes.",
    "diff": "Tell what a change does: objects, restarts, messages.",
    "status": "Show how Routes stand, one line each.",
    "rollout": "Follow and restart the roll-outs of Routes.",
    "pause": "Take the pods of a Route away.",
    "resume": "Let the pods of a Route come back.",
    "logs": "Show what the pods of a Route say.",
    "top": "Show what Routes are doing: rates, times, what waits.",
    "trace": "Show what is behind a Route, and what is wrong.",
    "check": "Tell which Routes a new version of a vendor's API breaks.",
    "messages": "See, replay and drop the messages of Routes.",
    "import": "Make manifests of what others publish.",
    "openapi": "Describe the served Routes as OpenAPI.",
    "crds": "Print the CustomResourceDefinitions.",
    "completion": "Print what makes a shell complete commands.",
    "version": "Print the version.",
}
"""The commands and their lines in the help."""


class Root(Commands):
    """The command itself, which a Ctrl-C ends at once."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run what was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo(err=True)  # behind the ^C that the terminal shows
            sys.exit(INTERRUPTED)


@click.group(
    cls=Root,
    lines=_COMMANDS,
    package="isthmus_cli",
    modules={"import": "importing"},
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.pass_context
def isthmus(ctx: click.Context) -> None:
    """Integrations as Kubernetes resources: check, test and run them on this machine."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False


def main() -> None:
    """Run the command line."""
    _run("isthmus")


def plugin() -> None:
    """Run the command line as kubectl does, which finds its plugins by `kubectl-NAME`."""
    _run("kubectl isthmus")


def kubectl_complete() -> None:
    """Answer kubectl, which asks `kubectl_complete-NAME` how to complete what is typed."""
    from isthmus_cli import completion

    for line in completion.answers(isthmus, sys.argv[1:]):
        click.echo(line)


def _run(name: str) -> None:
    """Run it under a name. A mistake of ours ends with one line that says so."""
    # Nothing here has a plug-in of pydantic's; to look for them takes a twentieth of a start.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        isthmus(prog_name=name)
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
