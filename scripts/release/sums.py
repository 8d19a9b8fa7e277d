"""SHA256SUMS, as `sha256sum --check` reads it."""

import hashlib
from pathlib import Path

NAME = "SHA256SUMS"


def sha256(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(folder: Path) -> None:
    """Hash all files of a folder into its SHA256SUMS."""
    files = sorted(path for path in folder.iterdir() if path.name != NAME)
    (folder / NAME).write_text("".join(f"{sha256(path)}  {path.name}\n" for path in files), "utf-8")


def read(folder: Path) -> dict[str, str]:
    """The hash of each file, as its SHA256SUMS has it."""
    lines = (folder / NAME).read_text("utf-8").splitlines()
    return {name: value for value, _, name in (line.partition("  ") for line in lines)}
