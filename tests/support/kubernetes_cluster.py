"""A cluster as its users see it: kubectl and helm, and a look at what there is."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, TypeVar

import namespaces
import yaml
from control_plane import HERE as CLUSTER_FOLDER

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "isthmus"
SYSTEM = "isthmus-system"
CHILDREN = (
    "deployments,replicasets,pods,services,endpointslices,configmaps,serviceaccounts,"
    "networkpolicies,poddisruptionbudgets,horizontalpodautoscalers"
)
EXAMPLE_IMAGE = "localhost/isthmus-example:dev"


def eventually(
    look: Callable[[], T], *, until: Callable[[T], bool], within: float = 60.0, pause: float = 0.2
) -> T:
    """Look until what is seen is as expected, and give it."""
    deadline = time.monotonic() + within
    while not until(seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not so within {within:.0f} s; last seen: {seen}")
        time.sleep(pause)
    return seen


@dataclass(frozen=True)
class Cluster:
    """One cluster, with the rights of its kubeconfig."""

    kubeconfig: Path
    operator: str
    """What the operator's image was made of. Its tag stays the same, and its pods have to be new
    when it is not."""

    @cached_property
    def programs(self) -> Path:
        """The folder that has kubectl and helm."""
        built = subprocess.run(
            [CLUSTER_FOLDER / "build", "kubectl", "helm"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return Path(built.stdout.splitlines()[-1])

    @property
    def environment(self) -> dict[str, str]:
        """What kubectl and helm need to find the cluster."""
        return os.environ | {"KUBECONFIG": str(self.kubeconfig), "KUBERC": "off"}

    def run(self, program: str, *args: str, stdin: str = "", timeout: float = 180) -> str:
        """Run kubectl or helm; what it printed. An error has what it said."""
        done = subprocess.run(
            [self._program(program), *args],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self.environment,
        )
        if done.returncode != 0:
            raise AssertionError(f"{program} {' '.join(args)}: {done.stderr.strip()}")
        return done.stdout

    @contextlib.contextmanager
    def starting(
        self, program: str, *args: str, output: IO[bytes] | int | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Have kubectl or helm run meanwhile; ended with the block when it has not by itself.

        What it prints goes to `output`, or where the tests print.
        """
        command = [self._program(program), *args]
        with subprocess.Popen(command, env=self.environment, stdout=output) as process:
            try:
                yield process
            finally:
                process.terminate()

    def _program(self, name: str) -> str:
        return shutil.which(name, path=str(self.programs)) or name

    def kubectl(self, *args: str, stdin: str = "", timeout: float = 180) -> str:
        """Run kubectl."""
        return self.run("kubectl", *args, stdin=stdin, timeout=timeout)

    def install(self, *args: str, chart: Path = CHART) -> None:
        """Install the operator, or bring it to what a chart and `args` say.

        Its namespace lets through what the chart's own NetworkPolicies name.
        """
        self.system.apply(namespaces.restricted(SYSTEM), namespaces.nothing_is_let_through())
        self.run(
            *("helm", "upgrade", "--install", "isthmus", str(chart), "--namespace", SYSTEM),
            *("--set", "image.tag=dev", "--set", "runtime.image.tag=dev"),
            *("--set", "networkPolicy.enabled=true"),
            *("--set", f"networkPolicy.apiServerPorts={{{self._api_server_port()}}}", *args),
            *("--set-string", f"podAnnotations.made-of={self.operator}"),
            *("--wait", "--timeout", "3m"),
            timeout=200,
        )

    def _api_server_port(self) -> str:
        """Where pods reach the API server, behind its Service."""
        slices = ("endpointslices", "-l", "kubernetes.io/service-name=kubernetes")
        path = "-o=jsonpath={.items[0].ports[0].port}"
        return self.kubectl("--namespace", "default", "get", *slices, path)

    @property
    def system(self) -> "Namespace":
        """Where the operator is."""
        return Namespace(self, SYSTEM)

    def operators(self) -> set[str]:
        """The uids of the operator's pods, those that are going left out."""
        return self.system.uids("pods", "-l", "app.kubernetes.io/component=operator")

    @contextlib.contextmanager
    def namespace(self, name: str) -> Iterator["Namespace"]:
        """A namespace for as long as the block lasts.

        What its pods send and take is what NetworkPolicies let through: those of the operator for
        pods of Routes, and one for all other pods, which are the tests' own.
        """
        made = Namespace(self, name)
        made.apply(
            namespaces.restricted(name),
            namespaces.nothing_is_let_through(),
            namespaces.others_are_free(),
        )
        try:
            yield made
        finally:
            self.kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


