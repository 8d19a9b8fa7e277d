"""What belongs together may be applied in any order; pods come when everything is there."""

import itertools
import json
import os
import random
from collections.abc import Iterator

import pytest
import quotes
from kubernetes_cluster import Cluster, Namespace, eventually

_ALL = list(itertools.permutations(("Connector", "Mapping", "Secret", "Route")))
ORDERS = random.Random(4).sample(_ALL, 6)
REFERENCES = {"Connector", "Mapping"}
"""The operator sees them; of Secrets it learns from pods only."""


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace with the system that the Routes ask."""
    with cluster.namespace(f"e2e-orders-{os.getpid()}") as made:
        made.apply(*quotes.erp())
        made.wait("deployment/erp", "condition=Available")
        yield made


@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
def test_an_order_ends_ready_with_no_pod_before_its_time(
    namespace: Namespace, order: tuple[str, ...]
) -> None:
    name = "-".join(order).lower()
    documents = {
        "Connector": quotes.connector(name=name, secret=name),
        "Mapping": quotes.mapping(name=name),
        "Secret": quotes.secret(name=name),
        "Route": quotes.route(name, connector=name, mapping=name),
    }

    for number, kind in enumerate(order, start=1):
        namespace.apply(documents[kind])
        missing = set(order[number:])
        if "Route" not in missing and missing:
            _assert_it_waits(namespace, name, missing)
    namespace.wait(f"route/{name}")

    assert json.loads(namespace.fetch(f"{name}:80", quotes.PATH))["version"] == 1


def _assert_it_waits(namespace: Namespace, name: str, missing: set[str]) -> None:
    reasons = {f"{kind}NotFound" for kind in missing & REFERENCES or missing}
    told = eventually(
        lambda: namespace.condition(f"route/{name}"),
        until=lambda found: found.get("reason") in reasons,
    )
    assert name in told["message"]
    if missing & REFERENCES:
        assert namespace.children(name) == set()
    else:
        assert not any(_started(pod) for pod in namespace.get(*_pods(name))["items"])


def _pods(route: str) -> tuple[str, ...]:
    return ("pods", "-l", f"isthmus.dev/route={route}")


def _started(pod: dict[str, dict[str, list[dict[str, object]]]]) -> bool:
    """Whether the process of the Route began."""
    return any(each.get("started") for each in pod["status"].get("containerStatuses", ()))
