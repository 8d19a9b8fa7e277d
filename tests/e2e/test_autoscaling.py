"""`spec.autoscaling` under load: by what metrics-server measures, within its bounds."""

import json
from typing import Any

import quotes
import yaml
from kubernetes_cluster import Namespace, eventually
from steady_load import steady_load

MOST = 2
BOUNDS = {"minReplicas": 1, "maxReplicas": MOST, "cpu": 10}
"""The load takes six times as much on a fast machine, and a Route without load a tenth of it."""
MANIFEST = quotes.route(autoscaling=BOUNDS)
PATIENCE_SECONDS = 420
"""An autoscaler waits five minutes before it lets go of a pod, unless it is told otherwise."""


def test_load_makes_pods_and_its_end_takes_them_away(namespace: Namespace) -> None:
    """While Git's manifest is what the Route has."""
    quotes.start(namespace, MANIFEST)
    namespace.wait("route/quotes", "condition=ScalingActive", within=PATIENCE_SECONDS)
    assert counted(namespace) == 1

    with steady_load(namespace, "quotes", quotes.PATH) as load:
        namespace.wait("route/quotes", f"jsonpath={{.status.availableReplicas}}={MOST}")
        eventually(lambda: told(namespace), until=lambda found: found == "TooManyReplicas")
        assert counted(namespace) == MOST
        table = namespace.kubectl("get", "route/quotes", "-o", "wide")
        assert is_as_git_has_it(namespace)
        account = load.end()
    eventually(lambda: counted(namespace), until=lambda found: found == 1, within=PATIENCE_SECONDS)

    account.assert_nothing_lost()
    assert table.rstrip().endswith("HorizontalPodAutoscaler/quotes")
    assert is_as_git_has_it(namespace)


def counted(namespace: Namespace) -> int:
    """How many pods the autoscaler has the Deployment have."""
    count: int = namespace.get("deployment/quotes")["spec"]["replicas"]
    return count


def told(namespace: Namespace) -> str:
    """Whether the autoscaler would like more than it may have."""
    reason: str = namespace.condition("hpa/quotes", "ScalingLimited").get("reason", "")
    return reason


def is_as_git_has_it(namespace: Namespace) -> bool:
    """Whether an apply would change nothing, and nothing has written the spec before."""
    as_json: Any = namespace.get("route/quotes")
    dry = ("apply", "--server-side", "--field-manager=argocd-controller", "--force-conflicts")
    text = yaml.safe_dump(MANIFEST)
    options = ("--dry-run=server", "-o", "json", "-f", "-")
    predicted = json.loads(namespace.kubectl(*dry, *options, stdin=text))
    return bool(predicted["spec"] == as_json["spec"] and as_json["metadata"]["generation"] == 1)
