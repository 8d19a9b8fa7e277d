"""isthmus check: which Routes break when a vendor publishes a new version of its API."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from isthmus_api.contracts import routes
from isthmus_api.contracts.operations import Directory
from isthmus_api.plan import check as check_all
from isthmus_api.problems import errors
from isthmus_api.resources import Resources
from isthmus_cli import contract_report, contracts, folder, openapi_file, options, report
from isthmus_cli.contract_report import Affected
from isthmus_cli.folder import Loaded

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@options.folder
@click.option(
    "--against",
    "new",
    metavar="NEW",
    required=True,
    type=_file,
    help="The vendor's new OpenAPI document.",
)
@click.option(
    "--from",
    "old",
    metavar="OLD",
    type=_file,
    help="The one it takes the place of; by default the Connector's contract.",
)
@click.option(
    "--connector",
    metavar="NAME",
    help="The Connector that is about; not needed where the folder has a single one.",
)
@click.option("--strict", is_flag=True, help="Let what may break fail, too.")
@options.output
def check(
    path: Path,
    new: Path,
    old: Path | None,
    connector: str | None,
    strict: bool,
    output: report.Output,
) -> None:
    """Tell which Routes break with a new version of a vendor's API.

    Holds what the Routes in DIR send, and what they read of each answer, against the document NEW.
    What did not fit OLD either is left out. Ends with 0 when nothing breaks, with 1 when something
    does, with 2 when a file cannot be used.
    """
    loaded = folder.load(path)
    options.refuse_empty(loaded, path)
    wrong = errors((*loaded.problems, *check_all(loaded.resources)))
    if wrong:
        report.show(wrong, err=True, objects=loaded.objects, others=loaded.others)
        sys.exit(options.WRONG_USE)
    name = connector or _only_connector(loaded.resources, path)
    _refuse_unknown(name, loaded.resources)
    after = openapi_file.directory(new)
    before = openapi_file.directory(old) if old else _contract(loaded, name)
    affected = list(_affected(loaded.resources, name, before, after))
    contract_report.show(
        affected, loaded.resources, connector=name, old=before, new=after, output=output
    )
    sys.exit(1 if any(each.breaks or (strict and each.findings) for each in affected) else 0)


def _affected(
    resources: Resources, name: str, old: Directory | None, new: Directory
) -> Iterator[Affected]:
    """Every Route that calls the Connector, with what it finds different."""
    for route in resources.routes():
        connector = resources.connector(route.key.namespace, name)
        calls = routes.calls(route, resources)
        if connector and connector.spec.http and calls.of(name):
            found = calls.breaks(name, connector.spec.http, old, new)
            yield Affected(route, tuple(found))


def _contract(loaded: Loaded, name: str) -> Directory | None:
    """The document that a Connector names, if it is there; ends the program if it is broken."""
    found = contracts.read(loaded)
    broken = [each for each in errors(found.problems) if each.subject.endswith(f"/{name}")]
    if broken:
        report.show(broken, err=True)
        sys.exit(options.WRONG_USE)
    return next((each for key, each in found.directories.items() if key.name == name), None)


def _only_connector(resources: Resources, path: Path) -> str:
    names = sorted({found.key.name for found in resources.connectors()})
    if len(names) == 1:
        return names[0]
    there = f"there are: {', '.join(names)}" if names else "there is none"
    raise click.UsageError(f"say which Connector with --connector NAME; in {path} {there}")


def _refuse_unknown(name: str, resources: Resources) -> None:
    names = sorted({found.key.name for found in resources.connectors()})
    if name not in names:
        raise click.UsageError(f"there is no Connector '{name}'; there are: {', '.join(names)}")
