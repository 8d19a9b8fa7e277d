"""Routes with a journal in a cluster: the embedded PostgreSQL of the chart, and what it keeps."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from embedded_journal import POD, address, embedded_journal, sql
from kubernetes_cluster import Cluster, Namespace, eventually

INTAKE = """
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: intake}
spec:
  source: {webhook: {path: /orders, open: true}}
  message: {key: "{% number %}"}
  steps: [{map: {expression: "$"}}]
  replicas: 2
"""
FED = """
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: fed}
spec:
  source: {route: {name: intake}}
  steps: [{filter: "{% number > 1 %}"}]
"""


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace whose Routes have the embedded journal, for all tests here."""
    with (
        cluster.namespace(f"e2e-journal-{os.getpid()}") as made,
        embedded_journal(cluster, made.name),
    ):
        yield made


def test_the_embedded_journal_keeps_its_data_and_its_password(namespace: Namespace) -> None:
    system, before = namespace.cluster.system, address(namespace)
    sql(namespace, "CREATE TABLE kept AS SELECT 42 AS it")

    system.kubectl("delete", "pod", POD)
    system.kubectl("rollout", "status", "statefulset/isthmus-journal", "--timeout=120s")

    assert address(namespace) == before
    assert sql(namespace, "SELECT it FROM kept") == "42"


def test_the_embedded_journal_ends_in_order_when_it_is_asked_to(namespace: Namespace) -> None:
    """It would otherwise wait for its clients, and be killed."""
    system = namespace.cluster.system
    sql(namespace, "SELECT 1")

    system.kubectl("delete", "pod", POD)
    system.kubectl("rollout", "status", "statefulset/isthmus-journal", "--timeout=120s")

    assert "database system was shut down at" in system.kubectl("logs", POD)


def send(namespace: Namespace, body: dict[str, Any]) -> str:
    """POST to the webhook by way of the API server; what it answered."""
    path = f"/api/v1/namespaces/{namespace.name}/services/intake:80/proxy/orders"
    return namespace.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))


def outcomes(namespace: Namespace, route: str) -> dict[str, int]:
    """How many messages of a Route have ended in which state."""
    found = sql(
        namespace,
        "SELECT state, count(*) FROM isthmus.outcomes "
        f"WHERE route = '{namespace.name}/{route}' GROUP BY state",
    )
    return {state: int(count) for state, _, count in (x.partition("|") for x in found.split())}


def test_what_two_pods_accept_is_delivered_and_fed_to_another_route(namespace: Namespace) -> None:
    namespace.apply(INTAKE, FED)
    for name in ("intake", "fed"):
        namespace.wait(f"route/{name}")

    answers = [json.loads(send(namespace, {"number": number})) for number in range(1, 4)]

    assert answers == [{"accepted": 1}] * 3
    eventually(lambda: outcomes(namespace, "intake"), until=lambda it: it == {"finished": 3})
    eventually(
        lambda: outcomes(namespace, "fed"), until=lambda it: it == {"finished": 2, "skipped": 1}
    )
    assert "service/fed" not in namespace.children("fed")


def test_a_route_whose_namespace_has_no_address_says_which_secret_is_missing(
    cluster: Cluster, namespace: Namespace
) -> None:
    with cluster.namespace(f"{namespace.name}-without") as without:
        without.apply(INTAKE)

        def message() -> str:
            conditions = without.get("route/intake").get("status", {}).get("conditions", [])
            return next((c["message"] for c in conditions if c["reason"] == "SecretNotFound"), "")

        assert "'isthmus-journal'" in eventually(message, until=bool, within=90)
