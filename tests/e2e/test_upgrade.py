"""The operator is upgraded, taken away and brought back by Helm, and Routes do not notice."""

import os
from collections.abc import Iterator
from typing import Any

import older_chart
import pytest
import quotes
from kubernetes_cluster import SYSTEM, Cluster, Namespace, eventually
from steady_load import Load, steady_load

ROUTES = ("quotes", "other")
DEFINITIONS = {
    f"customresourcedefinition.apiextensions.k8s.io/{plural}.isthmus.dev"
    for plural in ("connectors", "mappings", "routes")
}


@pytest.fixture(scope="module")
def namespace(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    """A namespace with two Routes, made by the operator of one version ago."""
    older = older_chart.make(tmp_path_factory.mktemp("chart") / "older")
    try:
        cluster.install(chart=older)
        with cluster.namespace(f"e2e-upgrade-{os.getpid()}") as made:
            other = quotes.route("other", source={"http": {"path": "/other"}})
            quotes.start(made, quotes.route(replicas=2), other)
            yield made
    finally:
        cluster.install()


@pytest.fixture
def load(namespace: Namespace) -> Iterator[Load]:
    """A load on one of the Routes."""
    with steady_load(namespace, "quotes", quotes.PATH) as begun:
        yield begun


def running(namespace: Namespace) -> tuple[set[str], dict[str, Any]]:
    """The pods of the Routes, and the templates that they are made of."""
    pods = {uid for route in ROUTES for uid in namespace.pods(route)}
    deployments = namespace.get("deployments", "-l", "isthmus.dev/route")["items"]
    return pods, {each["metadata"]["name"]: each["spec"]["template"] for each in deployments}


def assert_at_work(cluster: Cluster, namespace: Namespace) -> None:
    """One of the present operator's pods leads, and acts on what people do.

    A leader looks at all Routes when it begins, and at what is changed after that.
    """
    names = {each["metadata"]["name"] for each in cluster.system.get("pods")["items"]}
    eventually(
        lambda: cluster.system.get("lease/isthmus-operator")["spec"]["holderIdentity"],
        until=lambda holder: any(name in holder for name in names),
    )
    probe = quotes.route("probe", source={"http": {"path": "/probe"}})
    namespace.apply(probe)
    namespace.wait("route/probe")
    namespace.kubectl("delete", "route/probe")
    namespace.wait("deployment/probe", "delete")


def test_an_upgrade_rolls_no_route_and_loses_nothing(
    cluster: Cluster, namespace: Namespace, load: Load
) -> None:
    operators, routes = cluster.operators(), running(namespace)

    cluster.install()
    assert_at_work(cluster, namespace)

    assert not operators & cluster.operators(), "the operator was not upgraded"
    assert running(namespace) == routes
    load.end().assert_nothing_lost()


def test_uninstalling_keeps_kinds_and_routes_which_run_on_and_are_taken_up_again(
    cluster: Cluster, namespace: Namespace, load: Load
) -> None:
    routes = running(namespace)

    cluster.run("helm", "uninstall", "isthmus", "--namespace", SYSTEM, "--wait")
    assert cluster.operators() == set()
    definitions = cluster.kubectl("get", "crd", "-o", "name").split()
    assert set(definitions) >= DEFINITIONS
    assert {each["metadata"]["name"] for each in namespace.get("routes")["items"]} == set(ROUTES)
    assert running(namespace) == routes

    cluster.install()
    assert_at_work(cluster, namespace)

    assert running(namespace) == routes
    load.end().assert_nothing_lost()
