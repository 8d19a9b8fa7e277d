"""Nobody waits for an operator that is not there, and nothing is left over when it comes back."""

import json
import os
from collections.abc import Iterator

import pytest
import quotes
from kubernetes_cluster import Cluster, Namespace, eventually

PROMPTLY = "--timeout=60s"


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace with two Routes that run."""
    with cluster.namespace(f"e2e-absence-{os.getpid()}") as made:
        quotes.start(made, quotes.route(), quotes.route("stays"))
        yield made


@pytest.fixture
def doomed(cluster: Cluster) -> Iterator[Namespace]:
    """Another one, to be deleted as a whole."""
    with cluster.namespace(f"e2e-doomed-{os.getpid()}") as made:
        quotes.start(made, quotes.route(replicas=2))
        yield made


@pytest.fixture
def absence(cluster: Cluster, namespace: Namespace, doomed: Namespace) -> Iterator[None]:
    """The operator stopped after everything ran; back in the end, whatever happens."""
    _operators(cluster, 0)
    yield
    _operators(cluster, 2)


def _operators(cluster: Cluster, count: int) -> None:
    cluster.system.kubectl("scale", "deployment/isthmus-operator", f"--replicas={count}")
    if count:
        cluster.system.kubectl("rollout", "status", "deployment/isthmus-operator", PROMPTLY)
    eventually(cluster.operators, until=lambda found: len(found) == count)


@pytest.mark.usefixtures("absence")
def test_what_is_deleted_without_the_operator_goes_and_does_not_come_back(
    cluster: Cluster, namespace: Namespace, doomed: Namespace
) -> None:
    kept = namespace.children("stays")
    assert namespace.children("quotes")

    namespace.kubectl("delete", "route/quotes", PROMPTLY)
    cluster.kubectl("delete", "namespace", doomed.name, PROMPTLY)
    eventually(lambda: namespace.children("quotes"), until=lambda found: not found)
    namespace.kubectl("delete", "connector/erp", "mapping/quote", PROMPTLY)
    assert namespace.children("stays") == kept

    _operators(cluster, 2)
    # It is at work once it says what became of the Route that stays.
    namespace.wait("route/stays", "condition=Ready=False")
    assert namespace.children("quotes") == set()
    assert namespace.children("stays") == kept
    assert json.loads(namespace.fetch("stays:80", quotes.PATH))["version"] == 1

    namespace.apply(quotes.connector(), quotes.mapping())
    namespace.wait("route/stays")
    namespace.kubectl("delete", "isthmus", "--all", PROMPTLY)
    eventually(lambda: namespace.children("stays"), until=lambda found: not found)
    assert namespace.kubectl("get", "isthmus", "-o", "name") == ""
