"""isthmus status: how Routes stand, one line each."""

import datetime
import json
import sys
from collections.abc import Sequence

import click

from isthmus_cli.cluster import kinds, options, routes, summaries
from isthmus_cli.cluster.options import Place
from isthmus_cli.cluster.summaries import Summary
from isthmus_cli.report import printable


@click.command()
@options.optional_route
@options.namespace
@options.everywhere
@options.context
@click.option("--wrong", is_flag=True, help="Only those that are not as declared.")
@options.output
def status(
    name: str | None,
    namespace: str | None,
    everywhere: bool,
    context: str | None,
    wrong: bool,
    output: str,
) -> None:
    """Show how Routes stand: a Route, those of a namespace, or all.

    GENERATION is what is declared, and `3 of 4` where pods still run an older one. Ends with 1 when
    one is neither Ready nor paused. Needs get, or list for several, on routes.
    """
    options.refuse_both(name, namespace, everywhere=everywhere)
    with options.place(context, namespace) as place:
        found = _found(place, name, everywhere=everywhere)
    shown = [each for each in found if not (wrong and each.is_well)]
    if output == "json":
        every = [each.plain() for each in shown]
        click.echo(json.dumps({"routes": every, "summary": summaries.counts(found)}, indent=2))
    else:
        _text(found, shown, everywhere=everywhere, alone=name is not None)
    sys.exit(0 if all(each.is_well for each in found) else options.FOUND)


def _found(place: Place, name: str | None, *, everywhere: bool) -> list[Summary]:
    if name is not None:
        return [summaries.of(routes.get(place.api, place.namespace, name))]
    namespace = None if everywhere else place.namespace
    return [summaries.of(each) for each in place.api.list(kinds.ROUTES, namespace)]


def _text(
    found: Sequence[Summary], shown: Sequence[Summary], *, everywhere: bool, alone: bool
) -> None:
    if not found:
        click.echo("there are no Routes here; -A looks in all namespaces")
        return
    if shown:
        now = datetime.datetime.now(datetime.UTC)
        for line in summaries.table(shown, now, with_namespace=everywhere):
            click.echo(line)
    if alone:
        (only,) = found
        if only.stands.advice:
            click.echo(printable(f"To do: {only.stands.advice}"))
    else:
        click.echo(summaries.total(found))
