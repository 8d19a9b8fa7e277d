"""Progress: how far the roll-out of a Route has come. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from isthmus_cli.cluster import standing
from isthmus_cli.cluster.standing import DELETED, Object, Standing, State
from isthmus_operator import live
from isthmus_operator.live import Progress


class Stage(StrEnum):
    """Where a roll-out is."""

    DONE = "done"
    WAITING = "waiting"
    """It goes on by itself."""
    FAILED = "failed"
    """Somebody has to do something."""


@dataclass(frozen=True, slots=True)
class RollOut:
    """A Route and its Deployment at one moment."""

    stage: Stage
    told: str
    reason: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"stage": self.stage, "reason": self.reason, "message": self.told}


def of(route: Object, deployment: Object | None) -> RollOut:
    """How far a Route has come.

    The Deployment is asked as well: after a restart the Route says it is Ready until the operator
    has heard of it.
    """
    stands = standing.of(route)
    pods = (live.Child.of(deployment).progress if deployment else None) or live.NO_PROGRESS
    stage = _stage(route, stands, pods)
    return RollOut(stage, _told(route, stands, pods, stage), stands.reason)


def _stage(route: Object, stands: Standing, pods: Progress) -> Stage:
    if stands.reason == DELETED:
        return Stage.FAILED
    if stands.state is State.WRONG:
        # What is missing may still be on its way; the operator goes on by itself then.
        reconciling = standing.condition(route, "Reconciling")
        return Stage.WAITING if reconciling else Stage.FAILED
    if stands.state is State.PENDING:
        return Stage.WAITING
    return Stage.DONE if pods.complete else Stage.WAITING


def _told(route: Object, stands: Standing, pods: Progress, stage: Stage) -> str:
    if stage is Stage.DONE:
        return _done(route, stands, pods)
    if stage is Stage.WAITING and stands.state in (State.OK, State.PAUSED):
        return _pods(pods)
    if stage is Stage.WAITING and stands.state is State.PENDING:
        return f"{stands.reason}: {stands.message.rstrip('.')}"
    return f"{stands.sentence}{_meanwhile(route)}"


def _done(route: Object, stands: Standing, pods: Progress) -> str:
    generation = route["metadata"]["generation"]
    if stands.state is State.PAUSED:
        return f"generation {generation} is paused: no pods run"
    plan = (route.get("status") or {}).get("planHash", "none")
    answering = "1 pod answers" if pods.available == 1 else f"{pods.available} pods answer"
    return f"generation {generation} is rolled out, plan {plan}: {answering}"


def _pods(pods: Progress) -> str:
    if not pods.seen:
        return "the Deployment is not there, or its controller has not seen its change yet"
    told = f"{pods.updated} of {pods.wanted} pods are new, {pods.available} answer"
    going = pods.replicas - pods.updated
    return f"{told}, {going} of the old are still there" if going > 0 else told


def _meanwhile(route: Object) -> str:
    """What runs while the present generation cannot."""
    applied = (route.get("status") or {}).get("lastAppliedGeneration")
    if applied is None or applied == route["metadata"]["generation"]:
        return ""
    return f". Pods run generation {applied} meanwhile"
