"""What a Route becomes: golden files, and what holds for all children of all Routes."""

import json
from pathlib import Path
from typing import Any

import pytest
from desired_cases import CASES, CONTEXT, SMALLEST, UID, Case, golden

from isthmus_api.workload import RESERVED
from isthmus_operator import desired
from isthmus_operator.desired import (
    DESIRED_ANNOTATION,
    JOURNAL_ANNOTATION,
    PLAN_ANNOTATION,
    REPLICAS_ANNOTATION,
    Manifest,
)

GOLDEN = Path(__file__).parent / "golden"
CASE = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def deployment(case: Case) -> Manifest:
    return next(each for each in case.children() if each["kind"] == "Deployment")


def kinds(case: Case) -> list[str]:
    return [each["kind"] for each in case.children()]


@pytest.mark.parametrize("name", CASES)
def test_the_golden_file_is_what_the_route_becomes(name: str) -> None:
    assert (GOLDEN / f"{name}.yaml").read_text() == golden(CASES[name]), "run `make generate`"


def test_there_is_no_other_golden_file() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(CASES)


@CASE
def test_children_come_in_the_order_in_which_to_apply_them(case: Case) -> None:
    called = ["Service"] if case.plan.source.endpoint else []
    first = ["ServiceAccount", "ConfigMap", *called, "NetworkPolicy", "PodDisruptionBudget"]

    assert kinds(case)[: len(first) + 1] == [*first, "Deployment"]


def test_a_route_that_is_exposed_has_one_child_more() -> None:
    exposing = {"Ingress", "HTTPRoute"}
    last = {name: [k for k in kinds(case) if k in exposing] for name, case in CASES.items()}

    assert last == {
        "search-with-prices": [],
        "smallest": [],
        "every-field": ["Ingress"],
        "paused": ["Ingress"],
        "autoscaled": [],
        "tables": [],
        "gateway": ["HTTPRoute"],
        "webhook": ["HTTPRoute"],
        "schedule": [],
        "limited": [],
        "contract": [],
    }


@CASE
def test_all_but_the_config_map_are_named_after_the_route(case: Case) -> None:
    names = {each["kind"]: each["metadata"]["name"] for each in case.children()}

    assert names.pop("ConfigMap") == f"{case.route.key.name}-{case.plan.hash}"
    assert set(names.values()) == {case.route.key.name}
    assert {e["metadata"]["namespace"] for e in case.children()} == {case.route.key.namespace}


@CASE
def test_children_go_with_their_route_and_never_hold_it_up(case: Case) -> None:
    [reference] = {json.dumps(each["metadata"]["ownerReferences"]) for each in case.children()}

    assert json.loads(reference) == [
        {
            "apiVersion": "isthmus.dev/v1alpha1",
            "kind": "Route",
            "name": case.route.key.name,
            "uid": UID,
            "controller": True,
            "blockOwnerDeletion": False,
        }
    ]


@CASE
def test_children_carry_three_labels(case: Case) -> None:
    [labels] = {json.dumps(each["metadata"]["labels"]) for each in case.children()}

    assert json.loads(labels) == {
        "isthmus.dev/route": case.route.key.name,
        "app.kubernetes.io/managed-by": "isthmus",
        "app.kubernetes.io/component": "route",
    }


TOOLS = {
    "app.kubernetes.io/instance": "shop",
    "argocd.argoproj.io/instance": "shop",
    "argocd.argoproj.io/tracking-id": "shop:isthmus.dev/Route:default/hello",
    "argocd.argoproj.io/sync-wave": "3",
    "kustomize.toolkit.fluxcd.io/name": "shop",
    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    "helm.toolkit.fluxcd.io/name": "shop",
    "meta.helm.sh/release-name": "shop",
    "helm.sh/chart": "shop-1.0.0",
    "kubectl.kubernetes.io/last-applied-configuration": "{}",
    "kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z",
    "team": "search",
}
"""What deployment tools, and people, write on a Route."""


@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_nothing_of_the_routes_own_metadata_reaches_a_child(field: str) -> None:
    metadata = json.dumps({"name": "hello", field: TOOLS})
    marked = Case(SMALLEST.replace("{name: hello}", metadata))

    assert marked.children() == CASES["smallest"].children()


@CASE
def test_no_key_of_a_deployment_tool_is_on_anything_that_is_made(case: Case) -> None:
    ours = {*CASES["smallest"].children()[0]["metadata"]["labels"], DESIRED_ANNOTATION}
    found = {key for each in case.children() for key in _keys(each)}

    assert {k for k in found if k.startswith(RESERVED)} <= ours | {
        PLAN_ANNOTATION,
        JOURNAL_ANNOTATION,
        REPLICAS_ANNOTATION,
    }


def _keys(value: Any) -> set[str]:
    """Every key of every label and annotation."""
    if isinstance(value, list):
        return {key for each in value for key in _keys(each)}
    if not isinstance(value, dict):
        return set()
    held = {key for name in ("labels", "annotations") for key in value.get(name) or {}}
    return held | {key for each in value.values() for key in _keys(each)}


def test_a_field_that_goes_changes_the_desired_hash() -> None:
    """Server-side apply alone would leave what somebody else set in its place."""
    wish = "podTemplate: {labels: {one: more}}\n  steps:"
    fuller = Case(SMALLEST.replace("steps:", wish))
    plain, full = deployment(CASES["smallest"])["metadata"], deployment(fuller)["metadata"]

    assert plain["annotations"][DESIRED_ANNOTATION] != full["annotations"][DESIRED_ANNOTATION]


def test_another_manifest_has_another_hash() -> None:
    hashes = [
        each["metadata"]["annotations"][DESIRED_ANNOTATION]
        for case in (CASES["smallest"], CASES["every-field"])
        for each in case.children()
    ]

    assert len(set(hashes)) == len(hashes)


def test_what_one_makes_twice_is_the_same_and_nobody_elses() -> None:
    first, second = CASES["every-field"].children(), CASES["every-field"].children()
    first[0]["metadata"]["labels"]["changed"] = "yes"

    assert second == CASES["every-field"].children()
    assert "changed" not in first[1]["metadata"]["labels"]


def test_the_selector_is_that_of_the_deployment_as_a_string() -> None:
    labels = deployment(CASES["smallest"])["spec"]["selector"]["matchLabels"]

    assert desired.selector("hello") == ",".join(f"{k}={v}" for k, v in labels.items())


def test_a_sound_route_has_no_problem() -> None:
    for case in CASES.values():
        assert desired.check(case.route, case.plan, case.context) == ()


def test_the_public_face_is_what_is_told() -> None:
    assert sorted(desired.__all__) == [
        "ADMIN",
        "AUTOSCALED",
        "CHILDREN_SELECTOR",
        "Context",
        "DESIRED_ANNOTATION",
        "Gateway",
        "JOURNAL_ANNOTATION",
        "Journal",
        "MAX_PLAN_BYTES",
        "Manifest",
        "PLAN_ANNOTATION",
        "PLAN_FILE",
        "REPLICAS_ANNOTATION",
        "ROUTE_LABEL",
        "SecretKey",
        "bounds",
        "check",
        "children",
        "config_map_name",
        "documents",
        "most_useful",
        "secrets",
        "selector",
    ]
    assert CONTEXT.pull_policy == "IfNotPresent"
