"""Shapes of what is told of Routes in a cluster."""

from typing import Any, Literal

from pydantic import with_config
from typing_extensions import TypedDict

from isthmus_cli.shapes.shape import EXACT

State = Literal["ok", "pending", "wrong", "paused"]
Ready = Literal["True", "False", "Unknown"]


@with_config(EXACT)
class Replicas(TypedDict):
    available: int
    wanted: int


@with_config(EXACT)
class Route(TypedDict):
    namespace: str
    name: str
    state: State
    ready: Ready
    reason: str
    """One of [reasons](reasons.md)."""
    message: str
    advice: str
    """What to do; empty where nothing is."""
    since: str | None
    """When `ready` last changed."""
    replicas: Replicas
    generation: int
    """What is declared."""
    appliedGeneration: int | None
    """What pods are made of."""
    plan: str | None


@with_config(EXACT)
class States(TypedDict):
    ok: int
    pending: int
    wrong: int
    paused: int


@with_config(EXACT)
class Status(TypedDict):
    routes: list[Route]
    summary: States
    """Of all Routes that were looked at, those that `--wrong` leaves out as well."""


@with_config(EXACT)
class RollOut(TypedDict):
    route: str
    namespace: str
    stage: Literal["done", "waiting", "failed"]
    reason: str
    message: str


@with_config(EXACT)
class RevisionPods(TypedDict):
    ready: int
    wanted: int


@with_config(EXACT)
class Revision(TypedDict):
    revision: int
    current: bool
    plan: str
    image: str
    made: str
    restartedAt: str | None
    changeCause: str | None
    changed: list[Literal["plan", "image", "restart", "pods"]]
    """In what it differs from the one before."""
    pods: RevisionPods


@with_config(EXACT)
class History(TypedDict):
    route: str
    revisions: list[Revision]
    """The oldest first."""


@with_config(EXACT)
class Restarted(TypedDict):
    route: str
    namespace: str
    restartedAt: str


@with_config(EXACT)
class Paused(TypedDict):
    route: str
    namespace: str
    paused: bool
    changed: bool
    """Whether it was not so before."""
    replicas: int
    """How many pods it has while it is not paused."""
    warnings: list[str]
    """Who puts it back."""


@with_config(EXACT)
class PodLoad(TypedDict):
    namespace: str
    route: str
    pod: str
    requestsPerSecond: float
    errorsPerSecond: float
    requestP99Seconds: float | None
    messagesPerSecond: float
    failuresPerSecond: float
    attemptP99Seconds: float | None
    inFlight: int
    backlog: int | None
    """Messages that wait, of all pods of the Route; null where it has no journal."""


@with_config(EXACT)
class SilentPod(TypedDict):
    namespace: str
    route: str
    pod: str
    message: str


@with_config(EXACT)
class Top(TypedDict):
    pods: list[PodLoad]
    silent: list[SilentPod]
    """Pods that did not answer, and why."""


@with_config(EXACT)
class Node(TypedDict):
    kind: str
    name: str
    role: str
    """What it is to the one above, where its kind does not say it."""
    state: State
    message: str
    conditions: list[Any]
    """Those of its status, as Kubernetes has them."""
    nodes: list["Node"]


@with_config(EXACT)
class Event(TypedDict):
    at: str
    type: str | None
    reason: str | None
    message: str | None


@with_config(EXACT)
class Trace(TypedDict):
    route: str
    namespace: str
    generation: int
    appliedGeneration: int | None
    plan: str | None
    ready: Ready
    reason: str
    message: str
    advice: str
    verdict: str
    tree: Node
    events: list[Event]
    leftOut: list[str]
    """What you may not see."""
