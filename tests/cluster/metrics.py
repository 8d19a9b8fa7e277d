"""What the API server is told of metrics-server, which runs beside it and not in a pod."""

from typing import Any, Final

PORT: Final = 10252
API: Final = "v1beta1.metrics.k8s.io"
_NAME: Final = "metrics-server"
_NAMESPACE: Final = "kube-system"


def registration(address: str) -> dict[str, Any]:
    """The list of objects by which the API server hands on what is asked of metrics.

    It has no certificate to tell metrics-server who asks, so everybody may read metrics: who may
    ask the API server for them is still decided there.
    """
    port = {"name": "https", "port": PORT, "protocol": "TCP"}
    rules = [
        {"apiGroups": ["metrics.k8s.io"], "resources": ["*"], "verbs": ["get", "list"]},
        {"nonResourceURLs": ["/apis", "/apis/*"], "verbs": ["get"]},
    ]
    everybody = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": _NAME}
    return {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            _object("rbac.authorization.k8s.io/v1", "ClusterRole", rules=rules),
            _object(
                "rbac.authorization.k8s.io/v1",
                "ClusterRoleBinding",
                roleRef=role,
                subjects=[{**everybody, "name": "system:unauthenticated"}],
            ),
            _object("v1", "Service", spec={"ports": [port]}),
            _object(
                "discovery.k8s.io/v1",
                "EndpointSlice",
                labels={"kubernetes.io/service-name": _NAME},
                addressType="IPv4",
                endpoints=[{"addresses": [address], "conditions": {"ready": True}}],
                ports=[port],
            ),
            _object(
                "apiregistration.k8s.io/v1",
                "APIService",
                name=API,
                spec={
                    "group": "metrics.k8s.io",
                    "version": "v1beta1",
                    "service": {"name": _NAME, "namespace": _NAMESPACE, "port": PORT},
                    "insecureSkipTLSVerify": True,  # it makes its own certificate
                    "groupPriorityMinimum": 100,
                    "versionPriority": 100,
                },
            ),
        ],
    }


def _object(
    version: str, kind: str, *, name: str = _NAME, labels: dict[str, str] | None = None, **rest: Any
) -> dict[str, Any]:
    metadata = {"name": name, "namespace": _NAMESPACE, "labels": labels or {}}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}
