"""Fakes for tests of Routes: Connectors that follow a script, made-up secrets, a jumping clock.

    script = ScriptedAnswers(case.answers)
    registry = Registry(Placeholders(), script.transport, sign_in=signed_in)
    answer = run(exchange(registry))                    # a coroutine that sends requests to a Route
    assert script.calls[0].path == "/prices"

Everything above the transport is what runs in production: rate limit, retries, time-outs, and
sign-in as far as it asks no other system; `signed_in` takes the place of the rest. Used by
`isthmus test` and by our own tests; no part of a pod.
"""

import asyncio
import json
import selectors
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NoReturn, TypeVar, cast
from urllib.parse import parse_qsl, urlsplit

from isthmus_api import auth as auth_model
from isthmus_api.auth import carried
from isthmus_api.connector import HttpTransport
from isthmus_api.model import KeyRef
from isthmus_api.plan import RoutePlan
from isthmus_api.route_case import TestAnswer, TestEntry
from isthmus_runtime import logs
from isthmus_runtime.connectors import auth
from isthmus_runtime.connectors.auth import fixed, session
from isthmus_runtime.endpoint import Guarding
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.http import errors
from isthmus_runtime.http.messages import Head, Header, Request, Response
from isthmus_runtime.http.streams import Stream
from isthmus_runtime.http.transport import Transport
from isthmus_runtime.journal.access import Access
from isthmus_runtime.journal.entries import Memory
from isthmus_runtime.journal.journal import Journal
from isthmus_runtime.steps.bound import Binder

T = TypeVar("T")

_FAILED: Final = 400
"""From this status on an answer is a failure, and a repeated call may get it again."""


class NoAnswer(Exception):
    """A Route made a call that the script has no answer for; the message says which."""


@dataclass(frozen=True, slots=True)
class MadeCall:
    """A call as it reached a Connector's transport.

    `path` is percent-encoded and below the Connector's baseUrl; `query` is decoded and without the
    credentials of the Connector. A retry is a call of its own.
    """

    connector: str
    method: str
    path: str
    query: dict[str, list[str]]
    headers: tuple[Header, ...]
    body: bytes

    def __str__(self) -> str:
        return f"{self.method} {self.path} of the Connector {self.connector}"


class ScriptedAnswers:
    """Answers the calls of all Connectors of one test, and keeps what they were.

    Each answer is used once, in order, by the first call that it fits. A call that failed and is
    made again gets that failure again when no answer is left for it: a system that is down stays
    down, however often the Connector tries. Any other call without an answer is a `NoAnswer`.
    """

    def __init__(self, answers: Sequence[TestAnswer]) -> None:
        self.calls: list[MadeCall] = []
        self.unanswered: list[MadeCall] = []
        self._left = list(answers)
        self._failures: dict[tuple[str, str, str, bytes], TestAnswer] = {}

    @property
    def unused(self) -> tuple[TestAnswer, ...]:
        """The answers that no call has taken."""
        return tuple(self._left)

    def transport(self, name: str, spec: HttpTransport) -> Transport:
        """The transport of one Connector; fits `connectors.registry.Registry`."""
        return _ScriptedTransport(self, name, spec)

    async def answer(self, call: MadeCall, *, deadline: float) -> Response:
        """Answer a call, or fail with an error of the client."""
        self.calls.append(call)
        found = self._take(call)
        if found.fail or found.status >= _FAILED:
            self._failures[_identity(call)] = found
        if found.fail:
            await _fail(found.fail, deadline)
        return Response(found.status, _headers(found), _body(found))

    def _take(self, call: MadeCall) -> TestAnswer:
        for index, answer in enumerate(self._left):
            if _fits(answer, call):
                return self._left.pop(index)
        again = self._failures.get(_identity(call))
        if again is None:
            self.unanswered.append(call)
            raise NoAnswer(f"the call {call} has no answer left")
        return again