@dataclass(frozen=True)
class Namespace:
    """One namespace of a cluster."""

    cluster: Cluster
    name: str

    def kubectl(self, *args: str, stdin: str = "", timeout: float = 180) -> str:
        """Run kubectl here."""
        return self.cluster.kubectl("--namespace", self.name, *args, stdin=stdin, timeout=timeout)

    def isthmus(self, *args: str) -> str:
        """Run the installed command here; what it printed."""
        command = Path(sys.executable).parent / "isthmus"
        return self.cluster.run(str(command), *args, "--namespace", self.name)

    def apply(self, *documents: str | dict[str, Any]) -> None:
        """Apply manifests, as YAML or as objects."""
        texts = (each if isinstance(each, str) else yaml.safe_dump(each) for each in documents)
        self.kubectl("apply", "-f", "-", stdin="\n---\n".join(texts))

    def get(self, *what: str) -> Any:
        """Objects as kubectl gives them."""
        return json.loads(self.kubectl("get", *what, "-o", "json"))

    def wait(self, what: str, condition: str = "condition=Ready", *, within: float = 90) -> None:
        """Wait as a user would, with `kubectl wait`."""
        self.kubectl("wait", f"--for={condition}", what, f"--timeout={within:.0f}s")

    def watched(self, what: str, *, within: float) -> Iterator[dict[str, Any]]:
        """An object as it is and as it becomes, until it is looked at no more or time is over."""
        lines = ("-o", r'jsonpath={@}{"\n"}', f"--request-timeout={within:.0f}s")
        watch = ("--namespace", self.name, "get", what, "--watch", *lines)
        with self.cluster.starting("kubectl", *watch, output=subprocess.PIPE) as process:
            assert process.stdout
            yield from map(json.loads, process.stdout)

    def uids(self, *what: str) -> set[str]:
        """The uids of objects, those that are going left out."""
        metadata = [each["metadata"] for each in self.get(*what)["items"]]
        return {each["uid"] for each in metadata if "deletionTimestamp" not in each}

    def pods(self, route: str) -> dict[str, str]:
        """The pods of a Route: name by uid, those that are going left out."""
        found = self.get("pods", "-l", f"isthmus.dev/route={route}")["items"]
        return {
            pod["metadata"]["uid"]: pod["metadata"]["name"]
            for pod in found
            if "deletionTimestamp" not in pod["metadata"]
        }

    def children(self, route: str) -> set[str]:
        """Everything that was made for a Route."""
        found = self.kubectl("get", CHILDREN, "-l", f"isthmus.dev/route={route}", "-o", "name")
        return set(found.split())

    def condition(self, what: str, kind: str = "Ready") -> dict[str, Any]:
        """A condition of an object; empty where it has none."""
        found = self.get(what).get("status", {}).get("conditions", ())
        return next((each for each in found if each["type"] == kind), {})

    def fetch(self, service: str, path: str) -> str:
        """GET through a Service, by way of the API server."""
        return self._proxied(f"services/{service}", path)

    def fetch_from(self, pod: str, path: str) -> str:
        """GET from one pod of a Route, by way of the API server."""
        return self._proxied(f"pods/{pod}:8080", path)

    def _proxied(self, what: str, path: str) -> str:
        return self.kubectl("get", "--raw", f"/api/v1/namespaces/{self.name}/{what}/proxy{path}")
