"""Pods that run one Python script of the tests, as restricted as a namespace can ask for."""

from pathlib import Path
from typing import Any

from kubernetes_cluster import EXAMPLE_IMAGE

Manifest = dict[str, Any]


def manifests(
    name: str, script: Path, *args: str, labels: dict[str, str] | None = None
) -> tuple[Manifest, Manifest]:
    """The script as a ConfigMap, and a pod that runs it once."""
    files = script.stem.replace("_", "-")
    return _config_map(files, script), _pod(name, files, script.name, args, labels or {})


def _config_map(name: str, script: Path) -> Manifest:
    data = {script.name: script.read_text("utf-8")}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def _pod(
    name: str, files: str, script: str, args: tuple[str, ...], labels: dict[str, str]
) -> Manifest:
    container = {
        "name": "script",
        "image": EXAMPLE_IMAGE,
        "command": ["python", f"/script/{script}", *args],
        "volumeMounts": [{"name": "script", "mountPath": "/script", "readOnly": True}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "script", "configMap": {"name": files}}],
    }
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
