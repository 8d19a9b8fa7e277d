"""Loads: what pods are doing, from two looks at the metrics of each. Pure.

The metrics are those of docs/how-to/observe.md, in the text format of Prometheus.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

_REQUESTS: Final = "isthmus_route_requests_total"
_REQUEST_SECONDS: Final = "isthmus_route_request_duration_seconds_bucket"
_SETTLED: Final = "isthmus_messages_settled_total"
_ATTEMPT_SECONDS: Final = "isthmus_messages_attempt_duration_seconds_bucket"
_IN_FLIGHT: Final = ("isthmus_route_in_flight_requests", "isthmus_messages_in_flight")
_BACKLOG: Final = "isthmus_messages_backlog"
_FAILED: Final = frozenset({"retry", "rejected", "dead"})
_QUANTILE: Final = 0.99

Counts = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Look:
    """The metrics of a pod at one moment. Counters grow from the start of its process."""

    at: float
    """In seconds, of any one clock."""
    requests: Counts = field(default_factory=dict)
    """By class of status."""
    request_seconds: Counts = field(default_factory=dict)
    """Cumulative, by the upper bound of a bucket."""
    settled: Counts = field(default_factory=dict)
    """Attempts, by the state they led to."""
    attempt_seconds: Counts = field(default_factory=dict)
    in_flight: float = 0
    backlog: float | None = None
    """Of all replicas together; None where the Route has no journal."""


@dataclass(frozen=True, slots=True)
class Load:
    """What happened between two looks, a second; of one pod or of several."""

    requests: float = 0
    errors: float = 0
    """Answers of the class 5xx."""
    messages: float = 0
    failures: float = 0
    """Attempts that failed."""
    in_flight: float = 0
    backlog: float | None = None
    request_seconds: Counts = field(default_factory=dict)
    attempt_seconds: Counts = field(default_factory=dict)

    @property
    def request_p99(self) -> float | None:
        """Seconds in which 99 of 100 requests were answered; None without any."""
        return quantile(self.request_seconds, _QUANTILE)

    @property
    def attempt_p99(self) -> float | None:
        """Seconds in which 99 of 100 attempts ended; None without any."""
        return quantile(self.attempt_seconds, _QUANTILE)

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "requestsPerSecond": round(self.requests, 3),
            "errorsPerSecond": round(self.errors, 3),
            "requestP99Seconds": self.request_p99,
            "messagesPerSecond": round(self.messages, 3),
            "failuresPerSecond": round(self.failures, 3),
            "attemptP99Seconds": self.attempt_p99,
            "inFlight": int(self.in_flight),
            "backlog": None if self.backlog is None else int(self.backlog),
        }


def look(text: str, *, at: float) -> Look:
    """What the metrics of a pod say."""
    found: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            # The one label by which each of these is told apart; the pod runs a single Route.
            labels = sample.labels
            key = labels.get("status") or labels.get("state") or labels.get("le") or ""
            found[sample.name][key] += sample.value
    return Look(
        at=at,
        requests=dict(found[_REQUESTS]),
        request_seconds=dict(found[_REQUEST_SECONDS]),
        settled=dict(found[_SETTLED]),
        attempt_seconds=dict(found[_ATTEMPT_SECONDS]),
        in_flight=sum(sum(found[name].values()) for name in _IN_FLIGHT),
        backlog=max(found[_BACKLOG].values()) if found[_BACKLOG] else None,
    )


def between(before: Look, after: Look) -> Load:
    """What a pod did between two looks."""
    seconds = after.at - before.at
    requests = _rates(before.requests, after.requests, seconds)
    settled = _rates(before.settled, after.settled, seconds)
    return Load(
        requests=sum(requests.values()),
        errors=requests.get("5xx", 0),
        messages=sum(settled.values()),
        failures=sum(rate for state, rate in settled.items() if state in _FAILED),
        in_flight=after.in_flight,
        backlog=after.backlog,
        request_seconds=_rates(before.request_seconds, after.request_seconds, seconds),
        attempt_seconds=_rates(before.attempt_seconds, after.attempt_seconds, seconds),
    )


def together(loads: Iterable[Load]) -> Load:
    """Of several pods of a Route. Each knows the whole backlog, which is not their sum."""
    every = list(loads)
    backlogs = [each.backlog for each in every if each.backlog is not None]
    return Load(
        requests=sum(each.requests for each in every),
        errors=sum(each.errors for each in every),
        messages=sum(each.messages for each in every),
        failures=sum(each.failures for each in every),
        in_flight=sum(each.in_flight for each in every),
        backlog=max(backlogs, default=None),
        request_seconds=_sum(each.request_seconds for each in every),
        attempt_seconds=_sum(each.attempt_seconds for each in every),
    )


def quantile(buckets: Counts, part: float) -> float | None:
    """The upper bound of the bucket in which a quantile lies, as Prometheus's buckets are; the
    largest bound that is finite for what lies beyond it. None where nothing was counted."""
    ordered = sorted((float(bound), count) for bound, count in buckets.items())
    if not ordered or ordered[-1][1] <= 0:
        return None
    wanted = ordered[-1][1] * part
    finite = [bound for bound, _ in ordered if math.isfinite(bound)]
    # A rate is a quotient: counts that are the same may differ in the last digit.
    found = next(bound for bound, count in ordered if count >= wanted * (1 - 1e-9))
    return found if math.isfinite(found) else max(finite, default=None)


def _rates(before: Counts, after: Counts, seconds: float) -> dict[str, float]:
    """How much each count grew, a second. One that is smaller began anew with its process."""
    began_anew = any(after.get(key, 0) < count for key, count in before.items())
    start = {} if began_anew else before
    return {key: (count - start.get(key, 0)) / seconds for key, count in after.items()}


def _sum(counts: Iterable[Counts]) -> dict[str, float]:
    total: defaultdict[str, float] = defaultdict(float)
    for each in counts:
        for key, count in each.items():
            total[key] += count
    return dict(total)
