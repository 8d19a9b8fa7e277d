"""Faults on demand: make a service slow or broken, to watch what its callers do.

A fault comes from three places. Set at start or by `PUT /faults` it holds for all requests
until `DELETE /faults`; in the query of a request (`?delay=2s&fail=503`) it holds for that
request and wins over the other two.

    <status>  answers a problem with this HTTP status, 400 to 599
    html      answers 200 with a page, as a proxy in between does on a bad day
    half      promises the whole body and closes the connection in the middle of it
    hang      never answers, and does nothing
    lost      does what was asked, and never answers

`fail` names one of them, or some with the share of requests they befall: `503 10%, hang 1%`.
"""

import asyncio
import contextlib
import json
import logging
import random
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import durations
import problems

KINDS = ("html", "half", "hang", "lost")
LONGEST_DELAY = 60.0
SEED = 137
SWITCH = "/faults"
"""Standing faults always spare this path: otherwise a hanging service could never be mended."""

PAGE = "<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>"


class FaultError(ValueError):
    """A fault was asked for in words that mean none."""


class _Stopping(Exception):
    """The server stops, and has cancelled a request that only waits.

    Ending the request without an answer is right then; passing the cancellation on would
    put a traceback into the log of a service that was asked to stop.
    """


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with a service; nothing, by default."""

    delay: str | None = None
    fail: str | None = None

    @classmethod
    def parse(cls, words: Mapping[str, object]) -> Self:
        """Check the words and keep them; a `FaultError` says what would have been right."""
        if unknown := sorted(set(words) - {"delay", "fail"}):
            raise FaultError(f"there is no fault named {unknown[0]!r}, only delay and fail")
        return cls(delay=_delay(words.get("delay")), fail=_fail(words.get("fail")))

    @property
    def seconds(self) -> float:
        """How long to wait before anything else."""
        return durations.seconds(self.delay) if self.delay else 0.0

    def befalls(self, dice: random.Random) -> str | None:
        """Throw the dice: what goes wrong this time, if anything."""
        thrown = dice.random()
        for kind, share in _shares(self.fail or ""):
            if thrown < share:
                return kind
            thrown -= share
        return None

    def overridden_by(self, other: "Faults") -> "Faults":
        """Take what the other one says, and the rest from here."""
        return replace(self, delay=other.delay or self.delay, fail=other.fail or self.fail)

    def as_json(self) -> dict[str, str]:
        """Show only what is wrong: a healthy service gives an empty object."""
        shown = {"delay": self.delay, "fail": self.fail}
        return {name: value for name, value in shown.items() if value is not None}


def _delay(value: object) -> str | None:
    if value in (None, ""):
        return None
    if not isinstance(value, str) or durations.seconds(value) > LONGEST_DELAY:
        raise FaultError(f"delay must be a duration such as 300ms or 2s, at most 1m, not {value!r}")
    return value


def _fail(value: object) -> str | None:
    if value in (None, ""):
        return None
    text = str(value)
    shares = list(_shares(text))
    if any(not _is_kind(kind) for kind, _ in shares):
        raise FaultError(
            f"fail must be a status from 400 to 599, {', '.join(KINDS[:-1])} or {KINDS[-1]}, "
            f"or some of them with shares such as '503 10%, hang 1%', not {text!r}"
        )
    if sum(share for _, share in shares) > 1 + 1e-9:
        raise FaultError(f"the shares of fail must be 100% at most in all, not {text!r}")
    return text


def _shares(text: str) -> Iterator[tuple[str, float]]:
    """Read `503 10%, hang 1%`; a kind without a share befalls every request."""
    for part in text.split(",") if text else ():
        match = re.fullmatch(r"\s*(\w+)(?:\s+([0-9]{1,3}(?:\.[0-9]{1,3})?)%)?\s*", part)
        yield (match[1], float(match[2] or 100) / 100) if match else (part, 0)


def _is_kind(text: str) -> bool:
    return text in KINDS or re.fullmatch(r"[45][0-9][0-9]", text) is not None


class Switch:
    """The standing faults of one service, and the three requests that turn them on and off."""

    def __init__(self, standing: Faults) -> None:
        self.standing = standing

    async def endpoint(self, request: Request) -> Response:
        """Answer `GET`, `PUT` and `DELETE /faults`; each shows what holds afterwards."""
        match request.method:
            case "PUT":
                self.standing = await _from_body(request)
            case "DELETE":
                self.standing = Faults()
        return JSONResponse(self.standing.as_json())


async def _from_body(request: Request) -> Faults:
    try:
        words = json.loads(await request.body())
    except ValueError:
        raise HTTPException(400, "The body must be JSON.") from None
    if not isinstance(words, dict):
        raise HTTPException(400, 'The body must be an object such as {"delay": "2s"}.')
    try:
        return Faults.parse(words)
    except FaultError as error:
        raise HTTPException(400, f"{error}.") from None


class Injection:
    """ASGI middleware that makes requests suffer what the switch and their query say.

    What the switch says spares the paths in `spared`, and the switch itself.
    """

    def __init__(self, app: ASGIApp, switch: Switch, spared: Collection[str]) -> None:
        self._app = app
        self._switch = switch
        self._spared = frozenset({SWITCH, *spared})
        self._dice = random.Random(SEED)  # noqa: S311 - seeded on purpose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait first, then fail or let the request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            faults = self._faults(Request(scope))
        except FaultError as error:
            await problems.response(400, f"{error}.")(scope, receive, send)
            return
        with contextlib.suppress(_Stopping):
            await _wait(faults.seconds)
            await _behave(faults.befalls(self._dice), self._app)(scope, receive, send)

    def _faults(self, request: Request) -> Faults:
        standing = Faults() if request.url.path in self._spared else self._switch.standing
        query = request.query_params
        own = Faults.parse({name: query[name] for name in ("delay", "fail") if name in query})
        return standing.overridden_by(own)


def _behave(fail: str | None, app: ASGIApp) -> ASGIApp:
    """Choose what answers: the service itself, or something worse."""
    match fail:
        case None:
            return app
        case "html":
            return HTMLResponse(PAGE)
        case "half":
            return _half(app)
        case "hang":
            return _hang
        case "lost":
            return _lost(app)
        case status:
            return problems.response(int(status), "This service is broken on purpose.")


async def _wait(seconds: float) -> None:
    if not seconds:
        return
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        raise _Stopping from None


async def _hang(_scope: Scope, receive: Receive, _send: Send) -> None:
    """Say nothing until the caller gives up."""
    try:
        while (await receive())["type"] != "http.disconnect":
            pass
    except asyncio.CancelledError:
        raise _Stopping from None


def _half(app: ASGIApp) -> ASGIApp:
    """Let the real answer start, headers and all, and stop after half of its body.

    Uvicorn closes the connection when an application returns with its answer incomplete.
    """

    async def cut(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_half(message: Message) -> None:
            if message["type"] == "http.response.body":
                body = message.get("body", b"")
                message = {**message, "body": body[: len(body) // 2], "more_body": True}
            await send(message)

        await app(scope, receive, send_half)

    return cut


def _lost(app: ASGIApp) -> ASGIApp:
    """Do the work, keep the answer, and say nothing until the caller gives up."""

    async def mute(scope: Scope, receive: Receive, send: Send) -> None:
        async def keep(message: Message) -> None:
            """The answer goes nowhere."""

        await app(scope, receive, keep)
        await _hang(scope, receive, send)

    return mute


def silence_expected_complaints() -> None:
    """Keep uvicorn from reporting as errors the broken answers that were asked for."""
    expected = ("ASGI callable returned without", "Cancel %s running task")

    def unexpected(record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith(expected)

    logging.getLogger("uvicorn.error").addFilter(unexpected)
