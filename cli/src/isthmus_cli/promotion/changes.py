"""Changes of files: written, or shown as a patch that `git apply` takes."""

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
"""As git has it: no other character ends a line."""


@dataclass(frozen=True, slots=True)
class Change:
    """A file as it was and as it will be; None where there is none."""

    path: Path
    before: str | None
    after: str | None

    @property
    def verb(self) -> str:
        """What happens to the file."""
        if self.before is None:
            return "new"
        return "removed" if self.after is None else "changed"


def between(before: Mapping[Path, str], after: Mapping[Path, str]) -> list[Change]:
    """What is to be done to files, by path."""
    paths = sorted(before.keys() | after.keys())
    made = (Change(path, before.get(path), after.get(path)) for path in paths)
    return [change for change in made if change.before != change.after]


def write(change: Change) -> None:
    """Do it."""
    if change.after is None:
        change.path.unlink()
        return
    change.path.parent.mkdir(parents=True, exist_ok=True)
    change.path.write_text(change.after, "utf-8", newline="\n")


def patch(changes: list[Change]) -> str:
    """A unified diff, with paths from the present folder."""
    return "".join(line for change in changes for line in _lines(change))


def _lines(change: Change) -> Iterator[str]:
    name = Path(os.path.relpath(change.path)).as_posix()
    yield f"diff --git a/{name} b/{name}\n"
    if change.before is None:
        yield "new file mode 100644\n"
    if change.after is None:
        yield "deleted file mode 100644\n"
    differences = difflib.unified_diff(
        _LINE.findall(change.before or ""),
        _LINE.findall(change.after or ""),
        "/dev/null" if change.before is None else f"a/{name}",
        "/dev/null" if change.after is None else f"b/{name}",
    )
    for line in differences:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
