"""OpenAPI documents in files."""

import sys
from pathlib import Path

import click

from isthmus_api.contracts import document
from isthmus_api.contracts.document import OpenApi, Unreadable
from isthmus_api.contracts.operations import Directory
from isthmus_api.problems import Code, Location, Problem
from isthmus_cli import options, report


def directory(path: Path) -> Directory:
    """The operations of a file; ends the program with 2 when it cannot be read."""
    return Directory(read(path))


def read(path: Path) -> OpenApi:
    """The document in a file; ends the program with 2 when it cannot be read."""
    found = parsed(path)
    if isinstance(found, OpenApi):
        return found
    click.echo(report.as_text(found), err=True)
    sys.exit(options.WRONG_USE)


def parsed(path: Path) -> OpenApi | Problem:
    """The document in a file, or what is wrong with it."""
    try:
        with path.open("rb") as file:
            text = file.read(document.MAX_BYTES + 1)
    except OSError as error:
        said = (error.strerror or "it cannot be read").lower()
        return Problem(Code.CONTRACT_UNREADABLE, said, location=Location(str(path)))
    try:
        return document.read(text, name=str(path))
    except Unreadable as fault:
        place = Location(str(path), fault.line, fault.column)
        return Problem(Code.CONTRACT_UNREADABLE, fault.message, hint=fault.hint, location=place)
