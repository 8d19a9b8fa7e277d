"""Identity: what tells content apart, however often it comes.

Targets get it as their idempotency key, so it must not follow from how a message came: the same
webhook sent three times, or the same record found by two polls, has one identity.
"""

import hashlib
from collections.abc import Iterable


def of_content(route: str, key: str, content: bytes) -> str:
    """The identity of what a Route knows as `key` in this version, or with this content."""
    return _digest(route.encode(), key.encode(), content)


def of_fed(route: str, parent: str) -> str:
    """The identity of a message that another one fed to a Route, where that names no key."""
    return _digest(route.encode(), parent.encode())


def of_batch(identities: Iterable[str], before: str = "") -> str:
    """The identity of messages that go together, in this order. `before` is that of a batch that
    the target has answered, of which these are left: another call than the one before."""
    return _digest(before.encode(), *(each.encode() for each in identities))


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:  # with their lengths, so that no two lists of parts run into the same text
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.hexdigest()[:32]
