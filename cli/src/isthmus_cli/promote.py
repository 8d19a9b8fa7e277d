"""isthmus promote: copy a tested set of objects from one overlay to another."""

import contextlib
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click

from isthmus_api.problems import errors, field_path
from isthmus_cli import made_files, options, report
from isthmus_cli.cluster import options as where
from isthmus_cli.promotion import changes, findings, overlays, proposal, supply
from isthmus_cli.promotion.environment import Field
from isthmus_cli.promotion.kustomize import CannotBuild
from isthmus_cli.promotion.overlays import PROMOTED, Overlay
from isthmus_cli.promotion.proposal import Look, Proposal
from isthmus_cli.promotion.supply import Keys

_overlay = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("source", metavar="FROM", type=_overlay)
@click.argument("target", metavar="TO", type=_overlay)
@click.option(
    "--patch",
    "patch_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the change into this file, for `git apply`, and leave TO as it is.",
)
@click.option(
    "--have",
    "list_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Lines `Secret NAME/KEY` and `ConfigMap NAME/KEY` of what TO has.  "
    f"[default: TO/{findings.LIST}]",
)
@where.context
@click.option(
    "-n",
    "--namespace",
    metavar="NAMESPACE",
    help="Look for Secrets and ConfigMaps in this namespace of the cluster; with --context alone "
    "in that of TO's kustomization.",
)
@options.output
def promote(
    source: Path,
    target: Path,
    patch_file: Path | None,
    list_file: Path | None,
    context: str | None,
    namespace: str | None,
    output: report.Output,
) -> None:
    """Copy what is in the overlay FROM into the overlay TO.

    The resources that FROM builds on go into TO/promoted, and TO builds on that. What FROM and TO
    say by themselves (patches, namespace, generators) stays as it is. Nothing is applied.

    Nothing is written where the tests of the set fail, where an address or the name of a Secret
    that FROM replaces is not replaced in TO, or where a name leads nowhere: Connectors, Mappings,
    Routes, and keys of Secrets and ConfigMaps. Keys are looked for in the manifests of TO and in a
    list of them; with --context or --namespace in the cluster instead of the list. No value of a
    Secret is shown. Needs kubectl or kustomize. Ends with 1 when something speaks against it.
    """
    if source.resolve() == target.resolve():
        raise click.UsageError("FROM and TO are the same folder")
    if patch_file:
        made_files.refuse_present([patch_file], "name another file, or remove it")
    try:
        there = overlays.read(target)
        listed = _listed(list_file, there)
        with _looking(context, namespace, there) as look:
            found = proposal.propose(overlays.read(source), there, listed=listed, look=look)
        is_refused = bool(errors(found.problems))
        if not is_refused:
            _carry_out(found, patch_file)
    except (overlays.Unusable, supply.UnreadableList, CannotBuild) as error:
        click.echo(f"isthmus: {report.printable(str(error))}", err=True)
        sys.exit(where.FOUND)
    except OSError as error:
        raise click.UsageError(f"{error.filename or target}: {error.strerror}") from error
    (_as_json if output == "json" else _as_text)(found, patch_file, is_refused=is_refused)
    sys.exit(where.FOUND if is_refused else 0)


def _listed(file: Path | None, target: Overlay) -> Keys:
    at = file or target.folder / findings.LIST
    return supply.listed(at.read_text("utf-8"), at) if at.exists() else {}


@contextlib.contextmanager
def _looking(context: str | None, namespace: str | None, target: Overlay) -> Iterator[Look | None]:
    """What asks the cluster; nothing where none was named."""
    if context is None and namespace is None:
        yield None
        return
    with where.place(context, namespace or target.namespace) as place:
        yield partial(supply.look, place)


def _carry_out(found: Proposal, patch_file: Path | None) -> None:
    if patch_file and found.changes:
        made_files.write({patch_file: changes.patch(found.changes)})
    elif not patch_file:
        for change in found.changes:
            changes.write(change)


def _as_text(found: Proposal, patch_file: Path | None, *, is_refused: bool) -> None:
    if found.problems:
        report.show(found.problems)
    if is_refused:
        click.echo("nothing was written")
        return
    for change in found.changes:
        click.echo(f"{change.verb:<8} {report.printable(str(change.path))}")
    for field in found.kept:
        click.echo(f"stays    {report.printable(_named(field))}")
    for each in found.left:
        click.echo(
            f"left     {report.printable(f'{each.kind} {each.name}')}, which FROM has for itself"
        )
    if not found.changes:
        click.echo(f"nothing to do: TO/{PROMOTED} has all of it")
    elif patch_file:
        click.echo(f"wrote {report.printable(str(patch_file))}; `git apply` it")


def _as_json(found: Proposal, patch_file: Path | None, *, is_refused: bool) -> None:
    document: dict[str, Any] = json.loads(report.as_json(found.problems))
    written = [] if is_refused else found.changes
    document["changes"] = [{"file": str(each.path), "change": each.verb} for each in written]
    document["stays"] = [_named(each) for each in found.kept]
    document["left"] = [f"{each.kind} {each.name}" for each in found.left]
    document["patch"] = str(patch_file) if patch_file and written else None
    click.echo(json.dumps(document, indent=2))


def _named(field: Field) -> str:
    _group, kind, name = field.key
    return f"{kind} {name} {field_path(field.path)}"
