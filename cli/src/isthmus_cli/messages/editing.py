"""Editing: another body for a message, from the user's editor or from a file."""

import json
from pathlib import Path
from typing import Any

import click

from isthmus_cli.messages.office import Answer, Refused


def in_editor(message: Answer) -> str | None:
    """What the user makes of a message's body; None when nothing was changed.

    What is masked is shown as `***` and stays what it is, as long as that is left there.
    """
    kind = message["bodyIs"]
    if kind == "withheld":
        raise Refused(f"the body cannot be edited: {message['withheld']}")
    if kind == "base64":
        raise Refused("the body cannot be edited: it is no text; --body takes a file")
    shown = _pretty(message["body"]) if kind == "json" else message["body"]
    edited = click.edit(shown, extension=".json" if kind == "json" else ".txt")
    if edited is None or edited.rstrip("\n") == shown.rstrip("\n"):
        return None
    return _checked(edited.rstrip("\n"), kind, place="what you wrote")


def of_file(file: Path, message: Answer) -> str:
    """The body that a file holds."""
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(f"{file} is not UTF-8") from error
    return _checked(text, message["bodyIs"], place=str(file))


def _checked(text: str, kind: str, *, place: str) -> str:
    if kind != "json":
        return text
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise Refused(
            f"{place} is no JSON: {error.msg}, in line {error.lineno}, column {error.colno}"
        ) from error
    return text


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
