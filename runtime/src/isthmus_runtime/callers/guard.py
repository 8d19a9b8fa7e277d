"""The guard of a Route: lets requests pass that hold what its manifest asks for.

What it refuses is counted here and answered as every fault is: a problem document, with a challenge
where proving oneself would help. Who called is `$request.caller` to expressions, and is counted by
name.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from isthmus_api.plan import RoutePlan
from isthmus_api.proofs import Jwt
from isthmus_api.verification import Verification
from isthmus_runtime import metrics
from isthmus_runtime.callers import addresses, proofs
from isthmus_runtime.callers.check import NOBODY, Caller, Check, Vault
from isthmus_runtime.callers.cors import Policy
from isthmus_runtime.callers.limiter import ByAddress, Limiter, by_address
from isthmus_runtime.callers.signatures import Signature
from isthmus_runtime.endpoint import CalledResponse
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Fault
from isthmus_runtime.http.messages import Head, Header, Request, Response
from isthmus_runtime.instruments import Number
from isthmus_runtime.secrets import Secrets
from isthmus_runtime.steps.bound import Binder

if TYPE_CHECKING:
    from isthmus_runtime.callers.keyrings import Keyrings

Go = Callable[[Exchange], Awaitable[Response]]
"""What a Route does with a request that has passed."""


class Guard:
    """Stands before one Route."""

    def __init__(
        self,
        plan: RoutePlan,
        checks: Sequence[Check],
        *,
        by_address: ByAddress | None,
        by_name: Limiter | None,
        policy: Policy | None,
    ) -> None:
        self._checks = tuple(checks)
        self._by_address = by_address
        self._by_name = by_name
        self._policy = policy
        self._labels = (plan.namespace, plan.name)
        self._answers: dict[str, tuple[Number, ...]] = {}

    def fields(self, head: Head) -> tuple[Header, ...]:
        """What every answer to a page of another origin says."""
        return self._policy.fields(head) if self._policy else ()

    async def answer(self, request: Request, x: Exchange, go: Go) -> Response:
        """The answer of the Route; a `Fault` where the request does not pass or the Route fails."""
        fields: list[Header] = []
        caller = await self._admitted(request, x, fields)
        x.variables["request"]["caller"] = caller.facts
        try:
            answer = await self._answered(caller, x, go)
        except Fault as fault:
            fault.headers = (*fault.headers, *fields)
            raise
        answer.headers += fields
        return answer

    async def _answered(self, caller: Caller, x: Exchange, go: Go) -> Response:
        """The Route's answer, counted for who called."""
        if not caller.known_as:
            return await go(x)
        try:
            answer = await go(x)
        except Fault as fault:
            fault.caller = caller.known_as
            self._count(caller, fault.status)
            raise
        self._count(caller, answer.status)
        return CalledResponse(answer, caller.known_as)

    async def _admitted(self, request: Request, x: Exchange, fields: list[Header]) -> Caller:
        """Who called, as far as all checks together tell. `fields` get what is said of limits."""
        found = NOBODY
        try:
            if self._by_address:
                fields += self._by_address(request.head)
            for check in self._checks:
                told = check(request, x)
                if not isinstance(told, Caller):
                    told = await told
                found = _both(found, told)
            if self._by_name:
                fields += self._by_name.take(str(found.facts.get("name", "")))
        except Fault as fault:
            metrics.ROUTE_REFUSALS.labels(*self._labels, fault.reason).inc()
            raise
        return found

    def _count(self, caller: Caller, status: int) -> None:
        name = caller.known_as
        counts = self._answers.get(name)
        if counts is None:
            counts = metrics.by_status(metrics.CALLER_REQUESTS, *self._labels, name)
            self._answers[name] = counts
        counts[status // 100].inc()


def _both(first: Caller, second: Caller) -> Caller:
    """What two checks tell; where both have a name, the first one's counts."""
    if first is NOBODY:
        return second
    if second is NOBODY:
        return first
    return Caller(first.known_as or second.known_as, {**second.facts, **first.facts})


class Guards:
    """Makes the guards of a process; what they share is the keys of issuers."""

    def __init__(self, secrets: Secrets) -> None:
        self._vault = Vault(secrets)
        self._keyrings: Keyrings | None = None

    def of(self, plan: RoutePlan, binder: Binder) -> Guard:
        """The guard of a Route."""
        source, http = plan.source.endpoint, plan.source.http
        if source is None:
            raise TypeError(f"nobody calls {plan.namespace}/{plan.name}")
        limits, sender = source.limits, addresses.behind(source.trusted_proxies or ())
        verify = source.verification
        return Guard(
            plan,
            tuple(self._checks(plan, verify, sender, binder)) if verify else (),
            by_address=by_address(limits, sender) if limits and limits.by == "address" else None,
            by_name=Limiter(limits) if limits and limits.by == "caller" else None,
            policy=Policy(http) if http and http.cors else None,
        )

    async def keep(self, plans: Iterable[RoutePlan]) -> None:
        """Let go of what no Route needs any more."""
        if self._keyrings:
            urls = [plan.source.jwks_url for plan in plans]
            await self._keyrings.keep(url for url in urls if url)

    def _checks(
        self,
        plan: RoutePlan,
        verify: Verification,
        sender: addresses.Sender,
        binder: Binder,
    ) -> Iterable[Check]:
        """The cheap ones first."""
        realm = f'realm="{plan.namespace}/{plan.name}"'.encode()
        if verify.allow_from:
            yield addresses.allowed(verify.allow_from, sender)
        if verify.client_certificate:
            yield proofs.certificate(verify.client_certificate)
        if verify.api_key:
            yield proofs.api_keys(verify.api_key, self._vault, realm)
        if verify.bearer:
            yield proofs.bearer(verify.bearer, self._vault, realm)
        if verify.basic:
            yield proofs.basic(verify.basic, self._vault, realm)
        if verify.jwt:
            yield self._token(verify.jwt, realm)
        if verify.hmac:
            yield Signature(verify.hmac, self._vault, binder)

    def _token(self, spec: Jwt, realm: bytes) -> Check:
        from isthmus_runtime.callers import keyrings, tokens  # cryptography takes 30 ms to import

        if spec.jwks_url is None:
            return tokens.Token(spec, keyrings.GivenKeys(spec.keys or ()), realm)
        if self._keyrings is None:
            self._keyrings = keyrings.Keyrings()
        return tokens.Token(spec, self._keyrings.of(spec.jwks_url), realm)
