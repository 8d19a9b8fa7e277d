"""The NetworkPolicy: who may reach a Route's pods, and where they may go.

In: the traffic port, where there is something to call, is open to anyone, since gateways stand
outside the cluster's pods as often as in them; the admin port to pods of the cluster. Probes come
from the node, which is always let in.

Out: names are asked of DNS; everything else by port. A NetworkPolicy cannot name a host, so a port
that one Connector needs is open to every address. An address inside the cluster is let through by
its namespace with all ports, because a Service's port is not the port of the pods behind it, and
that is the one that is compared.
"""

import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from isthmus_api.connector import HttpTransport
from isthmus_api.plan import RoutePlan
from isthmus_operator.desired import journal, pod
from isthmus_operator.desired.context import Context
from isthmus_operator.desired.manifest import Manifest, Owner, child

_DNS: Final = (53, 5353)
"""The second is where the name servers of some distributions listen behind their Service."""
_PORTS: Final = {"http": 80, "https": 443}
_NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def manifest(owner: Owner, plan: RoutePlan, context: Context) -> Manifest:
    """The NetworkPolicy."""
    traffic = {"ports": [_port(pod.TRAFFIC_PORT)]}
    spec = {
        "podSelector": {"matchLabels": owner.match},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [
            *((traffic,) if plan.source.endpoint else ()),
            {"from": [{"namespaceSelector": {}}], "ports": [_port(pod.ADMIN_PORT)]},
        ],
        "egress": [*_egress(owner.namespace, plan, context)],
    }
    return child(owner, "networking.k8s.io/v1", "NetworkPolicy", {"spec": spec})


def _egress(namespace: str, plan: RoutePlan, context: Context) -> Iterator[Manifest]:
    yield {"ports": [_port(port, protocol) for port in _DNS for protocol in ("UDP", "TCP")]}
    targets = [urlsplit(address) for address in _addresses(plan)]
    used = journal.of(plan, context)
    databases = {used.port} if used else set()
    ports = sorted({port for target in targets if (port := _called(target))} | databases)
    if ports:
        yield {"ports": [_port(port) for port in ports]}
    hosts = (_namespace(target.hostname or "", namespace) for target in targets)
    namespaces = sorted({host for host in hosts if host})
    if namespaces:
        yield {"to": [_in_namespace(each) for each in namespaces]}


def _addresses(plan: RoutePlan) -> Iterator[str]:
    """Every URL that the pods connect to: that of a proxy in place of those that it carries."""
    for connector in plan.connectors.values():
        http = connector.http
        if http is None:
            continue
        for url in _urls(http):
            yield http.proxy.url if http.proxy and http.proxy.carries(url) else url
    if found := plan.source.jwks_url:
        yield found


def _urls(http: HttpTransport) -> Iterator[str]:
    yield http.base_url
    if http.auth and http.auth.oauth2:
        yield http.auth.oauth2.token_url


def _called(target: SplitResult) -> int | None:
    """The port that is called; None when it is no port."""
    try:
        return target.port or _PORTS[target.scheme]
    except ValueError:
        return None


def _namespace(host: str, own: str) -> str | None:
    """The namespace of the Service that a host may be: `name`, `name.namespace[.svc[.…]]`."""
    match host.rstrip(".").split("."):
        case [name] if _NAME.fullmatch(name):
            return own
        case [_, namespace] | [_, namespace, "svc", *_] if _NAME.fullmatch(namespace):
            return namespace
        case _:
            return None


def _in_namespace(namespace: str) -> Manifest:
    return {"namespaceSelector": {"matchLabels": {_NAMESPACE_NAME: namespace}}}


def _port(number: int, protocol: str = "TCP") -> dict[str, Any]:
    return {"protocol": protocol, "port": number}
