"""Revisions: a folder as it was at a revision of git.

The program git is asked, for it knows all that a repository may be. Blobs are read as they are
stored: no filter of the repository is run, and no file of the working tree is touched.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from isthmus_cli import folder

_LINK: Final = b"120000"
_BLOB: Final = b"blob"


class NoRevision(Exception):
    """The state of a folder at a revision cannot be read; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: bytes
    name: bytes
    path: PurePosixPath
    """Below the folder."""


@contextmanager
def checked_out(path: Path, revision: str) -> Iterator[Path]:
    """A folder, or a file, as it was; empty where the revision does not have it."""
    place = path if path.is_dir() else path.parent
    commit = _commit(place, revision)
    with tempfile.TemporaryDirectory(prefix="isthmus-diff-") as made:
        root = Path(made)
        _write(root, place, _entries(place, commit, path))
        yield root


def _commit(place: Path, revision: str) -> str:
    """The hash of a revision, so that no other text reaches a command."""
    _git(place, "rev-parse", "--git-dir")
    try:
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        return _git(place, *asked).decode().strip()
    except NoRevision as error:
        raise NoRevision(
            f"--from: the repository of {place} has no revision {revision}; in a shallow clone "
            f"fetch it first, such as with `git fetch origin {revision}`"
        ) from error


def _entries(place: Path, commit: str, path: Path) -> list[_Entry]:
    """The files that could hold manifests."""
    only = () if path.is_dir() else ("--", path.name)
    listed = _git(place, "ls-tree", "-r", "-z", commit, *only)
    found = []
    for line in filter(None, listed.split(b"\0")):
        described, _, name = line.partition(b"\t")
        mode, kind, blob = described.split()
        below = PurePosixPath(os.fsdecode(name))
        if kind == _BLOB and (not path.is_dir() or _may_be_read(below) or mode == _LINK):
            found.append(_Entry(mode, blob, below))
    return found


def _may_be_read(path: PurePosixPath) -> bool:
    return path.suffix.lower() in folder.SUFFIXES


def _write(root: Path, place: Path, entries: Sequence[_Entry]) -> None:
    asked = b"".join(each.name + b"\n" for each in entries)
    answered = _git(place, "cat-file", "--batch", given=asked)
    at = 0
    for each in entries:
        end = answered.index(b"\n", at)
        size = int(answered[at:end].split()[-1])
        content = answered[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
        file = root / each.path
        file.parent.mkdir(parents=True, exist_ok=True)
        if each.mode != _LINK:
            file.write_bytes(content)
        elif _stays_inside(each.path, content):
            file.symlink_to(os.fsdecode(content))


def _stays_inside(link: PurePosixPath, target: bytes) -> bool:
    """Whether a link leads to something below the folder; where else it leads is not history."""
    aim = os.path.normpath(link.parent / os.fsdecode(target))
    return not os.path.isabs(aim) and not aim.startswith(os.pardir)


def _git(place: Path, *arguments: str, given: bytes = b"") -> bytes:
    program = shutil.which("git")
    if program is None:
        raise NoRevision("--from needs the program git, which is not on the PATH")
    ended = subprocess.run(  # noqa: S603 (what is asked has no text of others but a checked revision)
        [program, "-C", str(place), *arguments], input=given, capture_output=True, check=False
    )
    if ended.returncode:
        said = ended.stderr.decode("utf-8", "replace").strip().removeprefix("fatal: ")
        raise NoRevision(f"--from: git cannot tell what {place} was: {said}")
    return ended.stdout
