"""Tally: what is counted and logged of the messages of one Route."""

from collections.abc import Sequence

from isthmus_runtime import logs, metrics
from isthmus_runtime.journal.entries import Message, Settlement, State

_AS_IT_SHOULD = frozenset({State.FINISHED, State.SKIPPED})


class Tally:
    """Counts for one Route, and writes a line for each attempt.

    Keys may be personal, so no line has one; the uid and the correlation id lead to the message.
    """

    def __init__(self, namespace: str, name: str) -> None:
        self._labels = (namespace, name)
        self._route = f"{namespace}/{name}"
        self._in_flight = metrics.MESSAGES_IN_FLIGHT.labels(namespace, name)
        self._seconds = metrics.ATTEMPT_SECONDS.labels(namespace, name)
        self._lag = metrics.DELIVERY_LAG_SECONDS.labels(namespace, name)

    def begin(self, messages: Sequence[Message]) -> None:
        """An attempt begins."""
        self._in_flight.inc(len(messages))

    def end(self, messages: Sequence[Message]) -> None:
        """An attempt is over, whatever became of it."""
        self._in_flight.inc(-len(messages))

    def settled(self, settlement: Settlement, seconds: float, *, is_written: bool) -> None:
        """How a message was settled, by an attempt that took so long."""
        self._seconds.observe(seconds)
        message = settlement.message
        fields = {
            "route": self._route,
            "uid": message.uid,
            "correlationId": message.correlation_id,
            "attempt": message.attempt,
            "state": settlement.state.value,
            "durationMs": round(seconds * 1000, 2),
        }
        if not is_written:
            logs.warning("the claim was lost before its end was written", **fields)
            return
        metrics.MESSAGES_SETTLED.labels(*self._labels, settlement.state, settlement.reason).inc()
        if settlement.state is State.FINISHED:
            claimed_after = message.claimed_at - message.accepted_at
            self._lag.observe(max(claimed_after + seconds, 0.0))
        if settlement.reason:
            fields["reason"] = settlement.reason
        if settlement.state in _AS_IT_SHOULD:
            logs.note("info", "attempt", fields)
        else:
            logs.warning("attempt", **fields, detail=settlement.detail)
