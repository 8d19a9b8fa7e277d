"""isthmus logs: what the pods of a Route say."""

import datetime
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

import click

from isthmus_cli import log_lines
from isthmus_cli.cluster import options, pod_logs, routes
from isthmus_cli.cluster.errors import Unready
from isthmus_cli.cluster.options import Place
from isthmus_cli.cluster.pod_logs import Source
from isthmus_cli.log_lines import LEVELS, Line, Wanted
from isthmus_cli.moments import Moment
from isthmus_cli.report import printable

_TAIL: Final = 100


@click.command()
@options.route
@options.namespace
@options.context
@click.option("-f", "--follow", is_flag=True, help="Go on, with pods that come later as well.")
@click.option("--since", type=Moment(), metavar="TIME", help="Only since, as 2h or a time.")
@click.option(
    "--tail",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"The last lines of each pod: {_TAIL}, or all where --since or a filter is given.",
)
@click.option("--pod", default="", metavar="NAME", help="Only of this pod; of all by default.")
@click.option("-p", "--previous", is_flag=True, help="Of the container before it restarted.")
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    default="info",
    show_default=True,
    help="This level and those above it.",
)
@click.option("--correlation-id", default="", metavar="ID", help="Only of this request.")
@click.option("--message", default="", metavar="ID", help="Only of this message of the journal.")
@options.output
def logs(name: str, namespace: str | None, context: str | None, **given: Any) -> None:
    """Show what the pods of a Route log, one line each, in the order of time.

    With -o json each line is an object: what the runtime wrote, and its pod. Ends with 1 when the
    log of a pod cannot be read. Needs get on routes, list on pods and get on pods/log.
    """
    wanted = Wanted(given["level"], given["correlation_id"], given["message"])
    if given["follow"] and given["previous"]:
        raise click.UsageError("--follow goes with what runs, and --previous with what ran before")
    with options.place(context, namespace) as place:
        routes.get(place.api, place.namespace, name)
        source = Source(place.api, place.namespace, name, given["pod"], _query(wanted, given))
        missing: list[str] = []
        for line in _lines(place, source, missing, follow=given["follow"]):
            if wanted.takes(line):
                _show(line, given["output"])
    sys.exit(options.FOUND if missing else 0)


def _lines(place: Place, source: Source, missing: list[str], *, follow: bool) -> Iterator[Line]:
    """The lines, and in `missing` what could not be read; who follows tries again instead."""
    if follow:
        return pod_logs.followed(source, told=_tell)

    def tell(text: str) -> None:
        missing.append(text)
        _tell(text)

    pods = source.pods()
    if not pods:
        which = f"pod {source.pod} that runs" if source.pod else "pods that run"
        why = f"`isthmus trace {source.route} -n {place.namespace}` says why"
        raise Unready(f"route/{source.route} has no {which}; {why}")
    return pod_logs.once(source, pods, told=tell)


def _query(wanted: Wanted, given: dict[str, Any]) -> dict[str, str]:
    """What of the logs the API server is asked for; it knows no more filters than these."""
    query: dict[str, str] = {}
    tail, since = given["tail"], given["since"]
    if tail is None and since is None and wanted.is_all:
        tail = _TAIL
    if tail is not None:
        query["tailLines"] = str(tail)
    if since is not None:
        query["sinceTime"] = _rfc3339(min(since, time.time()))
    if given["previous"]:
        query["previous"] = "true"
    return query


def _rfc3339(moment: float) -> str:
    at = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _show(line: Line, output: str) -> None:
    if output == "json":
        click.echo(log_lines.as_json(line))
        return
    for each in log_lines.as_text(line):
        click.echo(each)


def _tell(text: str) -> None:
    click.echo(f"isthmus: {printable(text)}", err=True)
