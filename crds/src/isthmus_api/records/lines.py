"""Lines: a text that comes in pieces, handed on in blocks that end where a line does."""

from typing import Final

from isthmus_api.records.errors import TooLarge

_MARK: Final = "\ufeff"


class Blocks:
    """Puts pieces together. What a block does not finish, `hold` keeps for the next one.

    What is held is not looked at again before there is twice as much, so that one record of many
    pieces costs no more than its length, again and again.
    """

    def __init__(self, ends: str, *, limit: int | None) -> None:
        """`ends` are the characters that end a line; `limit` is how much may be held."""
        self._ends = ends
        self._limit = limit
        self._pieces: list[str] = []
        self._length = 0
        self._wanted = 0
        self._begun = False
        self.line = 1
        """The line that the next block begins with."""

    def add(self, piece: str) -> str:
        """The next block, which may be empty."""
        if not self._begun and piece:
            self._begun = True
            piece = piece.removeprefix(_MARK)  # spreadsheets put it before the first name
        self._pieces.append(piece)
        self._length += len(piece)
        if self._length < self._wanted:
            return ""
        text = self.rest()
        # A return at the end may be half of the end of a line.
        end = max(text.rfind(mark, 0, len(text) - (mark == "\r")) for mark in self._ends) + 1
        self.hold(text[end:])
        return text[:end]

    def rest(self) -> str:
        """All that is held, which is held no more."""
        text = "".join(self._pieces)
        self._pieces, self._length, self._wanted = [], 0, 0
        return text

    def hold(self, text: str) -> None:
        """Keep a text in front of what is held."""
        self._pieces.insert(0, text)
        self._length += len(text)
        self._wanted = 2 * self._length
        if self._limit is None:
            return
        if self._length > self._limit:
            raise TooLarge(
                f"has a record of more than {self._limit} characters, which begins in line "
                f"{self.line}"
            )
        self._wanted = min(self._wanted, self._limit + 1)
