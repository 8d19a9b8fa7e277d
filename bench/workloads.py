"""The three workloads: the request that the load sends, and how an answer is judged.

COMPOSE is the product-search Route (two calls and a join), MAP an order turned into an ERP
document, PASS a webhook handed on to an API.
"""

from __future__ import annotations

import dataclasses
import json
import urllib.parse
from typing import Final

import expected
import payloads
import wire

UPSTREAM_PORT: Final = 18081  # fixed: the manifests and the peers' configurations name it
QUERY: Final = "red jacket"


@dataclasses.dataclass(frozen=True, slots=True)
class Workload:
    """One kind of work: the request, the right answer, and what the upstream must have seen."""

    name: str
    method: str
    target: str
    payload: str | None  # name of the file that holds the request body
    answer: expected.Json
    composes: bool = False

    def request(self) -> wire.Request:
        body = payloads.encode(payloads.order()) if self.payload else b""
        return wire.Request(method=self.method, target=self.target, body=body)


COMPOSE: Final = Workload(
    name="compose",
    method="GET",
    target=f"/search?q={urllib.parse.quote(QUERY)}",
    payload=None,
    answer=expected.composed(),
    composes=True,
)
MAP: Final = Workload(
    name="map",
    method="POST",
    target="/orders",
    payload="order.json",
    answer=expected.mapped(),
)
PASS: Final = Workload(
    name="pass",
    method="POST",
    target="/hook",
    payload="order.json",
    answer=expected.passed(),
)
ALL: Final = {work.name: work for work in (COMPOSE, MAP, PASS)}


class WrongAnswerError(Exception):
    """An engine answered wrongly, or asked its upstream the wrong thing."""


def compare(work: Workload, *, port: int) -> None:
    """Ask the engine once and raise WrongAnswerError unless all is as it has to be."""
    try:
        answer = wire.ask(port, work.request())
    except OSError as error:
        raise WrongAnswerError(f"no answer: {error}") from error
    if answer.status != 200:
        raise WrongAnswerError(f"status {answer.status}: {answer.body[:200]!r}")
    if _decoded(answer.body) != work.answer:
        raise WrongAnswerError(_first_difference(work, answer.body))
    if work.composes:
        _compare_questions()


def _compare_questions() -> None:
    """Look at what the upstream was asked, too: its fixed answers forgive an empty question."""
    target = wire.ask(UPSTREAM_PORT, wire.Request("GET", "/last/search", b"")).body.decode()
    prices = wire.ask(UPSTREAM_PORT, wire.Request("GET", "/last/prices", b"")).body
    if urllib.parse.parse_qs(urllib.parse.urlsplit(target).query) != {"q": [QUERY]}:
        raise WrongAnswerError(f"searched for {target!r}")
    if _decoded(prices) != payloads.prices_request():
        raise WrongAnswerError(f"asked prices with {prices[:200]!r}")


def _decoded(body: bytes) -> expected.Json:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _first_difference(work: Workload, body: bytes) -> str:
    answer = _decoded(body)
    if not isinstance(answer, dict):
        return f"not a JSON object: {body[:200]!r}"
    for key in sorted({*work.answer, *answer}):
        wanted, got = work.answer.get(key), answer.get(key)
        if wanted != got:
            return f"{key}: expected {json.dumps(wanted)[:160]}, got {json.dumps(got)[:160]}"
    return "differs"
