"""JSON Lines: one JSON value in each line; empty lines are left out."""

from collections.abc import Iterator

from isthmus_api import json_text
from isthmus_api.json_text import Decoded
from isthmus_api.records.errors import Unreadable
from isthmus_api.records.lines import Blocks


class JsonLines:
    """Values, with large integers as `json_text` has them."""

    def __init__(self, *, limit: int | None = None) -> None:
        """`limit` is how many characters a line may have."""
        self._blocks = Blocks("\n", limit=limit)

    def feed(self, text: str) -> Iterator[Decoded]:
        """What is whole with the next piece of text; to be read to its end."""
        return self._records(text)

    def end(self) -> Iterator[Decoded]:
        """What is whole as nothing follows."""
        return self._records(None)

    def _records(self, piece: str | None) -> Iterator[Decoded]:
        block = self._blocks.rest() if piece is None else self._blocks.add(piece)
        *lines, last = block.split("\n")
        for line in (*lines, *([last] if last else [])):
            text = line.strip(" \t\r")
            if text:
                yield self._decoded(text)
            self._blocks.line += 1

    def _decoded(self, text: str) -> Decoded:
        try:
            return json_text.decode(text.encode())
        except json_text.InvalidJson as error:
            raise Unreadable(
                f"is no JSON in line {self._blocks.line}: {error.message} (column {error.column})"
            ) from None
