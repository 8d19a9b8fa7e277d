"""Every metric of the operator, by name. Labels are bounded: kinds, verbs, codes, never objects.

Callers use the functions below, a line each. Times are in seconds.
"""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

Result = Literal["done", "again", "waiting", "stalled", "failed"]
Blame = Literal["user", "platform"]
State = Literal["all", "ready", "reconciling", "stalled", "paused"]
Fate = Literal["written", "dropped"]
Visit = Literal["told", "failed"]

STATES: Final[tuple[State, ...]] = ("all", "ready", "reconciling", "stalled", "paused")
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

REGISTRY: Final = CollectorRegistry()

_QUEUE_DEPTH = Gauge(
    "isthmus_operator_queue_depth", "Keys that wait for a worker.", registry=REGISTRY
)
_QUEUE_LATENCY = Histogram(
    "isthmus_operator_queue_latency_seconds",
    "From a key's coming to a worker's taking it.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
_RECONCILES = Counter(
    "isthmus_operator_reconcile",
    "Reconciles by how they ended: done, again (later, as planned), waiting (for another object), "
    "stalled (until a person changes something), failed (tried again).",
    ("kind", "result"),
    registry=REGISTRY,
)
_RECONCILE_SECONDS = Histogram(
    "isthmus_operator_reconcile_duration_seconds",
    "One reconcile.",
    ("kind",),
    buckets=_SECONDS,
    registry=REGISTRY,
)
_RECONCILE_ERRORS = Counter(
    "isthmus_operator_reconcile_errors",
    "Reconciles that came to nothing, by whose it is to mend: user (a manifest) or platform.",
    ("kind", "class"),
    registry=REGISTRY,
)
_REQUESTS = Counter(
    "isthmus_operator_api_requests",
    "Requests to the API server; code 0: no answer.",
    ("verb", "kind", "code"),
    registry=REGISTRY,
)
_REQUEST_SECONDS = Histogram(
    "isthmus_operator_api_request_duration_seconds",
    "From sending a request to the head of its answer.",
    ("verb", "kind"),
    buckets=_SECONDS,
    registry=REGISTRY,
)
_WATCH_EVENTS = Counter(
    "isthmus_operator_watch_events",
    "Events that watches brought.",
    ("kind",),
    registry=REGISTRY,
)
_WATCH_SILENCE = Gauge(
    "isthmus_operator_watch_silence_seconds",
    "Since the API server last said anything of a kind, bookmarks included.",
    ("kind",),
    registry=REGISTRY,
)
_LEADER = Gauge(
    "isthmus_operator_leader", "1 while this process holds the Lease.", registry=REGISTRY
)
_RESOURCES = Gauge(
    "isthmus_operator_resources",
    "Objects by condition; one object counts under each that is true, and under all.",
    ("kind", "condition"),
    registry=REGISTRY,
)
_EVENTS = Counter(
    "isthmus_operator_events",
    "Kubernetes Events written, and dropped because too many waited or the API server refused.",
    ("fate",),
    registry=REGISTRY,
)
_VISITS = Counter(
    "isthmus_operator_visits",
    "Pods asked what they saw of answers that have a contract: told, or failed.",
    ("result",),
    registry=REGISTRY,
)
_STALL = Gauge(
    "isthmus_operator_event_loop_stall_seconds",
    "The longest that the event loop was late since the last scrape.",
    registry=REGISTRY,
)
_BUILD_INFO = Gauge(
    "isthmus_operator_build_info", "1; the label says what runs.", ("version",), registry=REGISTRY
)
_BUILD_INFO.labels(version("isthmus-operator")).set(1)


def queue(depth: Callable[[], int]) -> None:
    """Ask this for the depth at each scrape."""
    _QUEUE_DEPTH.set_function(depth)


def waited(seconds: float) -> None:
    """A worker took a key that had waited so long."""
    _QUEUE_LATENCY.observe(seconds)


def reconciled(kind: str, result: Result, seconds: float) -> None:
    """A reconcile ended."""
    _RECONCILES.labels(kind, result).inc()
    _RECONCILE_SECONDS.labels(kind).observe(seconds)


def failed(kind: str, blame: Blame) -> None:
    """A reconcile came to nothing."""
    _RECONCILE_ERRORS.labels(kind, blame).inc()


def requested(verb: str, kind: str, status: int, seconds: float) -> None:
    """A request was answered or not: the client's `observe`."""
    _REQUESTS.labels(verb, kind, str(status)).inc()
    _REQUEST_SECONDS.labels(verb, kind).observe(seconds)


def heard(kind: str) -> None:
    """A watch brought an event."""
    _WATCH_EVENTS.labels(kind).inc()


def silence(kind: str, seconds: Callable[[], float]) -> None:
    """Ask this at each scrape for how long a watch has been silent."""
    _WATCH_SILENCE.labels(kind).set_function(seconds)


def leading(now: bool) -> None:
    """Whether this process holds the Lease."""
    _LEADER.set(now)


def resources(kind: str, counts: Mapping[State, int]) -> None:
    """How many objects of a kind are in each state; a state that is missing has none."""
    for state in STATES:
        _RESOURCES.labels(kind, state).set(counts.get(state, 0))


def event(fate: Fate) -> None:
    """A Kubernetes Event was written or not."""
    _EVENTS.labels(fate).inc()


def visited(result: Visit) -> None:
    """A pod was asked what it saw."""
    _VISITS.labels(result).inc()


def stall(seconds: Callable[[], float]) -> None:
    """Ask this at each scrape for the longest stall since the one before."""
    _STALL.set_function(seconds)
