"""isthmus lint: everything that is wrong with a folder of manifests."""

import sys
from pathlib import Path

import click

from isthmus_api.plan import check, openness
from isthmus_api.problems import errors
from isthmus_cli import contracts, folder, options, report, shared_tables


@click.command()
@options.folder
@click.option("--strict", is_flag=True, help="Let warnings fail, too.")
@options.output
def lint(path: Path, strict: bool, output: report.Output) -> None:
    """Check manifests without running them.

    Reads DIR (or one file) and shows every problem with its place and what to write instead, and
    which Routes anybody may call. Calls are held against the contracts of their Connectors. Ends
    with 1 when there is an error.
    """
    loaded = folder.load(path)
    options.refuse_empty(loaded, path)
    found = loaded.resources
    problems = (
        *loaded.problems,
        *check(found),
        *openness.check(found),
        *shared_tables.problems(found, loaded.config_maps),
        *contracts.check(loaded),
    )
    report.show(
        problems,
        output=output,
        objects=loaded.objects,
        others=loaded.others,
        open_to_anybody=[str(route.key) for route in openness.open_routes(found)],
    )
    sys.exit(1 if errors(problems) or (strict and problems) else 0)
