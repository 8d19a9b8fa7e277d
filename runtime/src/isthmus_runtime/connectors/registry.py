"""Registry: the connectors of a process, shared by all Routes that name the same one.

A connector lives as long as some loaded Route uses it, so its pool, its token and its rate limit
outlast a change of the Routes around it.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from isthmus_api.connector import Auth, ConnectorSpec, HttpTransport
from isthmus_api.contract import Contract
from isthmus_api.plan import RoutePlan
from isthmus_runtime import metrics
from isthmus_runtime.connectors import auth
from isthmus_runtime.connectors.connector import Connector
from isthmus_runtime.http.client import Client
from isthmus_runtime.http.limits import ClientLimits
from isthmus_runtime.http.pool import Origin
from isthmus_runtime.http.transport import Transport
from isthmus_runtime.secrets import Secrets

if TYPE_CHECKING:  # imported where a Connector has a contract: most have none
    from isthmus_runtime.connectors.schema_drift import Watch

Key = tuple[str, str, str]
MakeTransport = Callable[[str, HttpTransport], Transport]
FindContract = Callable[[str, str, Contract], Callable[[], bytes] | None]
"""Takes namespace, Connector and contract; gives what reads the document, where there is one."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """A connector, and the clients it talks through: its own and that of its sign-in."""

    connector: Connector
    clients: tuple[Client, ...]
    watch: "Watch | None" = None


class Registry:
    """Opens connectors when a plan first needs them and closes those that no plan needs."""

    def __init__(
        self,
        secrets: Secrets,
        make_transport: MakeTransport | None = None,
        find_contract: FindContract | None = None,
    ) -> None:
        self._secrets = secrets
        self._make_transport = make_transport
        self._find_contract = find_contract
        self._connectors: dict[Key, _Opened] = {}

    def of(self, plan: RoutePlan) -> dict[str, Connector]:
        """The connectors of a plan by name."""
        return {
            name: self._connector(plan.namespace, name, spec)
            for name, spec in plan.connectors.items()
        }

    async def keep(self, plans: Iterable[RoutePlan]) -> None:
        """Close every connector that none of `plans` uses; calls under way finish."""
        used = {
            _key(plan.namespace, name, spec)
            for plan in plans
            for name, spec in plan.connectors.items()
        }
        unused = [self._connectors.pop(key) for key in self._connectors.keys() - used]
        for opened in unused:
            if opened.watch:
                opened.watch.close()
            for client in opened.clients:
                await client.aclose()

    def measure(self) -> None:
        """Write the state of all pools into the metrics, and of no others."""
        metrics.CONNECTIONS.clear()
        for (namespace, name, _), opened in self._connectors.items():
            states = {
                "busy": sum(c.open_connections - c.idle_connections for c in opened.clients),
                "idle": sum(c.idle_connections for c in opened.clients),
                "waiting": sum(c.waiting for c in opened.clients),
            }
            for state, count in states.items():
                metrics.CONNECTIONS.labels(namespace, name, state).set(count)
        metrics.SCHEMA_DRIFT.clear()
        for watch in self._watches():
            counts = Counter((each.operation, each.kind) for each in watch.found)
            for labels, count in counts.items():
                metrics.SCHEMA_DRIFT.labels(watch.namespace, watch.name, *labels).set(count)

    def contracts(self) -> list[dict[str, Any]]:
        """What is known of answers that are held against a contract."""
        return [watch.status() for watch in self._watches()]

    def _watches(self) -> "Iterable[Watch]":
        return [opened.watch for opened in self._connectors.values() if opened.watch]

    def _connector(self, namespace: str, name: str, spec: ConnectorSpec) -> Connector:
        key = _key(namespace, name, spec)
        if key not in self._connectors:
            if spec.http is None:
                raise TypeError(f"the connector {name} has no transport")
            self._connectors[key] = self._open(namespace, name, spec.http)
        return self._connectors[key].connector

    def _open(self, namespace: str, name: str, spec: HttpTransport) -> _Opened:
        clients: list[Client] = []

        def transport(url: str) -> Transport:
            if self._make_transport:
                return self._make_transport(name, spec)
            clients.append(_client(url, spec))
            return clients[-1]

        connector = Connector(
            namespace,
            name,
            spec,
            transport=transport(spec.base_url),
            credentials=self._credentials(spec, transport),
            base_path=urlsplit(spec.base_url).path.rstrip("/"),
        )
        watch = self._watch(namespace, name, spec)
        if watch:
            connector.send = watch.around(connector.send)
        return _Opened(connector, tuple(clients), watch)

    def _watch(self, namespace: str, name: str, spec: HttpTransport) -> "Watch | None":
        if spec.contract is None or self._find_contract is None:
            return None
        read = self._find_contract(namespace, name, spec.contract)
        if read is None:
            return None
        from isthmus_runtime.connectors.schema_drift import Watch

        return Watch(namespace, name, spec.base_url, read)

    def _credentials(
        self, spec: HttpTransport, transport: Callable[[str], Transport]
    ) -> auth.Auth | None:
        match spec.auth:
            case Auth(basic=found) if found:
                return auth.basic(found, self._secrets)
            case Auth(bearer=found) if found:
                return auth.bearer(found, self._secrets)
            case Auth(api_key=found) if found:
                return auth.api_key(found, self._secrets)
            case Auth(oauth2_client_credentials=found) if found:
                parts = urlsplit(found.token_url)
                return auth.ClientCredentials(
                    found,
                    self._secrets,
                    transport(found.token_url),
                    f"{parts.path or '/'}{parts.query and '?'}{parts.query}",
                    timeout=spec.timeout.seconds,
                )
        return None


def _key(namespace: str, name: str, spec: ConnectorSpec) -> Key:
    return namespace, name, repr(spec.canonical())


def _client(url: str, spec: HttpTransport) -> Client:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    origin = Origin(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=parts.port or (443 if secure else 80),
    )
    limits = ClientLimits(
        max_connections=spec.max_connections,
        connect_timeout=spec.connect_timeout.seconds,
        max_response_bytes=spec.max_response_size.bytes,
    )
    return Client(origin, limits=limits)
