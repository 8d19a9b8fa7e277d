"""isthmus trace: a Route and all that is behind it, and what is wrong."""

import datetime
import json
import sys
from collections.abc import Sequence
from typing import Any

import click

from isthmus_cli.cluster import options, standing
from isthmus_cli.cluster.standing import Standing, State
from isthmus_cli.report import printable
from isthmus_cli.traces import drawing, gathering, nodes
from isthmus_cli.traces.nodes import Family, Node


@click.command()
@options.route
@options.namespace
@options.context
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "dot", "json"]),
    default="text",
    show_default=True,
    help="How it is written; dot is a graph for Graphviz.",
)
def trace(name: str, namespace: str | None, context: str | None, output: str) -> None:
    """Show a Route with all that is behind it, and say what is wrong and what to do.

    Connectors, Mappings, Routes that it is fed by or feeds, its autoscaler and its pods. Ends with
    1 when the Route is not Ready. What you may not see is left out, and said.
    """
    with options.place(context, namespace) as place:
        family, hidden = gathering.family(place.api, place.namespace, name)
    stands, tree = standing.of(family.route), nodes.tree(family)
    match output:
        case "json":
            click.echo(json.dumps(_plain(family, stands, tree, hidden), indent=2))
        case "dot":
            for line in drawing.as_dot(tree):
                click.echo(line)
        case _:
            _text(family, stands, tree, hidden)
    sys.exit(0 if stands.state is State.OK else options.FOUND)


def verdict(stands: Standing, family: Family) -> str:
    """What is wrong and what to do, in one line; with what the scheduler says, if it waits."""
    if stands.state is not State.PENDING:
        return stands.sentence
    trouble = next((each for each in nodes.troubles(family.pods)), "")
    known = not trouble or trouble.partition(": ")[2] in stands.message
    return stands.sentence if known else f"{stands.sentence}, and see to {trouble}"


def _text(family: Family, stands: Standing, tree: Node, hidden: Sequence[str]) -> None:
    metadata, status = family.route["metadata"], family.route.get("status") or {}
    applied = status.get("lastAppliedGeneration", "none")
    click.echo(
        f"{metadata['namespace']}/{metadata['name']}: generation {metadata['generation']}; "
        f"pods run generation {applied}, plan {status.get('planHash', 'none')}"
    )
    for line in drawing.as_text(tree):
        click.echo(line)
    if family.events:
        click.echo("Events")
        for line in drawing.events(family.events, datetime.datetime.now(datetime.UTC)):
            click.echo(line)
    for each in hidden:
        click.echo(f"isthmus: left out: {each}", err=True)
    colour = drawing.COLOURS[stands.state]
    click.echo(click.style(printable(verdict(stands, family)), fg=colour))


def _plain(family: Family, stands: Standing, tree: Node, hidden: Sequence[str]) -> dict[str, Any]:
    metadata, status = family.route["metadata"], family.route.get("status") or {}
    return {
        "route": metadata["name"],
        "namespace": metadata["namespace"],
        "generation": metadata["generation"],
        "appliedGeneration": status.get("lastAppliedGeneration"),
        "plan": status.get("planHash"),
        "ready": stands.ready,
        "reason": stands.reason,
        "message": stands.message,
        "advice": stands.advice,
        "verdict": verdict(stands, family),
        "tree": tree.plain(),
        "events": [
            {
                "at": gathering.moment(each),
                "type": each.get("type"),
                "reason": each.get("reason"),
                "message": each.get("message"),
            }
            for each in family.events
        ],
        "leftOut": list(hidden),
    }
