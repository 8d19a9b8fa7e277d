"""Files that a command makes: all of them are written, or none; nothing is overwritten unasked."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from isthmus_cli import report


def refuse_present(paths: Iterable[Path], hint: str) -> None:
    """End with a wrong use where one is there already; `hint` says what to do then."""
    present = [report.printable(str(path)) for path in paths if path.is_symlink() or path.exists()]
    if present:
        verb = "is" if len(present) == 1 else "are"
        raise click.UsageError(f"{', '.join(present)} {verb} there already; {hint}")


def write(files: Mapping[Path, str]) -> None:
    """Write all files and the folders around them."""
    for path, content in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8", newline="\n")
        except OSError as error:
            raise click.UsageError(f"{path} cannot be written: {error.strerror}") from error
