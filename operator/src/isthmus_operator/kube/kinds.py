"""The kinds that the operator reads and writes, and where the API server has them."""

from dataclasses import dataclass
from typing import Final

from isthmus_api import resources
from isthmus_api.model import API_VERSION


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind as the API server names it."""

    api_version: str
    kind: str
    plural: str

    @property
    def group_path(self) -> str:
        """The path of its group and version, e.g. `/apis/apps/v1`."""
        root = "/apis" if "/" in self.api_version else "/api"
        return f"{root}/{self.api_version}"

    def path(self, namespace: str | None, name: str | None = None) -> str:
        """The path of one object, of a namespace's collection, or of all (`namespace` None)."""
        place = f"/namespaces/{namespace}" if namespace else ""
        return f"{self.group_path}{place}/{self.plural}" + (f"/{name}" if name else "")


def _ours(kind: resources.Kind) -> Resource:
    return Resource(API_VERSION, kind.name, kind.plural)


CONNECTORS: Final = _ours(resources.CONNECTOR)
MAPPINGS: Final = _ours(resources.MAPPING)
ROUTES: Final = _ours(resources.ROUTE)
OURS: Final = {each.kind: each for each in (CONNECTORS, MAPPINGS, ROUTES)}

DEPLOYMENTS: Final = Resource("apps/v1", "Deployment", "deployments")
CONFIG_MAPS: Final = Resource("v1", "ConfigMap", "configmaps")
SERVICES: Final = Resource("v1", "Service", "services")
SERVICE_ACCOUNTS: Final = Resource("v1", "ServiceAccount", "serviceaccounts")
BUDGETS: Final = Resource("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets")
NETWORK_POLICIES: Final = Resource("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
INGRESSES: Final = Resource("networking.k8s.io/v1", "Ingress", "ingresses")
HTTP_ROUTES: Final = Resource("gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes")
PODS: Final = Resource("v1", "Pod", "pods")
AUTOSCALERS: Final = Resource(
    "autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"
)
EVENTS: Final = Resource("events.k8s.io/v1", "Event", "events")
LEASES: Final = Resource("coordination.k8s.io/v1", "Lease", "leases")

CHILDREN: Final = {
    each.kind: each
    for each in (
        SERVICE_ACCOUNTS,
        CONFIG_MAPS,
        SERVICES,
        NETWORK_POLICIES,
        BUDGETS,
        DEPLOYMENTS,
        AUTOSCALERS,
        INGRESSES,
        HTTP_ROUTES,
    )
}
"""What the operator makes of a Route, by kind."""
