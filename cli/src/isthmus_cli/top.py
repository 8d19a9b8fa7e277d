"""isthmus top: what Routes and their pods are doing."""

import json
import sys
from collections.abc import Mapping
from typing import Final

import click

from isthmus_cli import loads, tables
from isthmus_cli.cluster import kinds, options, pod_metrics, routes
from isthmus_cli.cluster.options import Place
from isthmus_cli.cluster.pod_metrics import Pod
from isthmus_cli.loads import Load
from isthmus_cli.moments import Span
from isthmus_cli.report import printable
from isthmus_operator.desired import CHILDREN_SELECTOR, selector

_HEAD: Final = (
    "REQ/S",
    "5XX/S",
    "P99",
    "MSG/S",
    "FAIL/S",
    "MSG-P99",
    "IN-FLIGHT",
    "BACKLOG",
)

_TOLD: Final = 10
"""Pods that do not answer, of which the reason is told; for many it is the same."""


@click.command()
@options.optional_route
@options.namespace
@options.context
@click.option(
    "--interval",
    type=Span(),
    default="5s",
    show_default=True,
    metavar="DURATION",
    help="Between the two looks that rates are made of.",
)
@options.output
def top(
    name: str | None, namespace: str | None, context: str | None, interval: float, output: str
) -> None:
    """Show what the Routes of a namespace are doing, or the pods of one.

    Reads the metrics of each pod twice, through the API server. Requests and answers of the class
    5xx, attempts at messages and those that failed, a second; times in which 99 of 100 were done;
    what is under way, and the messages that wait. Ends with 1 when a pod does not answer. Needs
    list on pods and get on pods/proxy; for one Route also get on routes.
    """
    if interval <= 0:
        raise click.BadParameter("must be more than 0", param_hint="--interval")
    with options.place(context, namespace) as place:
        pods = _pods(place, name)
        found, silent = pod_metrics.measured(place.api, pods, seconds=interval if pods else 0)
    if output == "json":
        pods_plain = [_plain(each, found[each]) for each in found]
        silent_plain = [_who(each) | {"message": why} for each, why in silent.items()]
        click.echo(json.dumps({"pods": pods_plain, "silent": silent_plain}, indent=2))
    elif not pods:
        click.echo("no pods of Routes are ready here")
    else:
        for line in _table(found, of_pods=name is not None):
            click.echo(line)
    for pod, why in list(silent.items())[:_TOLD]:
        click.echo(f"isthmus: {printable(f'{pod.name} does not answer: {why}')}", err=True)
    if len(silent) > _TOLD:
        click.echo(f"isthmus: nor do {len(silent) - _TOLD:,} others; -o json tells all", err=True)
    sys.exit(options.FOUND if silent else 0)


def _pods(place: Place, name: str | None) -> list[Pod]:
    labels = CHILDREN_SELECTOR
    if name is not None:
        routes.get(place.api, place.namespace, name)
        labels = selector(name)
    found = map(pod_metrics.pod, place.api.list(kinds.PODS, place.namespace, labels=labels))
    return sorted((each for each in found if each), key=lambda each: (each.route, each.name))


def _table(found: Mapping[Pod, Load], *, of_pods: bool) -> list[str]:
    if of_pods:
        return tables.table(
            ("POD", *_HEAD), [(pod.name, *row(load)) for pod, load in found.items()]
        )
    of_route: dict[str, list[Load]] = {}
    for pod, load in found.items():
        of_route.setdefault(pod.route, []).append(load)
    return tables.table(
        ("NAME", "PODS", *_HEAD),
        [
            (name, str(len(several)), *row(loads.together(several)))
            for name, several in of_route.items()
        ],
    )


def row(load: Load) -> tuple[str, ...]:
    """The cells of a load; `-` where nothing can be said."""
    return (
        f"{load.requests:.1f}",
        f"{load.errors:.1f}",
        _seconds(load.request_p99),
        f"{load.messages:.1f}",
        f"{load.failures:.1f}",
        _seconds(load.attempt_p99),
        f"{load.in_flight:.0f}",
        "-" if load.backlog is None else f"{load.backlog:.0f}",
    )


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value * 1000:.0f}ms" if value < 1 else f"{value:.1f}s"


def _plain(pod: Pod, load: Load) -> dict[str, object]:
    return _who(pod) | load.plain()


def _who(pod: Pod) -> dict[str, object]:
    return {"namespace": pod.namespace, "route": pod.route, "pod": pod.name}
