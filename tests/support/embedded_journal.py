"""The embedded PostgreSQL of the chart in a cluster, with a volume where nothing makes one."""

import base64
import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kubernetes_cluster import SYSTEM, Cluster, Namespace

NAME = "isthmus-journal"
POD = f"{NAME}-0"
CLAIM = f"data-{POD}"
SIZE = "1Gi"


@contextlib.contextmanager
def embedded_journal(cluster: Cluster, *namespaces: str) -> Iterator[None]:
    """The installed operator with the embedded journal for Routes of some namespaces.

    Afterwards the operator is as it was, and the volume is gone.
    """
    with _volume(cluster):
        try:
            cluster.install(
                *("--set", "journal.embedded.enabled=true"),
                *("--set", "journal.embedded.image.tag=dev"),
                *("--set", f"journal.embedded.storage.size={SIZE}"),
                *("--set", f"journal.embedded.namespaces={{{','.join(namespaces)}}}"),
            )
            yield
        finally:
            try:
                cluster.install()
            finally:
                cluster.system.kubectl("delete", "pvc", CLAIM, "--ignore-not-found")


def address(namespace: Namespace) -> str:
    """The journal's address, as Routes of a namespace read it."""
    found = namespace.get("secret", NAME)["data"]["dsn"]
    return base64.b64decode(found).decode()


def sql(namespace: Namespace, statement: str) -> str:
    """What a statement gives to who has the address of a namespace.

    It is sent in the database's own pod, which no policy lets ask for names.
    """
    psql = ("env", "PGHOSTADDR=127.0.0.1", "psql", address(namespace), "-tA", "-c", statement)
    return namespace.cluster.system.kubectl("exec", POD, "--", *psql).strip()


@contextlib.contextmanager
def _volume(cluster: Cluster) -> Iterator[None]:
    """A volume for the claim: a folder of this machine, where nothing in the cluster makes one."""
    if cluster.system.get("storageclasses")["items"]:
        yield
        return
    folder = Path(tempfile.mkdtemp(prefix="isthmus-journal-"))
    (node,) = cluster.system.get("nodes")["items"]
    cluster.system.apply(_persistent(folder, node["metadata"]["name"]))
    try:
        yield
    finally:
        cluster.kubectl("delete", "pv", NAME)
        shutil.rmtree(folder)


def _persistent(folder: Path, node: str) -> dict[str, Any]:
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": NAME},
        "spec": {
            "capacity": {"storage": SIZE},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"namespace": SYSTEM, "name": CLAIM},
            "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
        },
    }
