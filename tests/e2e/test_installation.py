"""`helm test` on the installed operator, as a platform team runs it."""

from collections.abc import Iterator

import pytest
from kubernetes_cluster import SYSTEM, Cluster, eventually

TEST = ("helm", "test", "isthmus", "--namespace", SYSTEM, "--logs", "--timeout", "3m")
POD = "pod/isthmus-operator-test"
DEPLOYMENT = "deployment/isthmus-operator"
PODS = ("pods", "-l", "app.kubernetes.io/component=operator")


@pytest.fixture
def absence(cluster: Cluster) -> Iterator[None]:
    """The operator gone, and not only going; back in the end, whatever happens."""
    cluster.system.kubectl("scale", DEPLOYMENT, "--replicas=0")
    cluster.system.kubectl("wait", "--for=delete", *PODS, "--timeout=90s")
    yield
    cluster.system.kubectl("delete", POD, "--ignore-not-found")
    cluster.system.kubectl("scale", DEPLOYMENT, "--replicas=2")
    cluster.system.kubectl("rollout", "status", DEPLOYMENT, "--timeout=90s")


def test_an_operator_at_work_passes_and_nothing_stays(cluster: Cluster) -> None:
    said = cluster.run(*TEST, timeout=240)

    assert "ok     Connectors, Mappings and Routes can be read" in said
    assert "ok     an operator renews the Lease" in said
    assert "ok     an operator is ready" in said
    eventually(
        lambda: cluster.system.kubectl("get", POD, "--ignore-not-found", "-o", "name"),
        until=lambda found: not found,
    )


@pytest.mark.usefixtures("absence")
def test_an_operator_that_is_away_is_found_out_and_the_log_stays(cluster: Cluster) -> None:
    with pytest.raises(AssertionError, match="isthmus-operator-test"):
        cluster.run(*TEST, timeout=240)

    said = cluster.system.kubectl("logs", POD)
    assert "ok     Connectors, Mappings and Routes can be read" in said
    assert "FAILED an operator renews the Lease: " in said
    assert "FAILED an operator is ready: " in said
