"""isthmus messages drop: give messages up."""

import sys
from typing import Any

import click

from isthmus_cli import options, report
from isthmus_cli.messages import acts, places, selection


@click.command()
@selection.ids
@selection.options
@click.option("--reason", required=True, help="Why; it is kept with who did it.")
@acts.options
@places.options
@options.output
def drop(reason: str, output: report.Output, **given: Any) -> None:
    """Give messages up, with a reason.

    Names messages by ID, or chooses them by options; without --state those that are dead or were
    rejected. A dropped message is skipped, and lets the next one of its key go on. It can be
    replayed with --state skipped for as long as the journal keeps it.
    """
    place, wanted, manner = places.made(given), selection.made(given), acts.made(given)
    manner.check(wanted)
    if not reason.strip():
        raise click.UsageError("--reason must say something")
    with place.office() as office:
        act = manner.act("drop", "dropped", wanted.filter(office), why=reason)
        code = acts.perform(office, act, manner, output=output)
    sys.exit(code)
