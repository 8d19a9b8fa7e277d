"""Revisions: what ReplicaSets tell of the pods that a Route had."""

import copy
from typing import Any

import pytest

from isthmus_cli.cluster import revisions

PLAN = "isthmus.dev/plan"
UID = "deployment"


def template(plan: str = "a", *, image: str = "runtime:1", **annotations: str) -> dict[str, Any]:
    return {
        "metadata": {
            "labels": {"isthmus.dev/route": "it"},
            "annotations": {PLAN: plan, **annotations},
        },
        "spec": {
            "initContainers": [{"name": "secrets", "image": image}],
            "containers": [{"name": "route", "image": image}],
            "volumes": [{"name": "plan", "configMap": {"name": f"it-{plan}"}}],
        },
    }


def replica_set(
    number: int, made: dict[str, Any], *, owner: str = UID, cause: str = ""
) -> dict[str, Any]:
    made = copy.deepcopy(made)
    made["metadata"]["labels"]["pod-template-hash"] = str(number)
    annotations = {revisions.REVISION: str(number)} | ({revisions.CAUSE: cause} if cause else {})
    return {
        "metadata": {
            "name": f"it-{number}",
            "creationTimestamp": f"2026-01-{number:02}T00:00:00Z",
            "annotations": annotations,
            "ownerReferences": [{"uid": owner, "controller": True}],
        },
        "spec": {"replicas": 1, "template": made},
    }


def deployment(number: int) -> dict[str, Any]:
    annotations = {revisions.REVISION: str(number)} if number else {}
    return {"metadata": {"uid": UID, "annotations": annotations}}


@pytest.mark.parametrize(
    ("before", "now", "changed"),
    [
        pytest.param(template("a"), template("b"), ("plan",), id="a plan, with its volume"),
        pytest.param(template(image="r:1"), template(image="r:2"), ("image",), id="an image"),
        pytest.param(
            template(), template(**{revisions.RESTARTED: "now"}), ("restart",), id="a restart"
        ),
        pytest.param(template(), template(team="web"), ("pods",), id="anything else"),
        pytest.param(
            template("a", image="r:1"), template("b", image="r:2"), ("plan", "image"), id="two"
        ),
    ],
)
def test_what_changed(
    before: dict[str, Any], now: dict[str, Any], changed: tuple[str, ...]
) -> None:
    found = revisions.of(deployment(2), [replica_set(2, now), replica_set(1, before)])

    assert [each.number for each in found] == [1, 2]
    assert [each.changed for each in found] == [(), changed]


def test_a_revision_that_came_back_is_current_though_it_is_older() -> None:
    found = revisions.of(
        deployment(3), [replica_set(2, template("b")), replica_set(3, template("a"))]
    )

    assert [each.is_current for each in found] == [False, True]


def test_before_the_deployment_says_so_the_newest_is_current() -> None:
    found = revisions.of(deployment(0), [replica_set(1, template()), replica_set(2, template("b"))])

    assert [each.number for each in found if each.is_current] == [2]


def test_what_belongs_to_others_is_left_out_and_causes_are_told() -> None:
    theirs = replica_set(7, template(), owner="another")
    found = revisions.of(deployment(1), [theirs, replica_set(1, template(), cause="a fix")])

    assert [(each.number, each.cause) for each in found] == [(1, "a fix")]


def test_no_template_is_changed_by_looking() -> None:
    sets = [replica_set(1, template()), replica_set(2, template(**{revisions.RESTARTED: "x"}))]
    before = copy.deepcopy(sets)

    revisions.of(deployment(2), sets)

    assert sets == before
