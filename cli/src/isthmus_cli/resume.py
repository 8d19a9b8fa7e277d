"""isthmus resume: let the pods of a Route come back."""

import click

from isthmus_cli import pausing
from isthmus_cli.cluster import options


@click.command()
@options.route
@options.namespace
@options.context
@options.output
def resume(name: str, namespace: str | None, context: str | None, output: str) -> None:
    """Let the pods of a paused Route come back, as many as its replicas say now.

    Sets spec.paused, and warns where the field is in a manifest whose owner would put it back.
    Needs get and patch on routes.
    """
    pausing.write(name, namespace, context, paused=False, output=output)
