"""Namespaces as strict platform teams make them: restricted pods, and closed to the network."""

from typing import Any, Final

Manifest = dict[str, Any]

_BOTH_WAYS: Final = ["Ingress", "Egress"]
_OF_NO_ROUTE: Final = {
    "matchExpressions": [{"key": "isthmus.dev/route", "operator": "DoesNotExist"}]
}


def restricted(name: str) -> Manifest:
    """A namespace that refuses pods beyond the restricted Pod Security Standard."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": labels},
    }


def nothing_is_let_through() -> Manifest:
    """No pod sends or takes anything that no other policy names."""
    return _policy("default-deny", {"podSelector": {}, "policyTypes": _BOTH_WAYS})


def others_are_free() -> Manifest:
    """Pods that belong to no Route send and take what they like."""
    spec = {"podSelector": _OF_NO_ROUTE, "policyTypes": _BOTH_WAYS}
    return _policy("pods-of-no-route", spec | {"ingress": [{}], "egress": [{}]})


def _policy(name: str, spec: Manifest) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": spec,
    }
