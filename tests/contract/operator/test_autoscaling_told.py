"""What the command line tells of a Route that is scaled, on a real API server."""

import json
from pathlib import Path
from typing import Any

import manifests_text
import yaml
from cluster_command import Command
from controllers import controllers
from operating import IMAGE, Cluster, eventually

ERP = manifests_text.connector("http://erp.example")
ROUTE = manifests_text.route(
    "- call: {connector: erp}",
    spec={"autoscaling": {"minReplicas": 2, "maxReplicas": 5, "cpu": 70}},
)
FAILED = {
    "type": "ScalingActive",
    "status": "False",
    "reason": "FailedGetResourceMetric",
    "message": "no metrics",
}


async def test_trace_and_status_tell_of_the_autoscaler_and_its_count(
    cluster: Cluster, isthmus: Command
) -> None:
    async with cluster.operator(), controllers(cluster):
        await cluster.apply(ERP, ROUTE)
        await cluster.eventually_there("HorizontalPodAutoscaler", "it")
        await cluster.kubectl("scale", "deployment/it", "--replicas=4")
        await cluster.condition("Route", "it", status="True", message="4 pods answer.")
        await cluster.condition("Route", "it", "ScalingActive", status="True")
        status = {"status": {"currentReplicas": 4, "desiredReplicas": 4, "conditions": [FAILED]}}
        patch = ("--subresource=status", "--type=merge", "-p", json.dumps(status))
        await cluster.kubectl("patch", "hpa", "it", *patch)

        traced = json.loads((await isthmus.run("trace", "it", "-o", "json")).stdout)
        told = await isthmus.run("status", "it", "-o", "json")
        paused = await isthmus.run("pause", "it")
        await cluster.condition("Route", "it", reason="Paused")
        resumed = await isthmus.run("resume", "it")

    [scaler] = [
        each for each in traced["tree"]["nodes"] if each["kind"] == "HorizontalPodAutoscaler"
    ]
    assert (scaler["name"], scaler["state"]) == ("it", "wrong")
    assert scaler["message"] == (
        "between 2 and 5 pods, wants 4; FailedGetResourceMetric: no metrics"
    )
    [summary] = json.loads(told.stdout)["routes"]
    assert summary["replicas"] == {"available": 4, "wanted": 4}
    assert paused.stdout == "route/it is paused: its pods end, and replicas (4) is kept\n"
    assert resumed.stdout.startswith("route/it is resumed with replicas 4; ")


async def test_what_is_rendered_is_what_runs(
    cluster: Cluster, isthmus: Command, tmp_path: Path
) -> None:
    (tmp_path / "it.yaml").write_text(f"{ERP}\n---\n{ROUTE}")
    async with cluster.operator():
        await cluster.apply(ERP, ROUTE)
        await eventually(
            lambda: cluster.eventually_there("Deployment", "it"),
            until=lambda found: found["spec"]["replicas"] == 2,
        )
        live = await cluster.eventually_there("HorizontalPodAutoscaler", "it")

        rendered = await isthmus.run(
            "render", str(tmp_path), "--image", IMAGE, "-n", cluster.namespace
        )

    made: dict[str, Any] = {each["kind"]: each for each in yaml.safe_load_all(rendered.stdout)}
    autoscaler = made["HorizontalPodAutoscaler"]
    assert autoscaler["spec"] == live["spec"]
    assert autoscaler["metadata"]["labels"] == live["metadata"]["labels"]
    assert "replicas" not in made["Deployment"]["spec"]
