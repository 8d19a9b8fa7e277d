"""Cors: what browsers are told of who may call from where.

A preflight is answered here, for all Routes of its path: browsers send it without credentials, so
no guard stands before it, and it tells nothing but what the manifests say.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from isthmus_api.plan import RoutePlan
from isthmus_api.source import HttpSource
from isthmus_api.verification import Verification
from isthmus_runtime import metrics
from isthmus_runtime.endpoint import Endpoint
from isthmus_runtime.faults import Rejected
from isthmus_runtime.http.messages import Head, Header, Request, Response, header
from isthmus_runtime.tracing import Trace

_VARY: Final[Header] = (b"vary", b"Origin")
_PREFLIGHT_VARY: Final[Header] = (
    b"vary",
    b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
)
_MAX_BODY: Final = 1024


class Policy:
    """What one Route allows to pages of other origins."""

    def __init__(self, source: HttpSource) -> None:
        if source.cors is None:
            raise TypeError("this Route tells browsers nothing")
        spec = source.cors
        self._any = "*" in spec.origins
        self._origins = frozenset(origin.encode() for origin in spec.origins)
        self._allowed: tuple[Header, ...] = (
            ((b"access-control-allow-credentials", b"true"),) if spec.credentials else ()
        )
        self._exposed: tuple[Header, ...] = (
            ((b"access-control-expose-headers", ", ".join(spec.expose_headers).encode()),)
            if spec.expose_headers
            else ()
        )
        headers = dict.fromkeys(["Content-Type", *_of_auth(source.auth), *spec.headers])
        self._preflight: tuple[Header, ...] = (
            (b"access-control-allow-headers", ", ".join(headers).encode()),
            (b"access-control-max-age", b"%d" % spec.max_age.seconds),
        )

    def fields(self, head: Head) -> tuple[Header, ...]:
        """What an answer says to the page that asked. Where it depends on the page, caches learn
        that it does."""
        vary = () if self._any else (_VARY,)
        origin = _origin(head)
        if not self.allows(origin):
            return vary
        return (self._allow(origin), *self._allowed, *self._exposed, *vary)

    def allows(self, origin: bytes) -> bool:
        """Whether pages of an origin may call; origins are compared letter by letter."""
        return bool(origin) and (self._any or origin in self._origins)

    def preflight(self, origin: bytes) -> tuple[Header, ...]:
        """What a browser is told that asks first."""
        return (self._allow(origin), *self._allowed, *self._preflight)

    def _allow(self, origin: bytes) -> Header:
        return (b"access-control-allow-origin", b"*" if self._any else origin)


@dataclass(frozen=True, slots=True)
class _Served:
    """One of the Routes of a path."""

    methods: tuple[str, ...]
    policy: Policy


class Preflight(Endpoint):
    """Answers OPTIONS for the Routes of one path."""

    def __init__(self, plans: list[RoutePlan]) -> None:
        sources = [plan.source.http for plan in plans if plan.source.http]
        super().__init__(plans[0], method="OPTIONS", path=sources[0].path, max_body=_MAX_BODY)
        self._served = [_Served(_methods(source), Policy(source)) for source in sources]
        self._refusals = (plans[0].namespace, plans[0].name)

    async def answer(self, request: Request, params: dict[str, str], trace: Trace) -> Response:
        """Whether a page may make the request that its browser asks about."""
        origin = _origin(request.head)
        wanted = header(request.head.headers, b"access-control-request-method") or b""
        known = [each for each in self._served if each.policy.allows(origin)]
        for each in known:
            if wanted.decode("latin-1") in each.methods:
                methods = ", ".join(method for one in known for method in one.methods)
                allowed: Header = (b"access-control-allow-methods", methods.encode())
                return Response(204, [*each.policy.preflight(origin), allowed, _PREFLIGHT_VARY])
        reason, detail = (
            ("MethodNotAllowed", "pages may not call with this method")
            if known
            else ("OriginNotAllowed", "pages of this origin may not call")
        )
        metrics.ROUTE_REFUSALS.labels(*self._refusals, reason).inc()
        raise Rejected(reason, detail, 403, headers=(_PREFLIGHT_VARY,))


def preflights(plans: Iterable[RoutePlan]) -> list[Endpoint]:
    """One for each path of Routes that tell browsers something; the names of variables do not make
    another path."""
    found: dict[str, list[RoutePlan]] = {}
    for plan in plans:
        http = plan.source.http
        if http and http.cors:
            segments = ("{}" if s.startswith("{") else s for s in http.path.split("/"))
            found.setdefault("/".join(segments), []).append(plan)
    return [Preflight(each) for each in found.values()]


def _methods(source: HttpSource) -> tuple[str, ...]:
    return (source.method, "HEAD") if source.method == "GET" else (source.method,)


def _origin(head: Head) -> bytes:
    return header(head.headers, b"origin") or b""


def _of_auth(auth: Verification | None) -> Iterable[str]:
    """The headers in which callers prove who they are."""
    if auth is None:
        return
    if auth.bearer or auth.basic or auth.jwt:
        yield "Authorization"
    if auth.api_key and auth.api_key.header:
        yield auth.api_key.header
    if auth.hmac:
        yield auth.hmac.header
