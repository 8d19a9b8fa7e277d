"""Argo CD at work on a cluster: its controller, repository server and API server.

They are the programs of its one command, run on this machine with the rights of the cluster's
kubeconfig; its settings and Applications are in a namespace of their own. It is told of our kinds
by the patch of the chart, as the guide says. Redis is Debian's `redis-server`.
"""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from argocd import PATCH, definition, program
from control_plane import HOST, Process, free_ports
from kubernetes_cluster import Cluster, Namespace

START_SECONDS: Final = 60.0
RESYNC_SECONDS: Final = 10
"""How often Argo CD compares by itself; its own default is two minutes."""
KINDS: Final = ("application", "applicationset", "appproject")
SERVERS: Final = ("argocd-repo-server", "argocd-application-controller", "argocd-server")
MEASURED: Final = ("argocd-repo-server metrics", "argocd-server metrics")
SETTINGS: Final = (
    "argocd-cm",
    "argocd-rbac-cm",
    "argocd-tls-certs-cm",
    "argocd-ssh-known-hosts-cm",
)

Manifest = dict[str, Any]


class Missing(Exception):
    """Redis is not there; the message says how to get it."""


@dataclass(frozen=True)
class Installation:
    """Argo CD that runs."""

    namespace: Namespace
    """Where its settings and Applications are."""
    folder: Path
    server: str
    """Address of its API server, which lets everybody in."""
    processes: tuple[Process, ...]

    def command(self, *args: str) -> str:
        """Run its command as a user does; what it printed."""
        done = subprocess.run(
            [program(), *args, "--server", self.server, "--plaintext"],
            env=_environment(self.folder, self.namespace.cluster),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def track_by(self, method: str) -> None:
        """Have it know its objects by `annotation`, which is its default, or by `label`."""
        data = {"data": {"application.resourceTrackingMethod": method}}
        self.namespace.kubectl("patch", "configmap/argocd-cm", "--patch", json.dumps(data))

    def tails(self) -> str:
        """The last lines of each program."""
        return "\n".join(f"{each.name}:\n{each.log_tail()}" for each in self.processes)


@contextlib.contextmanager
def running(cluster: Cluster, folder: Path, *, name: str) -> Iterator[Installation]:
    """Argo CD in a namespace, for as long as the block lasts; nothing of it is left."""
    (folder / "tmp").mkdir()
    with contextlib.ExitStack() as left:
        left.enter_context(_definitions(cluster))
        namespace = left.enter_context(cluster.namespace(name))
        namespace.apply(*_settings())
        namespace.kubectl("patch", "configmap/argocd-cm", f"--patch-file={PATCH}")
        ports = dict(zip(("redis", *SERVERS, *MEASURED), free_ports(6), strict=True))
        processes = []
        for each, command in _commands(ports, folder, namespace.name).items():
            process = Process(
                command,
                log=folder / f"{each}.log",
                environment=_environment(folder, cluster),
            )
            left.callback(process.stop)
            _wait_for(process, ports[each])
            processes.append(process)
        left.callback(_let_go, namespace)
        yield Installation(namespace, folder, f"{HOST}:{ports['argocd-server']}", tuple(processes))


def _let_go(namespace: Namespace) -> None:
    """Take the finalizers of Applications away: nobody is there to heed them any more."""
    for each in namespace.kubectl("get", "applications", "-o", "name").split():
        none = json.dumps({"metadata": {"finalizers": None}})
        namespace.kubectl("patch", each, "--type=merge", "--patch", none)


@contextlib.contextmanager
def _definitions(cluster: Cluster) -> Iterator[None]:
    """Its kinds, which go again unless the cluster had them before."""
    found = cluster.kubectl("get", "crd", "-o", "name")
    missing = [each for each in KINDS if f"/{each}s.argoproj.io" not in found]
    files = [argument for each in missing for argument in ("-f", str(definition(each)))]
    try:
        if files:
            cluster.kubectl("apply", "--server-side", *files)
            # kubectl takes it for an error that nobody has looked at a new definition yet.
            cluster.kubectl("wait", "--for=jsonpath={.status.acceptedNames.kind}", *files)
            cluster.kubectl("wait", "--for=condition=Established", *files)
        yield
    finally:
        if files:
            cluster.kubectl("delete", "--ignore-not-found", *files)


def _settings() -> list[Manifest]:
    """What Argo CD's own installation makes, with nothing in it, and a project for everything."""
    part = {"labels": {"app.kubernetes.io/part-of": "argocd"}}
    maps = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": each, **part}}
        for each in SETTINGS
    ]
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "argocd-secret", **part},
        "stringData": {"server.secretkey": secrets.token_urlsafe(32)},
    }
    project = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "default"},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"server": "*", "namespace": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        },
    }
    return [*maps, secret, project]


def _commands(ports: dict[str, int], folder: Path, namespace: str) -> dict[str, list[str]]:
    """How each program is started, in this order."""
    for each in SERVERS:
        (folder / each).symlink_to(program())  # it is what it is called
    redis, repositories = f"{HOST}:{ports['redis']}", f"{HOST}:{ports['argocd-repo-server']}"
    ours = ["--namespace", namespace, "--repo-server", repositories]
    flags = {
        "argocd-repo-server": [
            *("--address", HOST, "--port", str(ports["argocd-repo-server"]), "--disable-tls"),
            *("--metrics-address", HOST, "--metrics-port", str(ports[MEASURED[0]])),
        ],
        "argocd-application-controller": [
            *(*ours, "--repo-server-plaintext"),
            *("--metrics-port", str(ports["argocd-application-controller"])),
            *("--app-resync", str(RESYNC_SECONDS), "--app-resync-jitter", "0"),
            "--persist-resource-health",
        ],
        "argocd-server": [
            *(*ours, "--repo-server-plaintext"),
            *("--address", HOST, "--port", str(ports["argocd-server"])),
            *("--metrics-address", HOST, "--metrics-port", str(ports[MEASURED[1]])),
            *("--insecure", "--disable-auth", "--staticassets", str(folder / "tmp")),
        ],
    }
    return {
        "redis": [
            *(_redis(), "--port", str(ports["redis"]), "--bind", HOST),
            *("--save", "", "--appendonly", "no", "--dir", str(folder)),
        ]
    } | {each: [str(folder / each), *flags[each], "--redis", redis] for each in SERVERS}


def _redis() -> str:
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None:
        raise Missing(
            "there is no redis-server on the PATH; install it: apt-get install redis-server"
        )
    return found


def _environment(folder: Path, cluster: Cluster) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "KUBECONFIG": str(cluster.kubeconfig),
        # What an Application calls https://kubernetes.default.svc is the cluster of KUBECONFIG.
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_GPG_ENABLED": "false",
        "ARGOCD_TLS_DATA_PATH": str(folder / "tmp"),
        "ARGOCD_SSH_DATA_PATH": str(folder / "tmp"),
    }


def _wait_for(process: Process, port: int) -> None:
    """Return when somebody listens at a port."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        process.check()
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise AssertionError(f"{process.name}: {process.log_tail()}") from None
            time.sleep(0.05)
