"""What a Route becomes is taken by a real API server, under the restricted Pod Security standard.

Nothing acts on the objects here; that pods run is tested in a cluster.
"""

import dataclasses
from typing import Any

import pytest
from control_plane import ControlPlane
from desired_cases import CASES, SMALLEST, UID, Case

from isthmus_api.resources import Key, Resource
from isthmus_api.route import RouteSpec
from isthmus_operator import desired
from isthmus_operator.desired import DESIRED_ANNOTATION, Manifest
from isthmus_operator.kube import Client, Forbidden, Refused
from isthmus_operator.kube.kinds import CHILDREN, DEPLOYMENTS, PODS

CASE = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@pytest.fixture
def restricted(plane: ControlPlane, namespace: str) -> str:
    """A namespace that takes only pods of the restricted standard."""
    flags = (f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn"))
    plane.kubectl("label", "namespace", namespace, *flags)
    return namespace


def children(case: Case, namespace: str) -> tuple[Manifest, ...]:
    """What the Route becomes in another namespace than its text says."""
    key = Key("Route", namespace, case.route.key.name)
    moved: Resource[RouteSpec] = dataclasses.replace(case.route, key=key)
    return desired.children(moved, case.plan, uid=UID, context=case.context)


@CASE
@pytest.mark.usefixtures("gateway_api")
async def test_every_child_is_taken_and_a_second_time_changes_nothing(
    client: Client, restricted: str, case: Case
) -> None:
    made = children(case, restricted)
    first = [await client.apply(CHILDREN[each["kind"]], each) for each in made]
    second = [await client.apply(CHILDREN[each["kind"]], each) for each in made]

    assert [_version(each) for each in second] == [_version(each) for each in first]
    assert [_without_metadata(each) for each in second] == [_without_metadata(e) for e in first]


@CASE
@pytest.mark.usefixtures("gateway_api")
async def test_what_is_stored_says_what_was_asked_for(
    client: Client, restricted: str, case: Case
) -> None:
    """The server adds defaults; it drops and changes nothing."""
    for made in children(case, restricted):
        stored = await client.apply(CHILDREN[made["kind"]], made)

        assert list(_lost(made, stored, made["kind"])) == []


@CASE
async def test_the_pods_are_taken_where_only_restricted_ones_are(
    client: Client, restricted: str, case: Case
) -> None:
    stored = await client.create(PODS, _pod(case, restricted))

    assert stored["spec"]["securityContext"]["runAsNonRoot"] is True


async def test_the_namespace_would_refuse_pods_that_may_more(
    client: Client, restricted: str
) -> None:
    """The test above says something only if this one holds."""
    lax = _pod(CASES["smallest"], restricted)
    lax["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True

    with pytest.raises(Forbidden, match="violates PodSecurity"):
        await client.create(PODS, lax)


async def test_a_wish_that_is_taken_back_is_gone(client: Client, restricted: str) -> None:
    wish = "podTemplate: {labels: {team: search}, env: [{name: A, value: b}]}\n  steps:"
    with_wish = _deployment(Case(SMALLEST.replace("steps:", wish)), restricted)
    without = _deployment(CASES["smallest"], restricted)
    before = await client.apply(DEPLOYMENTS, with_wish)
    after = await client.apply(DEPLOYMENTS, without)

    assert "team" in before["spec"]["template"]["metadata"]["labels"]
    assert "team" not in after["spec"]["template"]["metadata"]["labels"]
    assert "A" not in [each["name"] for each in _env(after)]
    assert _desired(after) == _desired(without) != _desired(before)


async def test_scaling_makes_no_new_generation_of_pods(client: Client, restricted: str) -> None:
    before = await client.apply(DEPLOYMENTS, _deployment(CASES["smallest"], restricted))
    scaled = Case(SMALLEST.replace("spec:", "spec:\n  replicas: 5"))
    after = await client.apply(DEPLOYMENTS, _deployment(scaled, restricted))

    assert (before["spec"]["replicas"], after["spec"]["replicas"]) == (1, 5)
    assert after["spec"]["template"] == before["spec"]["template"]


async def test_a_plan_is_never_changed_in_place(client: Client, restricted: str) -> None:
    made = children(CASES["smallest"], restricted)
    config_map = next(each for each in made if each["kind"] == "ConfigMap")
    await client.apply(CHILDREN["ConfigMap"], config_map)

    with pytest.raises(Refused, match="immutable"):
        await client.apply(CHILDREN["ConfigMap"], {**config_map, "data": {"plan.json": "another"}})


def _deployment(case: Case, namespace: str) -> Manifest:
    made = children(case, namespace)
    return next(each for each in made if each["kind"] == "Deployment")


def _pod(case: Case, namespace: str) -> Manifest:
    """The pod that the Deployment's controller would make."""
    template = _deployment(case, namespace)["spec"]["template"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        **template,
        "metadata": {**template["metadata"], "namespace": namespace, "name": "pod"},
    }


def _env(deployment: Manifest) -> list[dict[str, Any]]:
    env: list[dict[str, Any]] = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    return env


def _desired(found: Manifest) -> str:
    return str(found["metadata"]["annotations"][DESIRED_ANNOTATION])


def _version(found: Manifest) -> str:
    return str(found["metadata"]["resourceVersion"])


def _without_metadata(found: Manifest) -> Manifest:
    return {name: value for name, value in found.items() if name != "metadata"}


def _lost(asked: Any, stored: Any, path: str) -> list[str]:
    """Where what is stored is not what was asked for; what the server adds does not count."""
    match asked, stored:
        case dict(), dict():
            return [
                each
                for name, value in asked.items()
                for each in _lost(value, stored.get(name), f"{path}.{name}")
            ]
        case list(), list() if len(asked) == len(stored):
            pairs = enumerate(zip(asked, stored, strict=True))
            return [each for n, (a, b) in pairs for each in _lost(a, b, f"{path}[{n}]")]
        case _:
            return [] if asked == stored else [f"{path}: {asked!r} is stored as {stored!r}"]
