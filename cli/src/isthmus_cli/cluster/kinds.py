"""The kinds that are asked for, and where an API server has them.

The operator's own come with its client, which takes a tenth of a second to import.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from isthmus_api import resources
from isthmus_api.model import API_VERSION


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind as the API server names it."""

    name: str
    api_version: str
    plural: str

    def path(self, namespace: str | None, name: str = "", sub: str = "") -> str:
        """The path of an object, of a part of one, or of a collection (`namespace` None: all)."""
        root = "/apis" if "/" in self.api_version else "/api"
        place = ("namespaces", namespace) if namespace else ()
        parts = [*place, self.plural, *((name,) if name else ()), *((sub,) if sub else ())]
        return f"{root}/{self.api_version}/" + "/".join(quote(part, safe=":/") for part in parts)


def _ours(kind: resources.Kind) -> Kind:
    return Kind(kind.name, API_VERSION, kind.plural)


CONNECTORS: Final = _ours(resources.CONNECTOR)
MAPPINGS: Final = _ours(resources.MAPPING)
ROUTES: Final = _ours(resources.ROUTE)
OURS: Final = {each.name: each for each in (CONNECTORS, MAPPINGS, ROUTES)}

DEPLOYMENTS: Final = Kind("Deployment", "apps/v1", "deployments")
REPLICA_SETS: Final = Kind("ReplicaSet", "apps/v1", "replicasets")
AUTOSCALERS: Final = Kind("HorizontalPodAutoscaler", "autoscaling/v2", "horizontalpodautoscalers")
PODS: Final = Kind("Pod", "v1", "pods")
SECRETS: Final = Kind("Secret", "v1", "secrets")
CONFIG_MAPS: Final = Kind("ConfigMap", "v1", "configmaps")
EVENTS: Final = Kind("Event", "v1", "events")
HTTP_ROUTES: Final = Kind("HTTPRoute", "gateway.networking.k8s.io/v1", "httproutes")
