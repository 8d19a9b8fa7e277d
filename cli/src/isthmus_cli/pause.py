"""isthmus pause: take the pods of a Route away."""

import click

from isthmus_cli import pausing
from isthmus_cli.cluster import options


@click.command()
@options.route
@options.namespace
@options.context
@options.output
def pause(name: str, namespace: str | None, context: str | None, output: str) -> None:
    """Take the pods of a Route away, whatever its replicas and scalers say.

    Sets spec.paused, and warns where the field is in a manifest whose owner would put it back. Pods
    finish what they are at. Needs get and patch on routes.
    """
    pausing.write(name, namespace, context, paused=True, output=output)
