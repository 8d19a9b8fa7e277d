"""Trail: what was taken of a document, so that who reads it again goes on where it ended.

It holds a count and a digest, whatever the document is like.
"""

from collections.abc import Sequence
from hashlib import blake2b

from isthmus_runtime.journal.entries import Draft


class Changed(Exception):
    """The document is not the one that was read before, as far as that was read."""


class Trail:
    """The records of one document, read once or several times."""

    def __init__(self) -> None:
        self.taken = 0
        self._digest = blake2b(digest_size=16)
        self._seen = 0
        self._again = blake2b(digest_size=16)

    def begin(self) -> None:
        """The document is read from its beginning."""
        self._seen = 0
        self._again = blake2b(digest_size=16)

    def beyond(self, drafts: Sequence[Draft]) -> Sequence[Draft]:
        """Those of the next records that were not taken yet, and are now; raise `Changed`."""
        known = drafts[: self.taken - self._seen] if self._seen < self.taken else ()
        for draft in known:
            _add(self._again, draft)
        self._seen += len(known)
        if known and self._seen == self.taken:
            self._compare()
        news = drafts[len(known) :]
        for draft in news:
            _add(self._digest, draft)
        self.taken += len(news)
        self._seen += len(news)
        return news

    def end(self) -> None:
        """The document is over; raise `Changed` where there were more records before."""
        if self._seen < self.taken:
            raise Changed

    def _compare(self) -> None:
        if self._again.digest() != self._digest.digest():
            raise Changed


def _add(digest: "blake2b", draft: Draft) -> None:
    digest.update(b"%d:" % len(draft.body))
    digest.update(draft.body)
