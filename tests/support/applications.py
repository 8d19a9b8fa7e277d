"""Applications of Argo CD: made as the guide has them, watched, and told to look."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import yaml
from argocd import ROOT
from argocd_controllers import Installation
from git_repository import MAIN, Repository
from kubernetes_cluster import Namespace

GUIDE: Final = ROOT / "docs/how-to/argocd.md"
PATIENCE_SECONDS: Final = 60
FINALIZER: Final = "resources-finalizer.argocd.argoproj.io"
REFRESH: Final = "argocd.argoproj.io/refresh"

Manifest = dict[str, Any]


def of_the_guide(name: str) -> Manifest:
    """An Application that the guide shows."""
    (found,) = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    documents: list[Manifest] = list(yaml.safe_load_all(found))
    return next(each for each in documents if each["metadata"]["name"] == name)


@dataclass(frozen=True)
class Application:
    """One Application, which syncs a folder of a repository to a namespace."""

    argo: Installation
    repository: Repository
    to: Namespace
    manifest: Manifest

    @property
    def name(self) -> str:
        """Of the Application, and of the tracking labels it sets."""
        name: str = self.manifest["metadata"]["name"]
        return name

    @property
    def path(self) -> str:
        """The folder that it syncs."""
        path: str = self.manifest["spec"]["source"]["path"]
        return path

    def make(self) -> None:
        """Apply it as the guide has it, but for the repository and the namespaces."""
        spec = self.manifest["spec"]
        source = spec["source"] | {"repoURL": self.repository.url, "targetRevision": MAIN}
        destination = spec["destination"] | {"namespace": self.to.name}
        metadata = {"namespace": self.argo.namespace.name, "finalizers": [FINALIZER]}
        self.argo.namespace.apply(
            self.manifest
            | {
                "metadata": self.manifest["metadata"] | metadata,
                "spec": spec | {"source": source, "destination": destination},
            }
        )

    def commit(self, *manifests: Manifest) -> str:
        """Have Git hold these manifests and no others; the revision."""
        return self.repository.commit(self.path, *manifests)

    def deploy(self, *manifests: Manifest) -> Manifest:
        """Commit manifests and wait until they are synced and everything is Healthy."""
        revision = self.commit(*manifests)
        self.look()
        return self.until(lambda seen: ended(seen, revision) == "Succeeded" and is_well(seen))

    def look(self) -> Manifest:
        """Have Argo CD compare now; what it came to."""
        asked = ("annotate", f"application/{self.name}", f"{REFRESH}=normal", "--overwrite")
        self.argo.namespace.kubectl(*asked)
        return self.until(lambda seen: REFRESH not in seen["metadata"].get("annotations", ()))

    def until(
        self, so: Callable[[Manifest], bool], *, within: float = PATIENCE_SECONDS
    ) -> Manifest:
        """Watch it until it is so, and give it."""
        seen: Manifest = {}
        for seen in self._watched(within):
            if so(seen):
                return seen
        raise AssertionError(f"not so within {within:.0f} s: {_told(seen)}\n{self.argo.tails()}")

    def _watched(self, seconds: float) -> Any:
        return self.argo.namespace.watched(f"application/{self.name}", within=seconds)


def _told(seen: Manifest) -> str:
    """What a person would look at first."""
    status = seen.get("status", {})
    operation = status.get("operationState", {})
    shown = {key: status.get(key) for key in ("health", "conditions", "resources")} | {
        "sync": status.get("sync", {}).get("status"),
        "revision": status.get("sync", {}).get("revision"),
        "operation": {key: operation.get(key) for key in ("phase", "message", "syncResult")},
    }
    return yaml.safe_dump(shown)


def ended(seen: Manifest, revision: str) -> str:
    """How the last sync ended, when it was one of this revision."""
    operation = seen.get("status", {}).get("operationState", {})
    synced = operation.get("syncResult", {}).get("revision")
    phase: str = operation["phase"] if synced == revision else ""
    return phase


def is_well(seen: Manifest) -> bool:
    """Whether it is Healthy and as Git has it."""
    status = seen["status"]
    return (status["health"]["status"], status["sync"]["status"]) == ("Healthy", "Synced")


def healths(seen: Manifest) -> dict[str, tuple[str, str]]:
    """The health of each object and the message that goes with it, by kind and name."""
    return {
        f"{each['kind']}/{each['name']}": (
            each["health"]["status"],
            each["health"].get("message", ""),
        )
        for each in seen["status"]["resources"]
        if "health" in each
    }
