"""Answers: what the journal holds, as JSON for operators. Times are RFC 3339, in UTC."""

import json
from datetime import UTC, datetime
from typing import Any

from isthmus_runtime.desk.showing import Window
from isthmus_runtime.journal.desk import Audited, Group, Record, Standing
from isthmus_runtime.journal.searching import Attempt, Line

Fields = dict[str, Any]

WITHHELD = "what this Route masks is not known here; ask a pod of it, or give its folder"


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
    shown = window.body(record.body, record.content_type) if window else None
    return {
        **line(record.line),
        "contentType": record.content_type,
        "body": shown.value if shown else None,
        "bodyIs": shown.kind if shown else "withheld",
        **({} if shown else {"withheld": WITHHELD}),
        "edits": len(record.revisions),
    }


def record(found: Record, window: Window | None) -> Fields:
    """Everything about one message."""
    return {
        "message": with_body(found, window),
        "attempts": [_attempt(each, found, window) for each in found.attempts],
        "acts": [_act(each) for each in found.audit],
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


def moment(seconds: float) -> str:
    """A time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def _attempt(found: Attempt, of: Record, window: Window | None) -> Fields:
    journey = json.loads(found.journey) if found.journey else {}
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
        "journey": window.journey(journey, of.body, of.content_type) if window else journey,
    }


def _act(found: Audited) -> Fields:
    return {
        "at": moment(found.at),
        "action": found.action,
        "act": found.act,
        "who": found.who,
        "why": found.why,
        "before": json.loads(found.before),
        "after": json.loads(found.after),
    }
