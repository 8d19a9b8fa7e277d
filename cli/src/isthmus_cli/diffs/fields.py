"""Fields: where two JSON values differ, as deep inside them as can be. Pure.

Items of lists are told apart by what they are, not by where they stand: a step that is put before
another one is one change, and not a change of every step behind it.
"""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from isthmus_api.comparison import NOTHING, ROOT, as_json, member, same, shown

_CONTEXT_LINES: Final = 2


@dataclass(frozen=True, slots=True)
class Change:
    """One place that differs; a side that has no value there is `NOTHING`."""

    path: str
    old: Any
    new: Any

    def plain(self) -> dict[str, Any]:
        """As JSON has it; a side that has no value is left out."""
        sides = {"old": self.old, "new": self.new}
        return {"path": self.path} | {
            name: value for name, value in sides.items() if value is not NOTHING
        }

    def __str__(self) -> str:
        old, new = shown(self.old, self.new)
        if self.old is NOTHING:
            return f"{self.path}: added {new}"
        if self.new is NOTHING:
            return f"{self.path}: removed {old}"
        return f"{self.path}: {old} → {new}"

    @property
    def lines(self) -> list[str]:
        """The lines that differ, as a patch has them, of two texts of several lines; else none."""
        sides = (self.old, self.new)
        if not all(isinstance(each, str) for each in sides) or "\n" not in self.old + self.new:
            return []
        old, new = (each.splitlines() for each in sides)
        patch = difflib.unified_diff(old, new, lineterm="", n=_CONTEXT_LINES)
        return [line for line in patch if not line.startswith(("---", "+++", "@@"))]


def changes(old: Any, new: Any, path: str = ROOT) -> Iterator[Change]:
    """Where two JSON values differ; `path` is where they stand."""
    match old, new:
        case dict(), dict():
            for key in {**old, **new}:
                place = member(path, key)
                yield from changes(old.get(key, NOTHING), new.get(key, NOTHING), place)
        case list(), list():
            yield from _of_lists(old, new, path)
        case _:
            if not same(old, new):
                yield Change(path, old, new)


def _of_lists(old: Sequence[Any], new: Sequence[Any], path: str) -> Iterator[Change]:
    """An item that is only here has its place in the old list, one that is only there in the new
    one; as many as there are on both sides between two that are alike are held side by side."""
    before, after = ([as_json(each) for each in side] for side in (old, new))
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for what, i, last, j, end in matcher.get_opcodes():
        if what == "equal":
            continue
        both = min(last - i, end - j)
        for at in range(both):
            yield from changes(old[i + at], new[j + at], f"{path}[{j + at}]")
        for at in range(i + both, last):
            yield Change(f"{path}[{at}]", old[at], NOTHING)
        for at in range(j + both, end):
            yield Change(f"{path}[{at}]", NOTHING, new[at])
