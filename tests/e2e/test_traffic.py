"""No request is lost while a Route changes under a steady load through its Service.

The load comes from a pod, over kept connections and over new ones, and is never tried again.
"""

import itertools
import json
import os
from collections.abc import Iterator

import pytest
import quotes
from kubernetes_cluster import Cluster, Namespace, eventually
from steady_load import Account, Load, steady_load

ROUTE = "route/quotes"
DEPLOYMENT = "deployment/quotes"
COMPLETE = "jsonpath={.status.availableReplicas}="
_versions = itertools.count(2)


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace with a Route of two pods, for all tests here."""
    with cluster.namespace(f"e2e-traffic-{os.getpid()}") as made:
        quotes.start(made, quotes.route(replicas=2))
        yield made


@pytest.fixture
def load(namespace: Namespace) -> Iterator[Load]:
    """A load on the Route while it runs two pods."""
    with steady_load(namespace, "quotes", quotes.PATH) as begun:
        yield begun


def rolled_out(namespace: Namespace, before: dict[str, str], *, pods: int = 2) -> None:
    """Wait until none of the pods of before is left, and as many new ones answer."""

    def uids() -> set[str]:
        found = namespace.get("pods", "-l", "isthmus.dev/route=quotes")["items"]
        return {pod["metadata"]["uid"] for pod in found}

    eventually(uids, until=lambda now: len(now) == pods and not now & before.keys(), within=120)
    namespace.wait(ROUTE, f"{COMPLETE}{pods}")
    namespace.wait(ROUTE)


def versions(account: Account) -> set[int]:
    """The versions of the Mapping that the answers came from."""
    return {json.loads(body)["version"] for body in account.answers}


def test_a_changed_mapping_loses_nothing(namespace: Namespace, load: Load) -> None:
    before, version = namespace.pods("quotes"), next(_versions)

    namespace.apply(quotes.mapping(version))
    rolled_out(namespace, before)

    account = load.end()
    account.assert_nothing_lost()
    assert len(versions(account)) == 2
    assert version in versions(account)


def test_a_changed_pod_template_loses_nothing(namespace: Namespace, load: Load) -> None:
    before = namespace.pods("quotes")
    noted = {"spec": {"podTemplate": {"annotations": {"example.com/round": "two"}}}}

    namespace.kubectl("patch", ROUTE, "--type=merge", "-p", json.dumps(noted))
    rolled_out(namespace, before)

    load.end().assert_nothing_lost()


def test_rollout_restart_of_the_deployment_loses_nothing(namespace: Namespace, load: Load) -> None:
    before = namespace.pods("quotes")

    namespace.kubectl("rollout", "restart", DEPLOYMENT)
    rolled_out(namespace, before)

    load.end().assert_nothing_lost()


def test_scaling_up_and_down_loses_nothing(namespace: Namespace, load: Load) -> None:
    for count in (1, 5, 2):
        namespace.kubectl("scale", ROUTE, f"--replicas={count}")
        namespace.wait(ROUTE, f"{COMPLETE}{count}")
        # Those that go are asked until they are gone.
        eventually(
            lambda: namespace.get("pods", "-l", "isthmus.dev/route=quotes")["items"],
            until=lambda pods, count=count: len(pods) == count,  # type: ignore[misc]
        )

    load.end().assert_nothing_lost()


def test_an_evicted_pod_loses_nothing_and_the_next_waits_for_the_budget(
    namespace: Namespace, load: Load
) -> None:
    before = namespace.pods("quotes")
    first, second = before.values()

    evict(namespace, first)
    with pytest.raises(AssertionError, match="disruption budget"):
        evict(namespace, second)
    namespace.wait(f"pod/{first}", "delete")
    namespace.wait(ROUTE)
    eventually(lambda: _evicted(namespace, second), until=bool)
    rolled_out(namespace, before)

    load.end().assert_nothing_lost()


def test_a_drained_node_loses_nothing(namespace: Namespace, load: Load) -> None:
    """There may be one node only, so it takes pods again once it was told not to."""
    before = namespace.pods("quotes")
    (node,) = {namespace.get(f"pod/{name}")["spec"]["nodeName"] for name in before.values()}

    selector = "--pod-selector=isthmus.dev/route=quotes"
    with namespace.cluster.starting("kubectl", "drain", node, selector, "--timeout=120s") as drain:
        eventually(lambda: _unschedulable(namespace, node), until=bool)
        namespace.kubectl("uncordon", node)
        assert drain.wait(120) == 0
    rolled_out(namespace, before)

    load.end().assert_nothing_lost()


def _unschedulable(namespace: Namespace, node: str) -> bool:
    return bool(namespace.get(f"node/{node}")["spec"].get("unschedulable"))


def evict(namespace: Namespace, pod: str) -> None:
    """Ask a pod to go, as `kubectl drain` does."""
    wish = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": namespace.name},
    }
    path = f"/api/v1/namespaces/{namespace.name}/pods/{pod}/eviction"
    namespace.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(wish))


def _evicted(namespace: Namespace, pod: str) -> bool:
    """Ask again, as `kubectl drain` does while the budget says no."""
    try:
        evict(namespace, pod)
    except AssertionError as error:
        if "disruption budget" not in str(error):
            raise
        return False
    return True


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param('{"version": ', id="that cannot be read"),
        pytest.param("$unheard(body)", id="that calls what is not there"),
    ],
)
def test_a_bad_mapping_is_told_and_loses_nothing(
    namespace: Namespace, load: Load, expression: str
) -> None:
    before = namespace.pods("quotes")
    good = namespace.get("mapping/quote")["spec"]["expression"]

    namespace.kubectl("patch", "mapping/quote", "--type=merge", "-p", _expression(expression))
    eventually(
        lambda: namespace.condition(ROUTE, "Stalled").get("message", ""),
        until=lambda told: "quote" in told,
        within=10,
    )
    namespace.kubectl("patch", "mapping/quote", "--type=merge", "-p", _expression(good))
    namespace.wait(ROUTE, within=10)

    account = load.end()
    account.assert_nothing_lost()
    assert len(account.answers) == 1
    assert namespace.pods("quotes") == before


def _expression(text: str) -> str:
    return json.dumps({"spec": {"expression": text}})
