"""`isthmus messages -n`: what it says where it cannot ask a pod, on a real API server."""

from cluster_command import Command
from operating import Cluster

from isthmus_operator.kube import kinds


async def ready_pod(cluster: Cluster) -> None:
    """Play the kubelet: a pod of a Route that has a journal and is ready."""
    labels = {
        "isthmus.dev/route": "orders",
        "app.kubernetes.io/managed-by": "isthmus",
        "app.kubernetes.io/component": "route",
    }
    env = [{"name": "ISTHMUS_JOURNAL_FILE", "value": "/journal"}]
    await cluster.client.create(
        kinds.PODS,
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "orders", "namespace": cluster.namespace, "labels": labels},
            "spec": {"containers": [{"name": "route", "image": "runtime", "env": env}]},
        },
    )
    ready = {"type": "Ready", "status": "True", "reason": "", "message": ""}
    await cluster.play("Pod", "orders", {"conditions": [ready]})


def test_without_a_pod_it_says_who_knows_why(cluster: Cluster, isthmus: Command) -> None:
    ended = isthmus("messages", "list", "-n", cluster.namespace)

    assert "has a journal and is ready; `kubectl -n" in ended.stderr
    assert (ended.stdout, ended.returncode) == ("", 1)


async def test_the_rights_that_are_missing_are_named(cluster: Cluster, isthmus: Command) -> None:
    await ready_pod(cluster)
    nothing = isthmus.with_rights()
    lists = isthmus.with_rights("get,list pods")

    no_pods = await isthmus.run("messages", "list", "-n", cluster.namespace, kubeconfig=nothing)
    no_exec = await isthmus.run("messages", "list", "-n", cluster.namespace, kubeconfig=lists)

    place = f"in the namespace {cluster.namespace}"
    assert f"it needs list on pods {place}" in no_pods.stderr
    assert f"it needs get and create on pods/exec {place}" in no_exec.stderr
    assert no_pods.returncode == no_exec.returncode == 2


async def test_a_pod_that_cannot_be_entered_is_named(cluster: Cluster, isthmus: Command) -> None:
    """There is no node here that could run anything."""
    await ready_pod(cluster)

    ended = await isthmus.run("messages", "list", "-n", cluster.namespace)

    assert "the pod orders cannot be entered: " in ended.stderr
    assert ended.returncode == 2


def test_a_cluster_that_is_away(cluster: Cluster, isthmus: Command) -> None:
    away = isthmus.kubeconfig(server="https://127.0.0.1:9")

    ended = isthmus("messages", "list", "-n", cluster.namespace, kubeconfig=away)

    assert "the API server cannot be reached at https://127.0.0.1:9: " in ended.stderr
    assert ended.returncode == 2
