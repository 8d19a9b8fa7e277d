"""A small integration for tests on a cluster: a Route that asks the example's ERP for one price.

Its answer has the `version` of the Mapping and the price of the ERP, which checks who asks. So an
answer tells what runs, and whether the credentials are right.
"""

import json
from typing import Any

import yaml
from kubernetes_cluster import ROOT, Namespace

SERVICES = ROOT / "examples/search-with-prices-kubernetes/services.yaml"
API = "isthmus.dev/v1alpha1"
PATH = "/quote"

Manifest = dict[str, Any]


def erp(*, name: str = "erp", password: str = "demo") -> list[Manifest]:
    """The ERP as a Deployment and a Service."""
    found = [each for each in yaml.safe_load_all(SERVICES.read_text()) if _is_erp(each)]
    deployment, service = (
        json.loads(json.dumps(each).replace('"erp"', f'"{name}"')) for each in found
    )
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    container["args"].append("--quiet")
    container["env"] = [{"name": "ERP_PASSWORD", "value": password}]
    return [deployment, service]


def secret(*, name: str = "erp", password: str = "demo") -> Manifest:
    """The credentials of the ERP."""
    data = {"username": "isthmus", "password": password}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def connector(*, name: str = "erp", secret: str = "erp", service: str = "erp") -> Manifest:
    """How Routes reach the ERP."""
    keys = {key: {"secretKeyRef": {"name": secret, "key": key}} for key in ("username", "password")}
    http = {"baseUrl": f"http://{service}:8082", "auth": {"basic": keys}, "timeout": "5s"}
    return _resource("Connector", name, {"http": http})


def mapping(version: int = 1, *, name: str = "quote") -> Manifest:
    """What a price becomes."""
    body = f'{{"version": {version}, "price": `CH-10423`.gross}}'
    return _resource("Mapping", name, {"expression": body})


def route(
    name: str = "quotes",
    *,
    connector: str = "erp",
    mapping: str = "quote",
    replicas: int | None = None,
    **fields: Any,
) -> Manifest:
    """The Route; `fields` are those of its spec."""
    call = {
        "connector": connector,
        "method": "POST",
        "path": "/prices",
        "idempotent": True,
        "body": {"skus": ["CH-10423"]},
    }
    spec = {
        "source": {"http": {"method": "GET", "path": PATH, "timeout": "8s"}},
        "steps": [{"call": call}, {"map": {"mapping": mapping}}],
    }
    count = {} if replicas is None else {"replicas": replicas}
    return _resource("Route", name, {**spec, **count, **fields})


def start(namespace: Namespace, *routes: Manifest) -> None:
    """Apply the ERP, what reaches it, and Routes; wait until they answer."""
    namespace.apply(*erp(), secret(), connector(), mapping(), *routes)
    namespace.wait("deployment/erp", "condition=Available")
    for each in routes:
        namespace.wait(f"route/{each['metadata']['name']}")


def _resource(kind: str, name: str, spec: Manifest) -> Manifest:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _is_erp(manifest: Manifest) -> bool:
    return bool(manifest["metadata"]["name"] == "erp")
