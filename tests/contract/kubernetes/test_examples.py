"""The folders of the examples as `kubectl apply -k` hands them to an API server."""

import json
import subprocess
from pathlib import Path

import pytest
from control_plane import ControlPlane

EXAMPLES = Path(__file__).parents[3] / "examples"
FOLDERS = sorted(file.parent.name for file in EXAMPLES.glob("*/kustomization.yaml"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_object_is_accepted(plane: ControlPlane, namespace: str, folder: str) -> None:
    flags = ("--server-side", "--validate=strict", "-o", "json", "-k", str(EXAMPLES / folder))

    applied = json.loads(plane.kubectl("apply", "-n", namespace, *flags).stdout)

    kinds = {item["kind"] for item in applied["items"]}
    assert kinds >= {"Connector", "Mapping", "Route"}
    assert kinds >= {"Deployment", "Service"} or not folder.endswith("-kubernetes")


def test_made_secrets_are_those_that_are_named_and_differ_each_time(
    plane: ControlPlane, namespace: str
) -> None:
    made = [_made() for _ in range(2)]

    plane.kubectl("apply", "-n", namespace, "-f", "-", stdin=made[0])
    secrets = json.loads(plane.kubectl("get", "secrets", "-n", namespace, "-o", "json").stdout)

    found = {item["metadata"]["name"]: set(item["data"]) for item in secrets["items"]}
    assert found == {"erp": {"username", "password"}, "shop": {"webhook", "token"}}
    lines = [set(each.splitlines()) for each in made]
    assert not any("stringData" in line for line in lines[0] & lines[1])


def _made() -> str:
    script = EXAMPLES / "orders-to-erp-kubernetes/secrets"
    return subprocess.run([script], capture_output=True, text=True, check=True).stdout
