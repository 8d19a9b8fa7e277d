"""The operator's pods, as the API server's own admission sees them."""

import json
from pathlib import Path

import pytest
import yaml
from control_plane import ControlPlane
from helm import CHART, Helm

HERE = Path(__file__).parent


@pytest.mark.parametrize("values", ["default", "everything", "namespaced"])
def test_an_operator_pod_is_allowed_where_pods_are_restricted(
    plane: ControlPlane, namespace: str, offline: Helm, values: str
) -> None:
    enforce = "pod-security.kubernetes.io/enforce=restricted"
    plane.kubectl("label", "namespace", namespace, enforce)
    rendered = offline("template", "isthmus", CHART, f"--values={HERE / 'values' / values}.yaml")
    templates = [
        each["spec"]["template"]
        for each in yaml.safe_load_all(rendered)
        if each and each["kind"] == "Deployment"
    ]

    for template in templates:
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "it"}} | {
            "spec": template["spec"]
        }
        create = ("create", "--dry-run=server", "-n", namespace, "-f", "-")
        plane.kubectl(*create, stdin=json.dumps(pod))
        # Were it not enforced, this would pass too.
        pod["spec"].pop("securityContext")
        refused = plane.kubectl(*create, stdin=json.dumps(pod), check=False)
        assert 'violates PodSecurity "restricted' in refused.stderr
    assert len(templates) == 1
