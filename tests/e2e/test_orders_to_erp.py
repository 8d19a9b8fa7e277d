"""The example orders-to-erp in a cluster: pods are killed meanwhile, each order arrives once."""

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from embedded_journal import embedded_journal
from kubernetes_cluster import ROOT, Cluster, Namespace, eventually

FOLDER = ROOT / "examples/orders-to-erp-kubernetes"
ORDERS = 60


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace that has the embedded journal, with the example in it."""
    with (
        cluster.namespace(f"e2e-orders-to-erp-{os.getpid()}") as made,
        embedded_journal(cluster, made.name),
    ):
        secrets = subprocess.run([FOLDER / "secrets"], capture_output=True, text=True, check=True)
        made.kubectl("apply", "-f", "-", stdin=secrets.stdout)
        made.kubectl("apply", "-k", str(FOLDER))
        for each in ("deployment/erp", "deployment/backoffice"):
            made.wait(each, "condition=Available")
        for each in ("route/orders-to-erp", "route/stock-to-shop"):
            made.wait(each)
        yield made


def test_each_order_arrives_once_while_pods_are_killed(namespace: Namespace) -> None:
    namespace.kubectl("scale", "route/orders-to-erp", "--replicas=2")
    namespace.wait("route/orders-to-erp", "jsonpath={.status.availableReplicas}=2")
    made = json.loads(post(namespace, "backoffice:8083", f"/orders?count={ORDERS}"))["orders"]
    for pod in namespace.pods("orders-to-erp").values():
        namespace.kubectl("delete", "pod", pod, "--grace-period=0", "--force", "--wait=false")
        namespace.wait("route/orders-to-erp", "jsonpath={.status.availableReplicas}=2")

    wanted = len(made) + sum(int(number) % 6 == 0 for number in made)
    report = eventually(
        lambda: json.loads(namespace.fetch("erp:8082", "/report")),
        until=lambda counted: counted["writes"] >= wanted,
        within=120,
    )

    assert report == {**report, "orders": ORDERS, "writes": wanted, "doubles": 0, "outOfOrder": 0}


def test_the_stock_that_orders_take_comes_back_to_the_shop(namespace: Namespace) -> None:
    def told() -> Any:
        return json.loads(namespace.fetch("backoffice:8083", "/report"))["stock"]["levels"]

    before = told()
    post(namespace, "backoffice:8083", "/orders?count=1")

    eventually(told, until=lambda levels: levels > before)


def post(namespace: Namespace, service: str, path: str) -> str:
    """Send a POST without a body to a Service, through the API server."""
    url = f"/api/v1/namespaces/{namespace.name}/services/{service}/proxy{path}"
    return namespace.cluster.kubectl("create", "--raw", url, "-f", "/dev/null")
