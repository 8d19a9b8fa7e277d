"""Answers: what the journal holds, as JSON for operators. Times are RFC 3339, in UTC."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from isthmus_runtime.desk.showing import Window
from isthmus_runtime.journal.desk import Audited, Group, Record, Standing
from isthmus_runtime.journal.entries import Draft, Memory
from isthmus_runtime.journal.findings import Attempt, Line

Fields = dict[str, Any]

LARGEST: Final = 1_048_576
"""Bytes of a body that are shown: this runs beside a Route, in its memory."""
TOO_LARGE: Final = f"a body of more than {LARGEST} bytes is not shown"
WITHHELD: Final = "what this Route masks is not known here; ask a pod of it, or give its folder"


def line(found: Line) -> Fields:
    """A message in a list."""
    return {
        "id": found.uid,
        "route": found.route,
        "state": found.state.value,
        "reason": found.reason,
        "detail": found.detail,
        "group": found.group,
        "key": found.key,
        "version": found.version,
        "identity": found.identity,
        "acceptedAt": moment(found.accepted_at),
        "since": moment(found.changed_at),
        "attempts": found.attempts,
        "holds": found.holds,
        "dueInSeconds": None if found.due_in is None else max(0.0, round(found.due_in, 3)),
        "size": found.size,
        "correlationId": found.correlation_id,
        "parent": found.parent,
    }


def with_body(record: Record, window: Window | None) -> Fields:
    """A message with its body; without a window it is withheld."""
    return {
        **line(record.line),
        **_body(record.body, record.content_type, window),
        "edits": len(record.revisions),
    }


def draft(found: Draft, window: Window | None) -> Fields:
    """A message that is not accepted yet."""
    return {
        "route": found.route,
        "key": found.key,
        "version": found.version,
        "size": len(found.body),
        **_body(found.body, found.content_type, window),
    }


def _body(body: bytes, content_type: str, window: Window | None) -> Fields:
    why = WITHHELD if window is None else TOO_LARGE if len(body) > LARGEST else ""
    shown = window.body(body, content_type) if window and not why else None
    return {
        "contentType": content_type,
        "body": shown.value if shown else None,
        "bodyIs": shown.kind if shown else "withheld",
        **({"withheld": why} if why else {}),
    }


def record(found: Record, window: Window | None) -> Fields:
    """Everything about one message."""
    return {
        "message": with_body(found, window),
        "attempts": [_attempt(each, found, window) for each in found.attempts],
        "acts": [act(each) for each in found.audit],
        "cameFrom": [line(each) for each in found.ancestors],
        "ledTo": [line(each) for each in found.descendants],
        "correlated": [line(each) for each in found.correlated],
    }


def group(found: Group) -> Fields:
    """Failures of one cause."""
    return {
        "group": found.group,
        "route": found.route,
        "state": found.state.value,
        "reason": found.reason,
        "messages": found.count,
        "oldest": moment(found.first_at),
        "newest": moment(found.last_at),
        "sample": found.sample,
        "detail": found.detail,
    }


def standing(found: Standing) -> Fields:
    """How many messages of a Route are in a state."""
    return {"route": found.route, "state": found.state.value, "messages": found.count}


def memory(found: Memory) -> Fields:
    """A value of a store."""
    return {
        "store": found.store,
        "key": found.key,
        "reference": found.reference,
        "value": json.loads(found.value),
        "ttlInSeconds": None if found.ttl is None else round(found.ttl, 3),
    }


def moment(seconds: float) -> str:
    """A time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _attempt(found: Attempt, of: Record, window: Window | None) -> Fields:
    journey = json.loads(found.journey) if found.journey else {}
    body = of.body if len(of.body) <= LARGEST else b""
    took = None if found.claimed_at is None else round(found.ended_at - found.claimed_at, 3)
    return {
        "attempt": found.number,
        "endedAt": moment(found.ended_at),
        "seconds": took,
        "state": found.state.value,
        "reason": found.reason,
        "detail": found.detail,
        "group": found.group,
        "owner": found.owner,
        "journey": window.journey(journey, body, of.content_type) if window else journey,
    }


def act(found: Audited) -> Fields:
    """What somebody did to a message."""
    return {
        "at": moment(found.at),
        "action": found.action,
        "id": found.uid,
        "route": found.route,
        "act": found.act,
        "who": found.who,
        "why": found.why,
        "before": json.loads(found.before),
        "after": json.loads(found.after),
    }
