"""Registry: the connectors of a process, shared by all Routes that name the same one.

A connector lives as long as some loaded Route uses it, so its pool, its token and its rate limit
outlast a change of the Routes around it.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from isthmus_api.auth import Auth
from isthmus_api.connector import ConnectorSpec, HttpTransport
from isthmus_api.contract import Contract
from isthmus_api.plan import RoutePlan
from isthmus_api.tls import Tls
from isthmus_runtime import metrics
from isthmus_runtime.connectors import auth, ways
from isthmus_runtime.connectors.connector import Connector, common_headers
from isthmus_runtime.http.client import Client
from isthmus_runtime.http.origins import Origin
from isthmus_runtime.http.transport import Transport
from isthmus_runtime.secrets import Secrets

if TYPE_CHECKING:  # what not every Connector has is imported where one has it
    from isthmus_runtime.connectors.breaker import Breaker
    from isthmus_runtime.connectors.limits.limiter import Limiter
    from isthmus_runtime.connectors.schema_drift import Watch
    from isthmus_runtime.connectors.sharing import Sharing

Key = tuple[str, str, str]
MakeTransport = Callable[[str, HttpTransport], Transport]
SignIn = Callable[[Auth, auth.Surroundings], auth.Auth]
FindContract = Callable[[str, str, Contract], Callable[[], bytes] | None]
"""Takes namespace, Connector and contract; gives what reads the document, where there is one."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """A connector, its sign-in, the clients it talks through (its own and that of its sign-in),
    what its calls wait for, and what looks at their ends."""

    connector: Connector
    proof: auth.Auth | None
    clients: tuple[Client, ...]
    limiter: "Limiter | None"
    breaker: "Breaker | None"
    watch: "Watch | None"

    async def close(self) -> None:
        """Let calls under way finish, then give back what they held."""
        if self.watch:
            self.watch.close()
        for client in self.clients:
            await client.aclose()
        if self.limiter:
            await self.limiter.close()


class Registry:
    """Opens connectors when a plan first needs them and closes those that no plan needs.

    Where there is a `sharing` when a connector is opened, rate limits are counted and tokens kept
    with others.
    """

    def __init__(
        self,
        secrets: Secrets,
        make_transport: MakeTransport | None = None,
        find_contract: FindContract | None = None,
        *,
        sign_in: SignIn = auth.of,
    ) -> None:
        self.sharing: Sharing | None = None
        self._secrets = secrets
        self._sign_in = sign_in
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
            await opened.close()

    def measure(self) -> None:
        """Write the state of all pools, limits and circuits into the metrics, and of no others."""
        for family in (
            metrics.CONNECTIONS,
            metrics.RATE_LIMIT_WAITING,
            metrics.PAUSED_SECONDS,
            metrics.CIRCUIT,
            metrics.SIGN_IN_REFUSED,
        ):
            family.clear()
        for (namespace, name, _), opened in self._connectors.items():
            states = {
                "busy": sum(c.open_connections - c.idle_connections for c in opened.clients),
                "idle": sum(c.idle_connections for c in opened.clients),
                "waiting": sum(c.waiting for c in opened.clients),
            }
            for state, count in states.items():
                metrics.CONNECTIONS.labels(namespace, name, state).set(count)
            if opened.proof:
                refused = metrics.SIGN_IN_REFUSED.labels(namespace, name)
                refused.set(opened.proof.is_refused)
            if opened.limiter:
                metrics.RATE_LIMIT_WAITING.labels(namespace, name).set(opened.limiter.waiting)
                metrics.PAUSED_SECONDS.labels(namespace, name).set(opened.limiter.paused)
            if opened.breaker:
                opened.breaker.measure()
        metrics.SCHEMA_DRIFT.clear()
        for watch in self._watches():
            counts = Counter((each.operation, each.kind) for each in watch.found)
            for labels, count in counts.items():
                metrics.SCHEMA_DRIFT.labels(watch.namespace, watch.name, *labels).set(count)

    def contracts(self) -> list[dict[str, Any]]:
        """What is known of answers that are held against a contract."""
        return [watch.status() for watch in self._watches()]

    def circuits(self) -> list[dict[str, Any]]:
        """What is known of Connectors that have a circuit breaker."""
        return [each.breaker.status() for each in self._connectors.values() if each.breaker]

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

        def transport(url: str, tls: Tls | None) -> Transport:
            if self._make_transport:
                return self._make_transport(name, spec)
            way, client = ways.to(url, tls, spec, self._secrets, connector=name)
            clients.append(client)
            return way

        system = transport(spec.base_url, spec.tls)
        breaker = self._breaker(namespace, name, spec)
        if breaker:
            system = breaker.around(system)
        limiter = self._limiter(namespace, name, spec)
        proof = self._credentials(namespace, name, spec, system, transport)
        connector = Connector(
            namespace,
            name,
            spec,
            transport=system,
            credentials=proof,
            base_path=urlsplit(spec.base_url).path.rstrip("/"),
            limiter=limiter,
        )
        if spec.hedge:
            from isthmus_runtime.connectors.hedging import Hedging

            hedging = Hedging(namespace, name, spec.hedge)
            connector.send = hedging.around(connector.send, connector.attempt)
        watch = self._watch(namespace, name, spec)
        if watch:
            connector.send = watch.around(connector.send)
        if breaker:
            connector.send = breaker.before(connector.send)
        return _Opened(connector, proof, tuple(clients), limiter, breaker, watch)

    def _breaker(self, namespace: str, name: str, spec: HttpTransport) -> "Breaker | None":
        if spec.circuit_breaker is None:
            return None
        from isthmus_runtime.connectors.breaker import Breaker

        return Breaker(namespace, name, spec.circuit_breaker)

    def _limiter(self, namespace: str, name: str, spec: HttpTransport) -> "Limiter | None":
        if spec.rate_limit is None:
            return None
        from isthmus_runtime.connectors.limits.limiter import Limiter

        return Limiter(
            namespace,
            name,
            spec.rate_limit,
            at_once=spec.max_connections,
            sharing=self.sharing,
        )

    def _watch(self, namespace: str, name: str, spec: HttpTransport) -> "Watch | None":
        if spec.contract is None or self._find_contract is None:
            return None
        read = self._find_contract(namespace, name, spec.contract)
        if read is None:
            return None
        from isthmus_runtime.connectors.schema_drift import Watch

        return Watch(namespace, name, spec.base_url, read)

    def _credentials(
        self,
        namespace: str,
        name: str,
        spec: HttpTransport,
        system: Transport,
        reach: Callable[[str, Tls | None], Transport],
    ) -> auth.Auth | None:
        if spec.auth is None:
            return None
        around = auth.Surroundings(
            namespace=namespace,
            connector=name,
            secrets=self._secrets,
            base_url=spec.base_url,
            authority=Origin.of(spec.base_url).authority,
            system=system,
            reach=reach,
            headers=common_headers(spec),
            timeout=spec.timeout.seconds,
            sharing=self.sharing,
        )
        return self._sign_in(spec.auth, around)


def _key(namespace: str, name: str, spec: ConnectorSpec) -> Key:
    return namespace, name, repr(spec.canonical())
