"""The verbs of kubectl on a Route whose pods run: describe, scale, autoscale, delete."""

import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
import quotes
from kubernetes_cluster import Cluster, Namespace, eventually

ROUTE = "route/quotes"


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace with a Route that runs; the last test deletes it."""
    with cluster.namespace(f"e2e-verbs-{os.getpid()}") as made:
        quotes.start(made, quotes.route())
        yield made


def test_describe_tells_conditions_and_what_happened(namespace: Namespace) -> None:
    described = eventually(
        lambda: namespace.kubectl("describe", ROUTE),
        until=lambda text: "Running" in text.partition("\nEvents:")[2],
    )

    status, _, events = described.partition("\nEvents:")
    for field in ("Reason: Running", "Type: Ready", "Type: WorkloadAvailable"):
        assert re.search(field.replace(" ", r"\s+"), status)
    told = [line.split()[:2] for line in events.splitlines() if "isthmus.dev/operator" in line]
    assert told[-2:] == [["Normal", "RollingOut"], ["Normal", "Running"]]


def test_a_restart_replaces_the_pods_and_is_waited_for(namespace: Namespace) -> None:
    before = namespace.pods("quotes").keys()

    namespace.isthmus("rollout", "restart", ROUTE)
    waited = namespace.isthmus("rollout", "status", ROUTE, "--timeout", "3m")
    history = namespace.isthmus("rollout", "history", ROUTE)

    assert waited.splitlines()[-1].endswith(": 1 pod answers")
    now = namespace.pods("quotes").keys()
    assert len(now) == 1
    assert not now & before
    assert "restart" in history.splitlines()[-1]


def test_a_request_is_in_the_logs_and_its_pod_is_measured(namespace: Namespace) -> None:
    namespace.fetch("quotes:80", quotes.PATH)

    eventually(
        lambda: namespace.isthmus("logs", ROUTE, "-o", "json"),
        until=lambda text: f'"path": "{quotes.PATH}"' in text,
    )
    (pod,) = namespace.pods("quotes").values()
    measured = namespace.isthmus("top", ROUTE, "--interval", "1s")
    assert [line.split()[0] for line in measured.splitlines()] == ["POD", pod]


def test_a_pause_takes_the_pods_away_until_it_is_over(namespace: Namespace) -> None:
    namespace.isthmus("pause", ROUTE)
    paused = namespace.isthmus("rollout", "status", ROUTE, "--timeout", "2m")
    namespace.isthmus("resume", ROUTE)
    resumed = namespace.isthmus("rollout", "status", ROUTE, "--timeout", "2m")

    assert paused.splitlines()[-1].endswith(" is paused: no pods run")
    assert resumed.splitlines()[-1].endswith(": 1 pod answers")


def test_scale_waits_when_it_is_told_to(namespace: Namespace) -> None:
    namespace.kubectl("scale", ROUTE, "--replicas=2", "--timeout=60s")

    assert namespace.get(ROUTE)["status"]["replicas"] == 2
    namespace.wait(ROUTE)
    assert len(namespace.pods("quotes")) == 2


def test_an_autoscaler_finds_the_route_and_its_pods_and_scales_it(namespace: Namespace) -> None:
    namespace.kubectl("autoscale", ROUTE, "--min=3", "--max=4", "--cpu=70%")

    namespace.wait(ROUTE, "jsonpath={.spec.replicas}=3")
    namespace.wait(ROUTE, "jsonpath={.status.availableReplicas}=3")
    told = eventually(lambda: _conditions(namespace), until=lambda found: "ScalingActive" in found)
    assert told["AbleToScale"]["status"] == "True"
    # Whether there are metrics is the cluster's affair; the selector is ours.
    assert told["ScalingActive"]["reason"] in {"ValidMetricFound", "FailedGetResourceMetric"}
    selector = namespace.get(ROUTE)["status"]["selector"]
    selected = namespace.uids("pods", "-l", selector)
    assert selected == namespace.pods("quotes").keys()

    namespace.kubectl("delete", "hpa", "quotes")


def _conditions(namespace: Namespace) -> dict[str, dict[str, Any]]:
    found = namespace.get("hpa/quotes")["status"].get("conditions", ())
    return {each["type"]: each for each in found}


def test_delete_leaves_nothing(namespace: Namespace) -> None:
    assert namespace.children("quotes")

    namespace.kubectl("delete", ROUTE, "--timeout=30s")

    eventually(lambda: namespace.children("quotes"), until=lambda found: not found)
    assert "quotes" not in namespace.kubectl("get", "all,cm,sa,netpol,pdb,ingress", "-o", "name")
