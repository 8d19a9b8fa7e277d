"""The chart's pods, as the API server's own admission sees them."""

import json
from pathlib import Path

import pytest
import yaml
from control_plane import ControlPlane
from helm import CHART, Helm

HERE = Path(__file__).parent


@pytest.mark.parametrize("values", ["default", "embedded", "everything", "namespaced"])
def test_the_pods_of_the_chart_are_allowed_where_pods_are_restricted(
    plane: ControlPlane, namespace: str, offline: Helm, values: str
) -> None:
    enforce = "pod-security.kubernetes.io/enforce=restricted"
    plane.kubectl("label", "namespace", namespace, enforce)
    rendered = offline("template", "isthmus", CHART, f"--values={HERE / 'values' / values}.yaml")
    templates = [
        each["spec"]["template"]
        for each in yaml.safe_load_all(rendered)
        if each and each["kind"] in ("Deployment", "StatefulSet")
    ]

    for template in templates:
        claimed = [
            {"name": each["name"], "emptyDir": {}}
            for each in template["spec"]["containers"][0].get("volumeMounts", ())
            if each["name"] == "data"
        ]
        volumes = [*template["spec"].get("volumes", ()), *claimed]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "it"}} | {
            "spec": template["spec"] | {"volumes": volumes}
        }
        create = ("create", "--dry-run=server", "-n", namespace, "-f", "-")
        plane.kubectl(*create, stdin=json.dumps(pod))
        # Were it not enforced, this would pass too.
        pod["spec"].pop("securityContext")
        refused = plane.kubectl(*create, stdin=json.dumps(pod), check=False)
        assert 'violates PodSecurity "restricted' in refused.stderr
    assert len(templates) == (2 if values == "embedded" else 1)
