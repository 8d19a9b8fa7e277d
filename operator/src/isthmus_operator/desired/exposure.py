"""Exposure: an HTTPRoute where a Gateway is known, an Ingress otherwise, or nothing at all.

Without a prefix the path is exactly the source's, or what stands in it before the first variable,
so that several Routes share a host. An HTTPRoute tells them apart by method too; an Ingress cannot.
"""

from typing import Final

from isthmus_api.exposure import Expose
from isthmus_api.plan import RoutePlan
from isthmus_api.problems import Code, Problem
from isthmus_api.resources import Resource
from isthmus_api.route import RouteSpec
from isthmus_api.source import HttpSource
from isthmus_api.webhook import WebhookSource
from isthmus_operator.desired import service
from isthmus_operator.desired.context import Context, Gateway
from isthmus_operator.desired.manifest import Manifest, Owner, child

_GATEWAY_GROUP: Final = "gateway.networking.k8s.io"

Endpoint = HttpSource | WebhookSource


def manifest(
    owner: Owner, expose: Expose | None, plan: RoutePlan, context: Context
) -> Manifest | None:
    """The HTTPRoute or Ingress; None when there is nothing to expose, or no way to."""
    source = plan.source.endpoint
    if expose is None or source is None:
        return None
    gateway = _gateway(expose, owner.namespace, context)
    if gateway is None:
        return _ingress(owner, expose, source)
    return _http_route(owner, expose, source, gateway) if context.gateway_api else None


def not_served(route: Resource[RouteSpec], context: Context) -> Problem | None:
    """A problem when a Gateway is wanted and the cluster knows none."""
    expose = route.spec.expose
    if expose is None or context.gateway_api:
        return None
    gateway = _gateway(expose, route.key.namespace, context)
    if gateway is None:
        return None
    path = ("spec", "expose", "gateway") if expose.gateway else ("spec", "expose")
    return Problem(
        Code.GATEWAY_API_MISSING,
        f"this cluster does not serve the Gateway API, and the Route is to be exposed through the "
        f"Gateway {gateway.namespace}/{gateway.name}",
        hint="install the Gateway API, or write ingressClassName for an Ingress",
        subject=str(route.key),
        path=path,
        location=route.origin.locate(path),
    )


def _gateway(expose: Expose, namespace: str, context: Context) -> Gateway | None:
    if expose.gateway:
        return Gateway(expose.gateway.namespace or namespace, expose.gateway.name)
    wants_ingress = expose.ingress_class_name or expose.tls_secret_name
    return None if wants_ingress else context.gateway


def _place(expose: Expose, source: Endpoint) -> tuple[str, bool]:
    """The path that is led to the Route, and whether it is the whole path."""
    if expose.path_prefix is not None:
        return expose.path_prefix, False
    before, variable, _ = source.path.partition("/{")
    return before or "/", not variable


def _methods(source: Endpoint) -> list[str]:
    """What callers use: the source's method, that of its challenge, HEAD wherever GET is, and
    OPTIONS where browsers ask first."""
    challenge = source.challenge if isinstance(source, WebhookSource) else None
    methods = [source.method, *([challenge.method] if challenge and challenge.method else [])]
    asked = isinstance(source, HttpSource) and source.cors is not None
    more = [*(["HEAD"] if "GET" in methods else []), *(["OPTIONS"] if asked else [])]
    return list(dict.fromkeys([*methods, *more]))


def _ingress(owner: Owner, expose: Expose, source: Endpoint) -> Manifest:
    path, is_whole = _place(expose, source)
    backend = {"service": {"name": owner.name, "port": {"number": service.PORT}}}
    rule = {"path": path, "pathType": "Exact" if is_whole else "Prefix", "backend": backend}
    hosts = [expose.host] if expose.host else []
    spec: Manifest = {
        "rules": [{**({"host": expose.host} if expose.host else {}), "http": {"paths": [rule]}}]
    }
    if expose.ingress_class_name:
        spec["ingressClassName"] = expose.ingress_class_name
    if expose.tls_secret_name:
        names = {"hosts": hosts} if hosts else {}
        spec["tls"] = [{**names, "secretName": expose.tls_secret_name}]
    return child(
        owner,
        "networking.k8s.io/v1",
        "Ingress",
        {"spec": spec},
        annotations=dict(expose.annotations),
    )


def _http_route(owner: Owner, expose: Expose, source: Endpoint, gateway: Gateway) -> Manifest:
    path, is_whole = _place(expose, source)
    where = {"type": "Exact" if is_whole else "PathPrefix", "value": path}
    spec: Manifest = {
        "parentRefs": [
            {
                "group": _GATEWAY_GROUP,
                "kind": "Gateway",
                "namespace": gateway.namespace,
                "name": gateway.name,
            }
        ],
        "rules": [
            {
                "matches": [{"path": where, "method": method} for method in _methods(source)],
                "backendRefs": [
                    {"group": "", "kind": "Service", "name": owner.name, "port": service.PORT}
                ],
            }
        ],
    }
    if expose.host:
        spec["hostnames"] = [expose.host]
    return child(
        owner,
        f"{_GATEWAY_GROUP}/v1",
        "HTTPRoute",
        {"spec": spec},
        annotations=dict(expose.annotations),
    )
