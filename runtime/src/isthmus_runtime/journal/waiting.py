"""Waiting: how far the delivery of a Route is behind."""

from isthmus_runtime.journal.script import Script, query


def overdue(route: str) -> Script[float]:
    """Seconds since the message was due that is due the longest and waits; 0 where none does."""
    [[seconds]] = yield query(
        "SELECT @now - min(due_at) FROM queue WHERE route = $1 AND turn < 2", route
    )
    return max(0.0, seconds or 0.0)
