"""Breaker: the circuit of one Connector in this process, between its calls and its connections.

A call is refused before it signs in or waits for a rate limit, and once more when it is about to be
sent, for the circuit may have opened meanwhile. A log-in of `session` goes to the same system, so
it counts and is refused as other calls are.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any

from isthmus_api.circuit_breaker import CircuitBreaker
from isthmus_runtime import logs, metrics
from isthmus_runtime.connectors.circuit import STATES, Circuit, Terms
from isthmus_runtime.connectors.connector import Call, Send
from isthmus_runtime.faults import Upstream
from isthmus_runtime.http import errors
from isthmus_runtime.http.messages import Header, Response
from isthmus_runtime.http.streams import Stream
from isthmus_runtime.http.transport import Transport


class Breaker:
    """Lets calls go or fails them with `CircuitOpen`."""

    def __init__(self, namespace: str, name: str, spec: CircuitBreaker) -> None:
        self.namespace = namespace
        self.name = name
        self._patience = spec.patience.seconds
        self._circuit = Circuit(Terms.of(spec), self._note)
        self._refusals = metrics.CALLS.labels(namespace, name, "CircuitOpen")
        self._now = asyncio.get_running_loop().time

    def before(self, send: Send) -> Send:
        """The same call, which fails at once while no call may go."""

        async def guarded(call: Call, deadline: float) -> Response:
            if self._circuit.state != "closed":
                wait = self._circuit.wait(self._now())
                if wait:
                    raise self._refusal(wait)
            return await send(call, deadline)

        return guarded

    def around(self, transport: Transport) -> Transport:
        """The same transport; what becomes of its requests is noted."""
        return _Watched(transport, self)

    def measure(self) -> None:
        """Write the state into the metrics."""
        for state in STATES:
            value = float(state == self._circuit.state)
            metrics.CIRCUIT.labels(self.namespace, self.name, state).set(value)

    def status(self) -> dict[str, Any]:
        """What `/status` shows."""
        calls, failed = self._circuit.seen
        return {
            "namespace": self.namespace,
            "connector": self.name,
            "state": self._circuit.state,
            "calls": calls,
            "failed": failed,
            "waitSeconds": round(self._circuit.wait(self._now()), 3),
        }

    def begin(self) -> int:
        """Let a request go; a fault where none may."""
        call = self._circuit.begin(self._now())
        if call is None:
            raise self._refusal(self._circuit.wait(self._now()))
        return call

    def end(self, call: int, *, failed: bool | None) -> None:
        """What became of a request."""
        self._circuit.end(call, self._now(), failed=failed)

    def failed(self, error: errors.ClientError, seconds: float) -> bool | None:
        """Whether the system failed, of a request that ended without an answer after some time."""
        match error:
            case errors.Untrusted():
                return None
            case errors.ConnectFailed() | errors.ConnectionBroken():
                return True
            case errors.DeadlineExceeded(phase="connect" | "response"):
                return True if seconds >= self._patience else None
            case errors.ResponseTooLarge():
                return False
            case _:
                return None

    def _refusal(self, wait: float) -> Upstream:
        self._refusals.inc()
        fault = Upstream(
            "CircuitOpen",
            f"{self.name} is left alone, for too many calls to it have failed",
            connector=self.name,
            status=503,
            sent=False,
            retry_after=wait,
        )
        fault.headers = ((b"retry-after", b"%d" % math.ceil(wait)),)
        return fault

    def _note(self) -> None:
        circuit = self._circuit
        metrics.CIRCUIT_CHANGES.labels(self.namespace, self.name, circuit.state).inc()
        match circuit.state:
            case "open":
                calls, failed = circuit.seen
                logs.warning(
                    "circuit is open: no calls are made",
                    connector=self.name,
                    calls=calls,
                    failed=failed,
                    pauseSeconds=circuit.pause,
                )
            case "half-open":
                logs.info("circuit is half-open: calls are tried", connector=self.name)
            case "closed":
                logs.info("circuit is closed: calls go on", connector=self.name)


class _Watched:
    """A transport whose requests a breaker lets go and hears of."""

    def __init__(self, transport: Transport, breaker: Breaker) -> None:
        self._transport = transport
        self._breaker = breaker
        self._now = asyncio.get_running_loop().time

    async def send(
        self,
        method: str,
        target: bytes | str,
        headers: Sequence[Header] = (),
        body: bytes = b"",
        *,
        deadline: float,
        max_response_bytes: int | None = None,
        repeatable: bool = False,
        sent: Callable[[], None] | None = None,
        into: Stream | None = None,
    ) -> Response:
        """Send where the circuit lets it, and tell what became of it."""
        breaker = self._breaker
        call = breaker.begin()
        failed: bool | None = None
        begun = self._now()
        try:
            answer = await self._transport.send(
                method,
                target,
                headers,
                body,
                deadline=deadline,
                max_response_bytes=max_response_bytes,
                repeatable=repeatable,
                sent=sent,
                into=into,
            )
            failed = answer.status >= 500
        except errors.ClientError as error:
            failed = breaker.failed(error, self._now() - begun)
            raise
        finally:
            breaker.end(call, failed=failed)
        return answer
