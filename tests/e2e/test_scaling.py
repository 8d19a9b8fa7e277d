"""Who scales a Route and who owns its manifest: each pair lives in peace.

A count may come from kubectl, from an autoscaler that kubectl or a manifest made, or from a scaler
of its own that writes `/scale`, as KEDA does from zero. A manifest without `replicas` is applied by
the client (a three-way merge) or by the server, or compared by a dry run of the server. The Routes
are paused: their counts are what matters, and pods would take room on a small cluster.
"""

import itertools
import json
import os
from collections.abc import Iterator

import pytest
import quotes
import yaml
from kubernetes_cluster import Cluster, Namespace, eventually

COUNT = 3
SCALERS = ("kubectl-scale", "kubectl-autoscale", "autoscaler", "scaler")
OWNERS = ("client", "server", "dry-run")
PAIRS = [f"{scaler}-{owner}" for scaler, owner in itertools.product(SCALERS, OWNERS)]


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace with a Route for each pair, all of them scaled."""
    with cluster.namespace(f"e2e-scaling-{os.getpid()}") as made:
        made.apply(quotes.connector(), quotes.mapping())
        for pair in PAIRS:
            apply(made, pair)
        for pair in PAIRS:
            made.wait(f"route/{pair}", "condition=Paused")
            scale(made, pair)
        yield made


def manifest(pair: str) -> str:
    return yaml.safe_dump(quotes.route(pair, paused=True))


def flags(pair: str) -> tuple[str, ...]:
    return () if pair.endswith("client") else ("--server-side", "--force-conflicts")


def apply(namespace: Namespace, pair: str) -> None:
    namespace.kubectl("apply", *flags(pair), "-f", "-", stdin=manifest(pair))


def scale(namespace: Namespace, pair: str) -> None:
    """Have the Route scaled to `COUNT`."""
    if pair.startswith("kubectl-scale"):
        namespace.kubectl("scale", f"route/{pair}", f"--replicas={COUNT}")
    elif pair.startswith("kubectl-autoscale"):
        bounds = (f"--min={COUNT}", f"--max={COUNT + 1}", "--cpu=70%")
        namespace.kubectl("autoscale", f"route/{pair}", *bounds)
    elif pair.startswith("autoscaler"):
        namespace.apply(autoscaler(pair))
    else:
        patch = json.dumps({"spec": {"replicas": COUNT}})
        what = ("patch", f"route/{pair}", "--subresource=scale", "--type=merge", "-p", patch)
        namespace.kubectl(*what)


def autoscaler(pair: str) -> str:
    target = {"apiVersion": quotes.API, "kind": "Route", "name": pair}
    return yaml.safe_dump(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": pair},
            "spec": {"scaleTargetRef": target, "minReplicas": COUNT, "maxReplicas": COUNT + 1},
        }
    )


@pytest.mark.parametrize("pair", PAIRS)
def test_a_count_stays_and_is_no_difference(namespace: Namespace, pair: str) -> None:
    namespace.wait(f"route/{pair}", f"jsonpath={{.spec.replicas}}={COUNT}")

    if pair.endswith("dry-run"):
        dry = ("apply", *flags(pair), "--dry-run=server", "-o", "json", "-f", "-")
        predicted = json.loads(namespace.kubectl(*dry, stdin=manifest(pair)))
        assert predicted["spec"] == namespace.get(f"route/{pair}")["spec"]
    else:
        # kubectl diff fails where there is a difference.
        assert namespace.kubectl("diff", *flags(pair), "-f", "-", stdin=manifest(pair)) == ""
        apply(namespace, pair)

    assert namespace.get(f"route/{pair}")["spec"]["replicas"] == COUNT
    by_autoscaler = pair.startswith(("kubectl-autoscale", "autoscaler"))
    wanted = f"HorizontalPodAutoscaler/{pair}" if by_autoscaler else "client"
    table = eventually(
        lambda: namespace.kubectl("get", f"route/{pair}", "-o", "wide"),
        until=lambda text: text.rstrip().endswith(wanted),
    )
    assert "SCALED BY" in table


def test_the_operators_autoscaler_scales_the_deployment(namespace: Namespace) -> None:
    """By its bounds, which needs no metrics. The pause, which it does not know, takes all away."""
    bounds = {"minReplicas": 2, "maxReplicas": 2, "cpu": 70}
    made = yaml.safe_dump(quotes.route("autoscaled", autoscaling=bounds))
    namespace.apply(quotes.secret())
    namespace.kubectl("apply", "--server-side", "-f", "-", stdin=made)
    namespace.wait("deployment/autoscaled", "jsonpath={.spec.replicas}=2")
    namespace.wait("route/autoscaled", "condition=Ready")

    raised = json.dumps({"spec": {"autoscaling": {"minReplicas": 3, "maxReplicas": 3}}})
    namespace.kubectl("patch", "route/autoscaled", "--type=merge", "-p", raised)
    namespace.wait("hpa/autoscaled", "jsonpath={.spec.minReplicas}=3")
    namespace.wait("deployment/autoscaled", "jsonpath={.status.availableReplicas}=3")
    table = namespace.kubectl("get", "route/autoscaled", "-o", "wide")
    route = namespace.get("route/autoscaled")
    namespace.kubectl(
        "patch", "route/autoscaled", "--type=merge", "-p", '{"spec": {"paused": true}}'
    )
    namespace.wait("deployment/autoscaled", "jsonpath={.spec.replicas}=0")
    namespace.kubectl("delete", "route/autoscaled")

    assert table.rstrip().endswith("HorizontalPodAutoscaler/autoscaled")
    assert route["spec"]["replicas"] == 1
