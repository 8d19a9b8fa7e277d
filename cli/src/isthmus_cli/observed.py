"""Observed: what a Route did with a test, as JSON, to hold one version of it against another. Pure.

Fields of HTTP that say nothing of what the Route is for are left out.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from isthmus_cli.route_differences import unlisted, value_of
from isthmus_runtime.http.messages import Header, Response
from isthmus_runtime.journal.entries import Memory, Settlement
from isthmus_runtime.testing import MadeCall

_OF_THE_WIRE: Final = frozenset({"content-length", "date", "traceparent", "tracestate"})


def answering(
    calls: Sequence[MadeCall], written: Sequence[Memory], response: Response
) -> dict[str, Any]:
    """What a Route did that answers."""
    return {
        **_around(calls, written),
        "status": response.status,
        "headers": _headers(response.headers),
        "body": value_of(response.body),
    }


def delivering(
    calls: Sequence[MadeCall], settlement: Settlement, fed: Sequence[str], result: Any
) -> dict[str, Any]:
    """What a Route did that delivers; `fed` are the Routes that get the result."""
    return {
        **_around(calls, settlement.memories),
        "state": str(settlement.state),
        "reason": settlement.reason,
        "feeds": list(fed),
        "result": result,
    }


def _around(calls: Sequence[MadeCall], written: Sequence[Memory]) -> dict[str, Any]:
    return {"calls": [_call(each) for each in calls], "entries": [_entry(each) for each in written]}


def _call(call: MadeCall) -> dict[str, Any]:
    return {
        "connector": call.connector,
        "method": call.method,
        "path": call.path,
        "query": unlisted(call.query),
        "headers": _headers(call.headers),
        "body": value_of(call.body),
    }


def _headers(headers: Iterable[Header]) -> dict[str, str]:
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    kept = {name for name, _ in fields} - _OF_THE_WIRE
    return {name: ", ".join(value for key, value in fields if key == name) for name in sorted(kept)}


def _entry(memory: Memory) -> dict[str, Any]:
    return {
        "store": memory.store,
        "key": memory.key,
        "reference": memory.reference,
        "value": value_of(memory.value),
    }
