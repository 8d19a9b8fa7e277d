"""isthmus rollout: the verbs of `kubectl rollout`, on Routes."""

import click

from isthmus_cli.commands import Commands

_COMMANDS = {
    "status": "Wait until pods run what a Route declares.",
    "history": "Show what its pods ran before.",
    "restart": "Replace its pods without a gap.",
    "undo": "Tell how to go back, and whom to ask.",
}


@click.group(cls=Commands, lines=_COMMANDS, package="isthmus_cli.rollout")
def rollout() -> None:
    """Follow and restart the roll-outs of Routes."""
