"""Progress: what a Route and its Deployment tell of a roll-out."""

from typing import Any

import pytest

from isthmus_cli.rollout import progress
from isthmus_cli.rollout.progress import Stage


def condition(kind: str, status: str, reason: str, message: str = "told.") -> dict[str, str]:
    since = "2026-01-01T00:00:00Z"
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": since,
    }


def route(*conditions: dict[str, str], generation: int = 2, seen: int = 2) -> dict[str, Any]:
    status = {
        "observedGeneration": seen,
        "conditions": list(conditions),
        "planHash": "abc",
        "lastAppliedGeneration": 1,
    }
    return {"metadata": {"name": "it", "generation": generation}, "status": status}


def deployment(
    *, wanted: int = 1, seen: int = 1, replicas: int = 1, new: int = 1
) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"uid": "u", "resourceVersion": "1", "generation": 1},
        "spec": {"replicas": wanted},
        "status": {
            "observedGeneration": seen,
            "replicas": replicas,
            "updatedReplicas": new,
            "availableReplicas": replicas,
        },
    }


READY = condition("Ready", "True", "Running")
ROLLING = (
    condition("Ready", "Unknown", "RollingOut"),
    condition("Reconciling", "True", "RollingOut"),
)
MISSING = (
    condition("Ready", "False", "ConnectorNotFound"),
    condition("Reconciling", "True", "ConnectorNotFound"),
)
STALLED = (
    condition("Ready", "False", "ExpressionInvalid"),
    condition("Stalled", "True", "ExpressionInvalid"),
)
PAUSED = (condition("Ready", "False", "Paused"), condition("Paused", "True", "Paused"))
NONE = {"wanted": 0, "replicas": 0, "new": 0}


@pytest.mark.parametrize(
    ("found", "runs", "stage", "told"),
    [
        pytest.param(route(), None, Stage.WAITING, "NotObserved", id="never seen"),
        pytest.param(
            route(READY, seen=1), deployment(), Stage.WAITING, "NotObserved", id="an edit not seen"
        ),
        pytest.param(route(*ROLLING), deployment(), Stage.WAITING, "RollingOut", id="rolling out"),
        pytest.param(route(*MISSING), None, Stage.WAITING, "ConnectorNotFound", id="missing"),
        pytest.param(
            route(*STALLED),
            deployment(),
            Stage.FAILED,
            "Pods run generation 1 meanwhile",
            id="a mistake",
        ),
        pytest.param(route(READY), deployment(), Stage.DONE, "plan abc: 1 pod answers", id="done"),
        pytest.param(
            route(READY), deployment(seen=0), Stage.WAITING, "has not seen", id="a restart, unseen"
        ),
        pytest.param(
            route(READY),
            deployment(wanted=2, replicas=3, new=1),
            Stage.WAITING,
            "1 of 2 pods are new, 3 answer, 2 of the old are still there",
            id="a restart, half done",
        ),
        pytest.param(route(READY), None, Stage.WAITING, "is not there", id="no Deployment"),
        pytest.param(
            route(*PAUSED), deployment(**NONE), Stage.DONE, "is paused: no pods", id="paused"
        ),
        pytest.param(
            route(*PAUSED), deployment(wanted=0), Stage.WAITING, "0 pods are new", id="pausing"
        ),
    ],
)
def test_how_far_it_is(
    found: dict[str, Any], runs: dict[str, Any] | None, stage: Stage, told: str
) -> None:
    seen = progress.of(found, runs)

    assert seen.stage is stage
    assert told in seen.told


def test_a_route_that_goes_is_not_waited_for() -> None:
    going = route(READY)
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert progress.of(going, deployment()).stage is Stage.FAILED
