"""isthmus diff: what a change does, before it is made."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

import click

from isthmus_api.problems import errors
from isthmus_api.resources import Resources
from isthmus_cli import folder, options, report
from isthmus_cli.cluster import options as where
from isthmus_cli.diffs import findings, revisions, samples, sides, writing
from isthmus_cli.diffs.revisions import NoRevision
from isthmus_cli.diffs.sides import Once, Side, Sides
from isthmus_cli.folder import Loaded

_DIFFERENT: Final = 1
_ERROR: Final = 2

Output = Literal["text", "markdown", "json"]


@click.command()
@options.folder
@click.option(
    "--from",
    "revision",
    metavar="REV",
    help="Compare with DIR at this revision of git, such as main; without it, with the cluster.",
)
@click.option(
    "--samples",
    "sampled",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Messages to put through both: DIR/MAPPING/*.json, or *.jsonl of `messages export`.",
)
@click.option(
    "--prune", is_flag=True, help="What the cluster has and DIR does not is taken to be removed."
)
@click.option(
    "-n",
    "--namespace",
    metavar="NAMESPACE",
    help="Namespace of objects that name none; that of the kubeconfig's context by default, with "
    "--from `default`.",
)
@where.context
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="How it is written; markdown is for a merge request.",
)
def diff(
    path: Path,
    revision: str | None,
    sampled: Path | None,
    prune: bool,
    namespace: str | None,
    context: str | None,
    output: Output,
) -> None:
    """Tell what the manifests in DIR change.

    Which objects differ, which Routes restart and why, what becomes of the capacity, and what the
    tests of Mappings and Routes, and sample messages, come to before and after. Ends with 0 when
    nothing differs, with 1 when something does, with 2 when it cannot be told.
    """
    if revision is not None and (prune or context):
        raise click.UsageError("--prune and --context are about a cluster, --from about git")
    once = Once()
    loaded = folder.load(path, once)
    options.refuse_empty(loaded, path)
    if wrong := errors(loaded.problems):
        report.show(wrong, err=True, objects=loaded.objects, others=loaded.others)
        sys.exit(_ERROR)
    if revision is not None:
        both = _of_revision(path, revision, loaded, namespace or "default", once)
    else:
        both = _of_cluster(loaded, context, namespace, prune=prune)
    messages = list(samples.read(sampled, both)) if sampled else []
    found = findings.found(both, messages, now=time.time_ns() // 1_000_000)
    title = f"What changes from {revision or 'the cluster'}"
    write: dict[Output, Callable[[], str]] = {
        "text": lambda: writing.as_text(found),
        "markdown": lambda: writing.as_markdown(found, title=title),
        "json": lambda: writing.as_json(found),
    }
    click.echo(write[output]())
    sys.exit(0 if found.is_same else _DIFFERENT)


def _of_revision(path: Path, revision: str, loaded: Loaded, namespace: str, once: Once) -> Sides:
    try:
        with revisions.checked_out(path, revision) as root:
            at = root if path.is_dir() else root / path.name
            was = folder.load(at, once) if at.exists() else Loaded(Resources({}))
    except NoRevision as error:
        click.echo(f"isthmus: {error}", err=True)
        sys.exit(_ERROR)
    _tell_unreadable(was, f"at {revision}")
    return Sides(Side.of(was, namespace), Side.of(loaded, namespace))


def _of_cluster(
    loaded: Loaded, context: str | None, namespace: str | None, *, prune: bool
) -> Sides:
    with where.place(context, namespace) as place:
        from isthmus_cli.diffs import live

        own = Side.of(loaded, place.namespace)
        namespaces = {key.namespace for key in own.resources.by_key}
        was = live.load(place.api, namespaces)
    _tell_unreadable(was, "in the cluster")
    # Rows of tables are not read from a cluster: those of the folder stand for both.
    old = Side(was.resources, loaded.config_maps)
    after = sides.applied(old, own)
    return Sides(old, sides.pruned(after, own) if prune else after)


def _tell_unreadable(was: Loaded, place: str) -> None:
    """What cannot be read is as good as not there: the change may be what mends it."""
    for problem in was.problems:
        about = problem.subject or (problem.location and problem.location.file) or ""
        click.echo(
            f"isthmus: {place} {about} cannot be read, and is taken as not there: "
            f"{problem.field} {problem.message}",
            err=True,
        )
