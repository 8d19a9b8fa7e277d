"""isthmus rollout status: wait until pods run what a Route declares."""

import json
import sys
import time
from typing import Final

import click

from isthmus_cli.cluster import kinds, options, routes
from isthmus_cli.cluster.errors import NoCluster
from isthmus_cli.cluster.options import Place
from isthmus_cli.moments import Span
from isthmus_cli.report import printable
from isthmus_cli.rollout import progress
from isthmus_cli.rollout.progress import RollOut, Stage

_PAUSE_SECONDS: Final = 1.0
"""Between looks. Looking needs the right to `get` alone; a watch would need another one."""
_AWAY_SECONDS: Final = 60.0
"""An API server that answered once may be away for so long: it is restarted now and then."""
_COLOURS: Final = {Stage.DONE: "green", Stage.WAITING: "yellow", Stage.FAILED: "red"}


@click.command()
@options.route
@options.namespace
@options.context
@click.option(
    "--watch/--no-watch", default=True, show_default=True, help="Wait, or say how it stands now."
)
@click.option(
    "--timeout",
    type=Span(),
    default="0",
    metavar="DURATION",
    help="Wait for so long at most, as 5m; without an end by default.",
)
@options.output
def status(
    name: str, namespace: str | None, context: str | None, watch: bool, timeout: float, output: str
) -> None:
    """Wait until pods run what a Route declares and answer.

    Ends with 0 when they do, and with 1 when somebody has to do something, when the time is over,
    or with --no-watch when it is not done yet. What is missing may still come: that is waited for.
    Needs get on routes and deployments.
    """
    with options.place(context, namespace) as place:
        reached = _follow(place, name, watch=watch, timeout=timeout, is_told=output == "text")
        if output == "json":
            who = {"route": name, "namespace": place.namespace}
            click.echo(json.dumps(who | reached.plain(), indent=2))
        elif reached.stage is Stage.WAITING and watch:
            click.echo(f"isthmus: the time is over: {printable(reached.told)}", err=True)
    sys.exit(0 if reached.stage is Stage.DONE else options.FOUND)


def _follow(place: Place, name: str, *, watch: bool, timeout: float, is_told: bool) -> RollOut:
    """Look until it is over, and tell each thing once; the last look."""
    end = time.monotonic() + timeout if timeout else float("inf")
    told, heard = "", None
    while True:
        try:
            seen, heard = _look(place, name), time.monotonic()
        except NoCluster as error:
            if not (watch and heard and error.passes) or time.monotonic() > heard + _AWAY_SECONDS:
                raise
            seen = RollOut(Stage.WAITING, f"{error}; trying again", "NoAnswer")
        if is_told and seen.told != told:
            line = f"route/{name}: {printable(seen.told)}"
            click.echo(click.style(line, fg=_COLOURS[seen.stage]))
        told = seen.told
        left = end - time.monotonic()
        if seen.stage is not Stage.WAITING or not watch or left <= 0:
            return seen
        time.sleep(min(_PAUSE_SECONDS, left))


def _look(place: Place, name: str) -> RollOut:
    route = routes.get(place.api, place.namespace, name)
    return progress.of(route, place.api.find(kinds.DEPLOYMENTS, place.namespace, name))
