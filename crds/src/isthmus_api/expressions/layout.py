"""Layout: text that may be broken into lines, and how much of it fits.

After Philip Wadler, "A prettier printer" (1998): a document is text with places where a line may
end. A group is written on one line when it fits; otherwise all its own places end a line, and each
group inside is asked again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class Text:
    """Text as it is; with a line feed inside, everything around it is broken."""

    text: str
    breaks: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "breaks", "\n" in self.text)


@dataclass(frozen=True, slots=True)
class Line:
    """A place where a line may end, which is `flat` where it does not.

    `breaks` says that it must, and with it all groups around. `is_blank` leaves a line empty.
    """

    flat: str = ""
    breaks: bool = False
    is_blank: bool = False


@dataclass(frozen=True, slots=True)
class Seq:
    """Documents one after the other."""

    parts: tuple[Doc, ...]
    breaks: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "breaks", any(each.breaks for each in self.parts))


@dataclass(frozen=True, slots=True)
class Indent:
    """A document whose lines stand further to the right."""

    doc: Doc

    @property
    def breaks(self) -> bool:
        return self.doc.breaks


@dataclass(frozen=True, slots=True)
class Group:
    """A document that is on one line, or broken at all of its own places."""

    doc: Doc

    @property
    def breaks(self) -> bool:
        return self.doc.breaks


@dataclass(frozen=True, slots=True)
class Broken:
    """Nothing, but everything around it is broken."""

    breaks: bool = True


Doc = Text | Line | Seq | Indent | Group | Broken
_Piece = tuple[int, bool, Doc]
"""A document with its depth, and whether its own places end lines."""

SPACE: Final = Line(" ")
EMPTY: Final = Line()
HARD: Final = Line(breaks=True)
BLANK: Final = Line(breaks=True, is_blank=True)
BROKEN: Final = Broken()


def seq(*parts: Doc | str) -> Seq:
    """Documents one after the other; strings are texts."""
    return Seq(tuple(Text(each) if isinstance(each, str) else each for each in parts))


def group(*parts: Doc | str) -> Group:
    """A group of documents."""
    return Group(seq(*parts))


def indent(*parts: Doc | str) -> Indent:
    """Documents that stand further to the right."""
    return Indent(seq(*parts))


def written(doc: Doc, width: int) -> str:
    """The document in lines of at most `width` characters, as far as its places allow."""
    out: list[str] = []
    ahead: list[_Piece] = [(0, True, doc)]
    column = 0
    while ahead:
        depth, is_broken, each = ahead.pop()
        match each:
            case Text(text):
                out.append(text)
                last = text.rpartition("\n")
                column = len(last[2]) if last[1] else column + len(text)
            case Line(flat) if not is_broken:
                out.append(flat)
                column += len(flat)
            case Line():
                out.append(("\n\n" if each.is_blank else "\n") + INDENT * depth)
                column = len(INDENT) * depth
            case Group(inner):
                broken = inner.breaks or not _fits(width - column, (depth, False, inner), ahead)
                ahead.append((depth, broken, inner))
            case Seq() | Indent():
                ahead += _unpacked(each, depth, is_broken)
            case Broken():
                pass
    return "\n".join(line.rstrip(" ") for line in "".join(out).split("\n"))


def _unpacked(doc: Seq | Indent, depth: int, is_broken: bool) -> list[_Piece]:
    """What a document is made of, the last of it first."""
    if isinstance(doc, Indent):
        return [(depth + 1, is_broken, doc.doc)]
    return [(depth, is_broken, part) for part in reversed(doc.parts)]


def _fits(left: int, first: _Piece, rest: list[_Piece]) -> bool:
    """Whether `first`, and what follows it up to the next end of a line, has room.

    A group that follows may still be broken, so the first place in it counts as an end.
    """
    ahead, behind = [first], len(rest)
    while left >= 0:
        if not ahead:
            if not behind:
                return True
            behind -= 1
            ahead.append(rest[behind])
        depth, is_broken, doc = ahead.pop()
        match doc:
            case Text(text):
                left -= len(text.partition("\n")[0])
                if "\n" in text:
                    return left >= 0
            case Line(flat) if not is_broken:
                left -= len(flat)
            case Line():
                return True
            case Group(inner):
                ahead.append((depth, is_broken, inner))
            case Seq() | Indent():
                ahead += _unpacked(doc, depth, is_broken)
            case Broken():
                pass
    return False
