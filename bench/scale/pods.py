"""Pods: how long `kubectl apply` and `kubectl scale` take on a cluster that runs them.

The Route's own Deployment, copied without its owner and under another name, is what the Route is
compared with: the same image, probes and files.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from control_plane import assets

import processes
from scale import ROOT, trials

CLUSTER: Final = ROOT / "tests" / "cluster" / "cluster.py"
NAMESPACE: Final = "isthmus-bench"
WITHIN: Final = "120s"
PATIENCE: Final = 120.0
_NAME: Final = "bench"
_COPY: Final = "copy"
_ROUTE: Final[dict[str, Any]] = {
    "apiVersion": "isthmus.dev/v1alpha1",
    "kind": "Route",
    "metadata": {"name": _NAME},
    "spec": {
        "source": {"http": {"method": "GET", "path": "/bench"}},
        "steps": [{"respond": {"status": 200, "body": {"hello": "bench"}}}],
    },
}


class NoClusterError(Exception):
    """There is no cluster with an operator; the message says what is missing."""


@dataclasses.dataclass(frozen=True, slots=True)
class Pods:
    """Medians, in seconds."""

    ready: float
    """From `kubectl apply` of a Route to Ready; and of the copy to Available."""
    bare_ready: float
    scaled: float
    """From `kubectl scale` of the Route, 1 to 3, to all pods Ready; and of the copy."""
    bare_scaled: float


def find() -> Path:
    """The kubeconfig of KUBECONFIG, or of the cluster that `make cluster` started."""
    if named := os.environ.get("KUBECONFIG"):
        kubeconfig = Path(named)
    else:
        program = [sys.executable, str(CLUSTER), "status"]
        said = subprocess.run(program, capture_output=True, text=True).stdout.strip()
        if not said.startswith("running: "):
            raise NoClusterError("no cluster: run make cluster and install the chart")
        kubeconfig = Path(said.removeprefix("running: "))
    try:
        _Kubectl(kubeconfig)("get", "crd", "routes.isthmus.dev")
    except processes.StartError as error:
        raise NoClusterError("the cluster has no operator: install the chart") from error
    return kubeconfig


def measure(kubeconfig: Path, *, rounds: int, say: trials.Say) -> Pods:
    """Apply a Route and the copy of its Deployment in turn, then scale them in turn."""
    cluster = _Kubectl(kubeconfig)
    with cluster.namespace():
        cluster.to_ready(_ROUTE)
        copy = _copy(json.loads(cluster("get", f"deployment/{_NAME}", "-o", "json")))
        made: dict[str, list[float]] = {"Route": [], "Deployment": []}
        scaled: dict[str, list[float]] = {f"route/{_NAME}": [], f"deployment/{_COPY}": []}
        for number in range(rounds):
            say(f"apply a Route and a Deployment, round {number + 1}")
            for each in (_ROUTE, copy):
                cluster.remove(each)
                made[each["kind"]].append(cluster.to_ready(each))
        for number in range(rounds):
            say(f"scale a Route and a Deployment, round {number + 1}")
            for what in scaled:
                scaled[what].append(cluster.scaled(what))
    return Pods(
        ready=trials.median(made["Route"]),
        bare_ready=trials.median(made["Deployment"]),
        scaled=trials.median(scaled[f"route/{_NAME}"]),
        bare_scaled=trials.median(scaled[f"deployment/{_COPY}"]),
    )


class _Kubectl:
    def __init__(self, kubeconfig: Path) -> None:
        self._program = str(assets() / "kubectl")
        self._environment = os.environ | {"KUBECONFIG": str(kubeconfig), "KUBERC": "off"}

    def __call__(self, *args: str, stdin: str = "") -> str:
        done = subprocess.run(
            [self._program, "--namespace", NAMESPACE, *args],
            input=stdin,
            capture_output=True,
            text=True,
            env=self._environment,
        )
        if done.returncode != 0:
            raise processes.StartError(f"kubectl {' '.join(args)}: {done.stderr.strip()}")
        return done.stdout

    @contextlib.contextmanager
    def namespace(self) -> Iterator[None]:
        self("create", "namespace", NAMESPACE)
        try:
            yield
        finally:
            self("delete", "namespace", NAMESPACE, "--wait=true")

    def to_ready(self, manifest: dict[str, Any]) -> float:
        """Apply a Route or a Deployment, and wait until its one pod answers."""
        what = f"{manifest['kind']}/{manifest['metadata']['name']}"
        condition = "Ready" if manifest["kind"] == "Route" else "Available"
        began = time.perf_counter()
        self("apply", "-f", "-", stdin=json.dumps(manifest))
        self("wait", what, f"--for=condition={condition}", f"--timeout={WITHIN}")
        return time.perf_counter() - began

    def remove(self, manifest: dict[str, Any]) -> None:
        """Delete one, and wait until its pods are gone."""
        name = manifest["metadata"]["name"]
        self("delete", manifest["kind"], name, "--ignore-not-found")
        self.pods_of(name, 0)

    def scaled(self, what: str) -> float:
        """Scale to three, measured; and back to one."""
        deployment = what.partition("/")[2]
        began = time.perf_counter()
        self("scale", what, "--replicas=3")
        self.wait_for(deployment, 3)
        seconds = time.perf_counter() - began
        self("scale", what, "--replicas=1")
        self.pods_of(deployment, 1)
        return seconds

    def pods_of(self, name: str, count: int) -> None:
        """Return once there are so many pods of a Route or of the copy, those that end included."""
        label = f"isthmus.dev/route={name}" if name == _NAME else f"app={name}"
        deadline = time.monotonic() + PATIENCE
        while len(self("get", "pods", "-l", label, "-o", "name").split()) != count:
            if time.monotonic() > deadline:
                raise processes.StartError(f"there are not {count} pods of {name}")
            time.sleep(0.2)

    def wait_for(self, deployment: str, pods: int) -> None:
        """Return once a Deployment has so many pods and all are Ready."""
        for field in ("replicas", "readyReplicas"):
            path = f"jsonpath={{.status.{field}}}={pods}"
            self("wait", f"deployment/{deployment}", f"--for={path}", f"--timeout={WITHIN}")


def _copy(found: dict[str, Any]) -> dict[str, Any]:
    """A Deployment of nobody's, with the pods of another."""
    labels, spec = {"app": _COPY}, found["spec"]
    template = {**spec["template"], "metadata": {"labels": labels}}
    return {
        "apiVersion": found["apiVersion"],
        "kind": found["kind"],
        "metadata": {"name": _COPY},
        "spec": {**spec, "selector": {"matchLabels": labels}, "template": template},
    }
