"""Known: what a poll has accepted already, so that it is not accepted again in the next run.

The journal decides what is no news; this spares asking it. It is forgotten with the process, or
with the Route as it is now.
"""

from collections.abc import Sequence
from typing import Final

from isthmus_runtime.journal.entries import Draft

MOST: Final = 100_000
"""Keys that are remembered; the one that was not seen for longest goes first."""


class Known:
    """The identity that was accepted last for each key."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._identities: dict[int, int] = {}

    def news(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Those that are not what was accepted last for their key."""
        return [draft for draft in drafts if not self._is_known(draft)]

    def note(self, drafts: Sequence[Draft]) -> None:
        """These are in the journal."""
        for draft in drafts:
            if draft.once and draft.key is not None:
                self._put(hash(draft.key), hash(draft.identity))

    def _is_known(self, draft: Draft) -> bool:
        if not draft.once or draft.key is None:
            return False
        key = hash(draft.key)
        known = self._identities.get(key)
        if known != hash(draft.identity):
            return False
        self._put(key, known)
        return True

    def _put(self, key: int, identity: int) -> None:
        self._identities.pop(key, None)
        self._identities[key] = identity
        if len(self._identities) > self._most:
            del self._identities[next(iter(self._identities))]
