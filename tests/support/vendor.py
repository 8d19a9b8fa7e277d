"""A small integration for tests of credentials on a cluster: a Route that asks who it is.

Its answer is the user that the vendor took it for (`sign_in_server`), so an answer tells which
credentials were used.
"""

from pathlib import Path
from typing import Any

import script_pods
from kubernetes_cluster import Namespace

ROUTE = "whoami"
PATH = "/whoami"
SERVER = Path(__file__).with_name("sign_in_server.py")
_API = "isthmus.dev/v1alpha1"
_PORT = 8000

Manifest = dict[str, Any]


def start(namespace: Namespace, *, replicas: int) -> None:
    """Apply it all, and wait until the Route's pods run."""
    server = script_pods.manifests("vendor", SERVER, str(_PORT), labels={"app": "vendor"})
    namespace.apply(*server, _service(), secret(1), connector(), _route(replicas))
    namespace.wait("pod/vendor")
    namespace.wait(f"route/{ROUTE}")


def secret(number: int, **more: str) -> Manifest:
    """The credentials of one user; `more` are further keys."""
    data = {"username": f"user-{number}", "password": f"password-{number}", **more}
    metadata = {"name": "vendor"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}


def connector(*, password: str = "password") -> Manifest:
    """How the Route reaches the vendor, with the password in the key of that name."""
    basic = {
        "username": {"secretKeyRef": {"name": "vendor", "key": "username"}},
        "password": {"secretKeyRef": {"name": "vendor", "key": password}},
    }
    http = {"baseUrl": f"http://vendor:{_PORT}", "auth": {"basic": basic}}
    return _resource("Connector", "vendor", {"http": http})


def _route(replicas: int) -> Manifest:
    spec = {
        "source": {"http": {"path": PATH}},
        "steps": [{"call": {"connector": "vendor"}}],
        "replicas": replicas,
    }
    return _resource("Route", ROUTE, spec)


def _resource(kind: str, name: str, spec: Manifest) -> Manifest:
    return {"apiVersion": _API, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _service() -> Manifest:
    spec = {"selector": {"app": "vendor"}, "ports": [{"port": _PORT}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "vendor"}, "spec": spec}
