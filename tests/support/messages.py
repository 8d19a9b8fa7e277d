"""Claimed messages, as a journal hands them out."""

from typing import Any

from isthmus_runtime.journal.entries import Message, new_uid


def message(body: bytes = b"{}", **changed: Any) -> Message:
    """A message on its first attempt, claimed as soon as it was accepted."""
    uid = new_uid()
    known: dict[str, Any] = {
        "route": "default/it",
        "uid": uid,
        "sequence": 1,
        "token": 1,
        "identity": uid,
        "body": body,
        "content_type": "application/json",
        "request": b"{}",
        "key": None,
        "version": None,
        "correlation_id": "c",
        "trace": "",
        "parent": None,
        "attempt": 1,
        "accepted_at": 1000.0,
        "claimed_at": 1000.0,
    }
    return Message(**{**known, **changed})
