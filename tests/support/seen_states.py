"""Every state that our objects are in during a run on a cluster, and what others make of it.

They are kstatus, and the health check of the chart in Argo CD's own command.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onlookers
from argocd import ArgoCD
from kstatus import statuses
from kubernetes_cluster import Cluster

KINDS = ("routes", "connectors", "mappings")

Object = dict[str, Any]


@contextlib.contextmanager
def judged(cluster: Cluster, folder: Path) -> Iterator[None]:
    """Look on while the block lasts; at its end all that was seen has the status that it should.

    kubectl writes what it sees into files of `folder`, since it is read only when all is over.
    """
    files = [folder / kind for kind in KINDS]
    watches = []
    with contextlib.ExitStack() as watching:
        for kind, file in zip(KINDS, files, strict=True):
            output = watching.enter_context(file.open("wb"))
            watch = ("get", kind, "--all-namespaces", "--watch", "--output", "json")
            watches.append(
                watching.enter_context(cluster.starting("kubectl", *watch, output=output))
            )
        yield
        for process in watches:
            assert process.poll() is None, "kubectl ended, so not all was seen"
    seen = _states(each for file in files for each in _objects(file.read_text("utf-8")))
    expected = {state: onlookers.kstatus(found) for state, found in seen.items()}
    computed = dict(zip(seen, statuses([*seen.values()], folder), strict=True))
    assert computed == expected
    argo = ArgoCD(folder)
    health = {state: argo.health(found)[0] for state, found in seen.items()}
    assert health == {state: onlookers.argo_cd(found) for state, found in seen.items()}


def _objects(text: str) -> Iterator[Object]:
    """The objects that stand in a text one after the other; the last may be cut off."""
    decoder, position = json.JSONDecoder(), 0
    while start := text.find("{", position) + 1:
        try:
            found, position = decoder.raw_decode(text, start - 1)
        except ValueError:
            return
        yield found


def _states(objects: Iterator[Object]) -> dict[str, Object]:
    """One object for each state that differs in what kstatus could look at."""
    return {_state(each): each for each in objects}


def _state(found: Object) -> str:
    status = found.get("status", {})
    marks = {
        "deleting": "deletionTimestamp" in found["metadata"],
        "behind": status.get("observedGeneration") != found["metadata"]["generation"],
        "paused": found["spec"].get("paused", False),
    }
    conditions = (f"{each['type']}={each['status']}" for each in status.get("conditions") or ())
    return " ".join(
        (found["kind"], *(mark for mark, holds in marks.items() if holds), *sorted(conditions))
    )
