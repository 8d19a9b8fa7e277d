"""Local journal: where the messages of `isthmus run` are kept, beside the manifests they are of."""

from pathlib import Path
from typing import Final

FILE: Final = Path(".isthmus/journal.db")
"""Below the folder that is served."""

_SCHEMES: Final = ("sqlite:", "postgresql:", "postgres:")


def address(folder: Path, given: str | None) -> str:
    """The journal's address: what `--journal` gives, a file's name included, or our own place."""
    if given is None:
        return f"sqlite:{_served(folder) / FILE}"
    return given if given.startswith(_SCHEMES) else f"sqlite:{given}"


def keep_out_of_git(folder: Path) -> None:
    """Make our own place, and have it ignored: messages are no manifests."""
    place = (_served(folder) / FILE).parent
    place.mkdir(exist_ok=True)
    ignore = place / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")


def _served(path: Path) -> Path:
    return path if path.is_dir() else path.parent
