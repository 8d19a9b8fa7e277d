"""What it costs to ask who calls: requests through the application in this process, no sockets.

    python bench/callers.py [--requests 20000] [--rounds 7]

Prints microseconds of CPU a request of the same Route (it answers a text) with and without a guard,
the median of interleaved rounds; log lines are made and thrown away.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Any

import jwt
import uvloop
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from isthmus_api.plan import RoutePlan
from isthmus_runtime import logs
from isthmus_runtime.callers import tokens
from isthmus_runtime.http.messages import Head, Header, Request
from isthmus_runtime.runtime import Runtime, Settings
from isthmus_runtime.testing import Placeholders

KEY = {"secretKeyRef": {"name": "callers", "key": "shop"}}
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
CLAIMS = {"iss": "https://id.example.com", "aud": "shop", "exp": int(time.time()) + 3600}
RSA_JWK: dict[str, Any] = RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True)
EC_JWK: dict[str, Any] = ECAlgorithm.to_jwk(EC.public_key(), as_dict=True)


def by_token(jwk: dict[str, Any]) -> dict[str, Any]:
    """Auth that asks for a token of the issuer whose key this is."""
    return {"auth": {"jwt": {"issuer": CLAIMS["iss"], "audience": ["shop"], "keys": [jwk]}}}


def bearing(key: Any, algorithm: str, *, count: int) -> list[list[Header]]:
    """As many tokens, one for each of the requests in turn."""
    made = (jwt.encode({**CLAIMS, "sub": str(n)}, key, algorithm) for n in range(count))
    return [[(b"authorization", b"Bearer " + token.encode())] for token in made]


MANY = tokens.Held.MOST + 44
"""So many that none is remembered when it comes again."""
KEYS = {"header": "X-Key", "keys": [{"name": "shop", "value": KEY}]}
GUARDS: dict[str, tuple[dict[str, Any], list[list[Header]]]] = {
    "open": ({}, [[]]),
    "API key": ({"auth": {"apiKey": KEYS}}, [[(b"x-key", b"callers/shop")]]),
    "token, again": (by_token(EC_JWK), bearing(EC, "ES256", count=1)),
    "new token, RS256": (by_token(RSA_JWK), bearing(RSA, "RS256", count=MANY)),
    "new token, ES256": (by_token(EC_JWK), bearing(EC, "ES256", count=MANY)),
    "limit by address": ({"limits": {"requests": 1_000_000}}, [[]]),
    "CORS": ({"cors": {"origins": ["https://a.b"]}}, [[(b"origin", b"https://a.b")]]),
}


def plans(guards: Sequence[str]) -> Iterator[RoutePlan]:
    for number, name in enumerate(guards):
        source = {"http": {"path": f"/{number}", **GUARDS[name][0]}}
        steps = [{"respond": {"body": "ok"}}]
        written = {"version": 1, "namespace": "default", "name": f"r{number}"}
        yield RoutePlan.from_json(
            json.dumps({**written, "source": source, "steps": steps}).encode()
        )


async def measure(guards: Sequence[str], requests: int, rounds: int) -> dict[str, float]:
    """Median microseconds a request, by guard."""
    runtime = Runtime(Settings(), Placeholders())
    await runtime.load(list(plans(guards)))
    found: dict[str, list[float]] = {name: [] for name in guards}
    for _ in range(rounds):
        for number, name in enumerate(guards):
            sent = [_request(f"/{number}", headers) for headers in GUARDS[name][1]]
            found[name].append(await _round(runtime, itertools.cycle(sent), requests))
    return {name: statistics.median(values) for name, values in found.items()}


def _request(path: str, headers: list[Header]) -> Request:
    fields = [(b"host", b"localhost"), *headers]
    return Request(Head("GET", path.encode(), path, "", fields, peer="127.0.0.1"))


async def _round(runtime: Runtime, sent: Iterator[Request], requests: int) -> float:
    handle = runtime._traffic.handle
    with logs.captured() as lines:
        began = time.process_time()
        for _ in range(requests):
            answer = await handle(next(sent))
            if answer.status != 200:
                raise SystemExit(f"answered {answer.status}: {answer.body!r}")
            lines.clear()
        return (time.process_time() - began) / requests * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(measure(list(GUARDS), given.requests, given.rounds))
    for name, microseconds in found.items():
        print(f"{name:<18}{microseconds:7.1f} us  {microseconds - found['open']:+6.1f}")


if __name__ == "__main__":
    main()
