"""What stands in Git beside our kinds, in the waves of Argo CD."""

from typing import Any

import quotes
from kubernetes_cluster import EXAMPLE_IMAGE

Manifest = dict[str, Any]


def in_wave(number: int, manifest: Manifest) -> Manifest:
    """A manifest for a later wave; all others are in wave 0."""
    annotations = {"argocd.argoproj.io/sync-wave": str(number)}
    return manifest | {"metadata": manifest["metadata"] | {"annotations": annotations}}


def note(name: str, **labels: str) -> Manifest:
    """Something that is not ours."""
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def smoke(route: str) -> Manifest:
    """A Job that fails when the Route does not answer at the first call."""
    call = f"import urllib.request as it; it.urlopen('http://{route}{quotes.PATH}', timeout=10)"
    container = {
        "name": "smoke",
        "image": EXAMPLE_IMAGE,
        "command": ["python3", "-c", call],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    pod = {
        "restartPolicy": "Never",
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
    }
    spec = {"backoffLimit": 0, "template": {"spec": pod}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "smoke"}, "spec": spec}
