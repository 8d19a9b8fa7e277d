"""isthmus mapping fmt: the expressions of manifests, laid out in one way."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from isthmus_api.problems import Code, Location, Problem
from isthmus_cli import folder, report
from isthmus_cli.mapping import rewriting
from isthmus_cli.mapping.rewriting import Rewritten

STDIN: Final = "-"
_BOM: Final = "\ufeff"


@click.command()
@click.argument("paths", metavar="PATH|-...", nargs=-1, required=True)
@click.option("--check", is_flag=True, help="Change nothing; end with 1 where something would be.")
def fmt(paths: tuple[str, ...], check: bool) -> None:
    """Lay out the expressions of Mappings and Routes, in folders or files of YAML.

    Nothing else in a file is touched: comments, order and quotes stay. Prints the names of the
    files that change; with - reads the standard input and prints what becomes of it. An expression
    that must stay as it is is named, with the reason. Ends with 1 where a manifest has errors.
    """
    if STDIN in paths:
        if len(paths) > 1:
            raise click.UsageError("- stands alone: it prints what it has read")
        sys.exit(_piped(check=check))
    results = [_file(path, check=check) for each in paths for path in _files(each)]
    sys.exit(max((code for code in results), default=0))


def _piped(*, check: bool) -> int:
    before = _decoded(sys.stdin.buffer.read(), "<stdin>")
    if isinstance(before, Problem):
        report.show([before], err=True)
        return 1
    found = rewriting.rewritten(before, "<stdin>")
    _tell(found)
    if check:
        return int(bool(found.problems) or found.text != before)
    click.echo(found.text, nl=False)
    return int(bool(found.problems))


def _files(path: str) -> Iterator[Path]:
    for found in folder.files(Path(path)):
        if isinstance(found, Problem):
            raise click.UsageError(f"{found.location}: {found.message}; {found.hint}")
        yield found


def _file(path: Path, *, check: bool) -> int:
    raw = folder.read(path)
    if isinstance(raw, bytes) and folder.is_openapi(raw):
        return 0
    before = raw if isinstance(raw, Problem) else _decoded(raw, str(path))
    if isinstance(before, Problem):
        report.show([before], err=True)
        return 1
    mark = _BOM if before.startswith(_BOM) else ""
    found = rewriting.rewritten(before.removeprefix(_BOM), str(path))
    _tell(found)
    is_changed = mark + found.text != before
    if is_changed:
        click.echo(str(path))
        if not check:
            _replace(path, (mark + found.text).encode())
    return int(bool(found.problems) or (check and is_changed))


def _decoded(raw: bytes, name: str) -> str | Problem:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"this is not UTF-8, from byte {error.start} on"
        return Problem(Code.UNREADABLE, message, hint="save it as UTF-8", location=Location(name))


def _tell(found: Rewritten) -> None:
    if found.problems:
        report.show(found.problems, err=True)
    for each in found.left:
        click.echo(
            f"{report.printable(str(each.location))}: left as it is: {each.reason}", err=True
        )


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that there is always a whole one, with the rights that it has."""
    target = path.resolve()
    try:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(name, target.stat().st_mode & 0o7777)
        os.replace(name, target)
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}") from error