class _ScriptedTransport:
    """One Connector's way to the script."""

    def __init__(self, script: ScriptedAnswers, name: str, spec: HttpTransport) -> None:
        self._script = script
        self._name = name
        self._spec = spec
        self._base_path = urlsplit(spec.base_url).path.rstrip("/")

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
        """Answer from the script."""
        if deadline <= asyncio.get_running_loop().time():
            raise errors.DeadlineExceeded("pool")
        text = target if isinstance(target, str) else target.decode("latin-1")
        path, _, query = text.removeprefix(self._base_path).partition("?")
        call = MadeCall(self._name, method, path, self._query(query), tuple(headers), body)
        return await self._script.answer(call, deadline=deadline)

    def _query(self, query: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            found.setdefault(name, []).append(value)
        for place, name in carried.by(self._spec.auth):
            if place == "query":
                found.pop(name, None)
        return found


class ScriptedStore:
    """A keyed store that holds the entries of one test, and keeps what was written."""

    def __init__(self, entries: Sequence[TestEntry]) -> None:
        self.written: list[Memory] = []
        self._held = [_memory(entry) for entry in entries]

    async def put(self, memories: Sequence[Memory]) -> None:
        """Keep entries; tests read them as `written`."""
        self.written += memories

    async def get(
        self, namespace: str, store: str, *, key: str | None = None, reference: str | None = None
    ) -> Memory | None:
        """The entry that was there before."""
        for memory in self._held:
            fits = memory.key == key if key is not None else memory.reference == reference
            if memory.store == store and fits:
                return replace(memory, namespace=namespace)
        return None

    async def close(self) -> None:
        """There is nothing to close."""


async def opened(store: ScriptedStore) -> Access:
    """A journal that has a store and nothing else, for a Route whose messages a test brings."""

    async def found() -> Journal:
        return cast(Journal, store)

    access = Access(found)
    await access.open()
    return access


def _memory(entry: TestEntry) -> Memory:
    return Memory(
        namespace="",
        store=entry.store,
        key=entry.key,
        value=as_json(entry.value),
        reference=entry.reference,
    )


class Introduced:
    """A guard that lets everybody pass: tests say who calls, and need not prove it."""

    def __init__(self, caller: dict[str, Any] | None) -> None:
        self._caller = caller or {}

    def __call__(self, plan: RoutePlan, binder: Binder) -> Guarding:
        """Itself, for any Route."""
        return self

    def fields(self, head: Head) -> tuple[Header, ...]:
        """Nothing."""
        return ()

    async def answer(
        self, request: Request, x: Exchange, go: Callable[[Exchange], Awaitable[Response]]
    ) -> Response:
        """What the Route answers."""
        x.variables["request"]["caller"] = self._caller
        return await go(x)


class Placeholders:
    """Secrets that all exist; the value of each is made of its name."""

    def read(self, ref: KeyRef) -> str:
        """`name/key`."""
        return f"{ref.name}/{ref.key}"


def signed_in(spec: auth_model.Auth, around: auth.Surroundings) -> auth.Auth:
    """The sign-in of a Connector; a token that another system would give is `placeholder`."""
    if spec.session:
        headers = session.fields_with(spec.session, "placeholder", around)
        return _signed_with(*headers)
    if spec.oauth2:
        return _signed_with((b"authorization", b"Bearer placeholder"))
    return auth.of(spec, around)


def _signed_with(*headers: Header) -> auth.Auth:
    return fixed.Fixed(lambda: headers, auth.Credentials)


def as_json(value: Any) -> bytes:
    """Write a value as JSON, integers exactly; `ValueError` when it has no JSON form."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a `JumpingLoop`, without logs."""
    with (
        logs.captured(),
        asyncio.Runner(loop_factory=JumpingLoop) as runner,
    ):
        return runner.run(work)


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer when there is nothing else to do.

    Waits between retries, time-outs and rate limits take their length of the loop's time and none
    of ours, so what depends on them happens in the order it has in production.
    """

    def __init__(self) -> None:
        self._jumped = 0.0
        super().__init__(_JumpingSelector(self))

    def time(self) -> float:
        """Seconds since the loop began, jumps included."""
        return self._jumped

    def jump(self, seconds: float) -> None:
        """Let time pass."""
        self._jumped += seconds


class _JumpingSelector(selectors.DefaultSelector):
    """Lets the loop's clock jump where another selector would wait."""

    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready now; with nothing ready, time passes instead."""
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("the test waits for something that cannot happen")
        self._loop.jump(timeout)
        return ready


_JSON: Final[Header] = (b"content-type", b"application/json")


def _identity(call: MadeCall) -> tuple[str, str, str, bytes]:
    return call.connector, call.method, f"{call.path}?{call.query}", call.body


def _fits(answer: TestAnswer, call: MadeCall) -> bool:
    return (
        answer.connector == call.connector
        and answer.method in (None, call.method)
        and answer.path in (None, call.path)
    )


async def _fail(how: str, deadline: float) -> NoReturn:
    match how:
        case "connect":
            raise errors.ConnectFailed("a test says so")
        case "timeout":
            loop = asyncio.get_running_loop()
            await asyncio.sleep(deadline - loop.time())
            raise errors.DeadlineExceeded("response")
        case _:
            raise errors.ConnectionBroken(0, "a test says so")


def _headers(answer: TestAnswer) -> list[Header]:
    fields = [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
    is_json = "body" in answer.written()
    if is_json and not any(name == b"content-type" for name, _ in fields):
        fields.append(_JSON)
    return fields


def _body(answer: TestAnswer) -> bytes:
    if answer.text is not None:
        return answer.text.encode()
    return as_json(answer.body) if "body" in answer.written() else b""
