"""isthmus init: a new repository of integrations."""

import re
import shlex
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Final

import click

from isthmus_cli import made_files, report
from isthmus_cli.repository import layout
from isthmus_cli.repository.layout import CHANGE, Wishes

_NAME: Final = re.compile(r"[a-z]([-a-z0-9]{0,48}[a-z0-9])?")
"""Namespaces are named after it, with the name of an environment behind."""
_WORD: Final = re.compile(r"[^\s\"'\\]+")


def _fits(pattern: re.Pattern[str], wanted: str) -> Callable[..., str | None]:
    def callback(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
        if given is not None and not pattern.fullmatch(given):
            raise click.BadParameter(f"{given!r}: write {wanted}")
        return given

    return callback


_name = _fits(_NAME, "small letters, digits and '-', a letter first, at most 50 characters")
_word = _fits(_WORD, "it without white space, quotes and backslashes")


@click.command()
@click.argument("path", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--name",
    callback=_name,
    help="What namespaces and Applications are named after; the name of the folder by default.",
)
@click.option(
    "--ci",
    type=click.Choice(layout.CIS),
    default="github",
    show_default=True,
    help="Whose CI checks every change.",
)
@click.option(
    "--gitops",
    type=click.Choice(layout.GITOPS),
    default="both",
    show_default=True,
    help="What follows the repository and applies it.",
)
@click.option(
    "--repo-url",
    metavar="URL",
    callback=_word,
    help="Where Argo CD and Flux find this repository.",
)
@click.option(
    "--branch",
    default="main",
    show_default=True,
    callback=_word,
    help="The branch that CI, Argo CD and Flux follow.",
)
@click.option(
    "--isthmus-repository",
    metavar="URL",
    default=f"https://git.example.com/{CHANGE}/isthmus.git",
    callback=_word,
    help="Where CI finds Isthmus, to install this command.",
)
@click.option(
    "--isthmus-version",
    metavar="TAG",
    callback=_word,
    help="Tag or branch that CI takes of it; the tag of this version by default.",
)
@click.option(
    "--ci-image",
    metavar="IMAGE",
    default=f"{CHANGE}:latest",
    callback=_word,
    help="Image for GitLab's job, with Python 3.11 or newer, git, make and kubectl.",
)
def init(path: Path, name: str | None, ci: str, gitops: str, **words: str | None) -> None:
    """Write a new repository of integrations into DIR.

    It has an example with tests, overlays for test and production, a workflow for CI, what tells
    Argo CD and Flux to follow it, and hooks for pre-commit. It passes `isthmus lint` and
    `isthmus test`, and `isthmus run` serves it. Nothing that is there is overwritten. What only
    you can know is CHANGE-ME unless an option says it.
    """
    called = name or _named(path)
    wishes = Wishes(ci, gitops, {**_known(called), **_said(words), "name": called})
    made = layout.files(wishes)
    at = {path / part: content for part, content in made.items()}
    made_files.refuse_present(at, "nothing was written; name another folder, or move them away")
    made_files.write(at)
    for part in layout.EXECUTABLE:
        (path / part).chmod(0o755)
    for file in at:
        click.echo(f"wrote {report.printable(str(file))}")
    click.echo("\n".join(_next(path, layout.unfinished(made))))


def _named(path: Path) -> str:
    name = path.resolve().name
    if not _NAME.fullmatch(name):
        raise click.UsageError(f"{name!r} cannot name namespaces; write --name")
    return name


def _known(name: str) -> dict[str, str]:
    return {
        "repo_url": f"https://git.example.com/{CHANGE}/{name}.git",
        "isthmus_version": f"v{metadata.version('isthmus')}",
    }


def _said(words: dict[str, str | None]) -> dict[str, str]:
    return {word: said for word, said in words.items() if said is not None}


def _next(path: Path, unfinished: Iterable[str]) -> list[str]:
    """What to do now."""
    return [
        "",
        "Next:",
        f"  cd {shlex.quote(str(path))} && git init",
        "  isthmus run integrations --watch --secrets integrations/local/secrets.env",
        "  curl 'http://127.0.0.1:8080/availability?sku=CH-1'",
        "  scripts/check",
        f"  replace {CHANGE} in: {', '.join(unfinished)}",
        "README.md tells how it comes to a cluster.",
    ]
