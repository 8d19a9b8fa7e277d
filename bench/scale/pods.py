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
_ROUTE: Final = {
    "apiVersion": "isthmus.dev/v1alpha1",
    "kind": "Route",
    "metadata": {"name": "bench"},
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
    """From `kubectl apply` of a Route to Ready."""
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
    """Apply a Route, then scale it and the copy of its Deployment in turn."""
    cluster = _Kubectl(kubeconfig)
    with cluster.namespace():
        ready = []
        for _ in range(rounds):
            say("a Route to Ready")
            ready.append(cluster.to_ready())
            cluster("delete", "route/bench", "--wait=true", f"--timeout={WITHIN}")
            cluster("wait", "pod", "--all", "--for=delete", f"--timeout={WITHIN}")
        cluster.to_ready()
        cluster.apply(_copy(json.loads(cluster("get", "deployment/bench", "-o", "json"))))
        cluster.wait_for("copy", 1)
        scaled: dict[str, list[float]] = {"route/bench": [], "deployment/copy": []}
        for number in range(rounds):
            for each in scaled:
                say(f"scale {each}, round {number + 1}")
                scaled[each].append(cluster.scaled(each))
    return Pods(
        ready=trials.median(ready),
        scaled=trials.median(scaled["route/bench"]),
        bare_scaled=trials.median(scaled["deployment/copy"]),
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

    def apply(self, manifest: dict[str, Any]) -> None:
        self("apply", "-f", "-", stdin=json.dumps(manifest))

    def to_ready(self) -> float:
        began = time.perf_counter()
        self.apply(_ROUTE)
        self("wait", "route/bench", "--for=condition=Ready", f"--timeout={WITHIN}")
        return time.perf_counter() - began

    def scaled(self, what: str) -> float:
        """Scale to three, measured; and back to one."""
        deployment = what.partition("/")[2]
        began = time.perf_counter()
        self("scale", what, "--replicas=3")
        self.wait_for(deployment, 3)
        seconds = time.perf_counter() - began
        self("scale", what, "--replicas=1")
        self.wait_for(deployment, 1)
        return seconds

    def wait_for(self, deployment: str, pods: int) -> None:
        """Return once a Deployment has so many pods and all are Ready."""
        for field in ("replicas", "readyReplicas"):
            path = f"jsonpath={{.status.{field}}}={pods}"
            self("wait", f"deployment/{deployment}", f"--for={path}", f"--timeout={WITHIN}")


def _copy(found: dict[str, Any]) -> dict[str, Any]:
    """A Deployment of nobody's, with the pods of another."""
    labels, spec = {"app": "copy"}, found["spec"]
    template = {**spec["template"], "metadata": {"labels": labels}}
    return {
        "apiVersion": found["apiVersion"],
        "kind": found["kind"],
        "metadata": {"name": "copy"},
        "spec": {**spec, "selector": {"matchLabels": labels}, "template": template},
    }
