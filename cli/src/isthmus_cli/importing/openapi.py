"""isthmus import openapi: a Connector for a vendor's API, and Routes that call its operations."""

import difflib
import os
import re
from collections.abc import Iterable
from pathlib import Path

import click

from isthmus_api.contracts.document import OpenApi
from isthmus_api.contracts.operations import Directory, Operation
from isthmus_cli import made_files, openapi_file, report
from isthmus_cli.importing import connectors, manifest_texts, stubs


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help="Name of the Connector; by default made of the document's title.")
@click.option("--base-url", help="Address of the system; by default the document's first server.")
@click.option(
    "--operation",
    "wanted",
    multiple=True,
    metavar="ID",
    help="Write a Route for this operation: its operationId, or 'GET /path'. May be repeated.",
)
@click.option("--tag", "tags", multiple=True, help="Write Routes for the operations of a tag.")
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder to write into; by default this one.",
)
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
def openapi(
    file: Path,
    name: str | None,
    base_url: str | None,
    wanted: tuple[str, ...],
    tags: tuple[str, ...],
    folder: Path,
    force: bool,
) -> None:
    """Make a Connector of an OpenAPI document, and Routes that call its operations.

    Writes NAME-connector.yaml, and NAME-routes.yaml where operations are chosen. The same document
    gives the same files. Credentials are named by Secret and key; you make the Secret.
    """
    found = openapi_file.read(file)
    chosen = _chosen(Directory(found), wanted, tags)
    called = name or connectors.named(found)
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", called):
        raise click.UsageError(f"'{called}' is no name; use small letters, digits and '-'")
    contract = Path(os.path.relpath(file, folder)).as_posix()
    made = connectors.connector(found, name=called, base_url=base_url, contract=contract)
    head = f"Made of {found.title or 'the API'} {found.version} by `isthmus import openapi`."
    files = {folder / f"{called}-connector.yaml": manifest_texts.text([made.manifest], head)}
    if chosen:
        routes = stubs.routes(chosen, connector=called)
        files[folder / f"{called}-routes.yaml"] = manifest_texts.text(routes, head)
    if not force:
        made_files.refuse_present(files, "--force overwrites what is there")
    made_files.write(files)
    for path in files:
        click.echo(f"wrote {path}")
    for note in (*made.notes, *(() if chosen else (_how_to_choose(found),))):
        click.echo(f"note: {report.printable(note)}")


def _chosen(
    directory: Directory, wanted: Iterable[str], tags: Iterable[str]
) -> tuple[Operation, ...]:
    """The chosen operations, in the order of the document."""
    callable_ = [each for each in directory.all if each.method in stubs.METHODS]
    found: set[str] = set()
    for word in wanted:
        same = [each.name for each in callable_ if word in (each.id, each.name)]
        if not same:
            raise click.UsageError(_unknown("operation", word, _words(callable_)))
        found.update(same)
    for tag in tags:
        same = [each.name for each in callable_ if tag in each.tags]
        if not same:
            there = sorted({tag for each in callable_ for tag in each.tags})
            raise click.UsageError(_unknown("tag", tag, there))
        found.update(same)
    return tuple(each for each in callable_ if each.name in found)


def _words(operations: Iterable[Operation]) -> list[str]:
    return [word for each in operations for word in (each.id, each.name) if word]


def _unknown(kind: str, word: str, there: list[str]) -> str:
    near = difflib.get_close_matches(word, there, n=1)
    if near:
        return f"the document has no {kind} '{word}'; did you mean '{near[0]}'?"
    return f"the document has no {kind} '{word}'; it has: {', '.join(there[:20]) or 'none'}"


def _how_to_choose(document: OpenApi) -> str:
    words = [each.id or f"'{each.name}'" for each in Directory(document).all][:5]
    return f"choose operations with --operation, such as {', '.join(words) or 'none'}"
