"""The ERP's price service: who buys what, in which currency, delivered where.

    python erp.py [--port 8082]
    curl -u isthmus:demo -H 'Content-Type: application/json' \\
         -d '{"skus": ["CH-10423"]}' http://127.0.0.1:8082/prices

Sign-in is HTTP basic with ERP_USERNAME and ERP_PASSWORD. It can be made slow or broken
(ERP_DELAY=2s, ERP_FAIL=503, `PUT /faults`): see `faults`.
"""

import base64
import binascii
import json
import os
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import catalogue
import faults
import prices
import problems
import serving
from faults import Faults, Injection, Switch
from prices import Terms

MAX_SKUS = 1_000
FIELDS = frozenset({"skus", "customerGroup", "currency", "country"})


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says about this service."""

    username: str
    password: str
    faults: Faults

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings once, at start; a `FaultError` ends the start."""
        return cls(
            username=environment.get("ERP_USERNAME", "isthmus"),
            password=environment.get("ERP_PASSWORD", "demo"),
            faults=Faults.parse(
                {"delay": environment.get("ERP_DELAY"), "fail": environment.get("ERP_FAIL")}
            ),
        )


@dataclass(frozen=True, slots=True)
class Order:
    """The prices somebody asks for."""

    skus: tuple[str, ...]
    terms: Terms


def app(base_prices: Mapping[str, int], settings: Settings) -> Starlette:
    """Put the price list behind sign-in, HTTP, and the switch for faults."""
    switch = Switch(settings.faults)

    async def post_prices(request: Request) -> Response:
        _check_sign_in(request.headers.get("Authorization", ""), settings)
        order = _order(_json_object(await request.body()))
        return JSONResponse(prices.quotes(base_prices, order.skus, order.terms))

    return Starlette(
        routes=[
            Route("/prices", post_prices, methods=["POST"]),
            Route("/faults", switch.endpoint, methods=["GET", "PUT", "DELETE"]),
            Route("/health", _health),
        ],
        middleware=[Middleware(Injection, switch=switch)],
        exception_handlers=problems.HANDLERS,
    )


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "available"})


def _check_sign_in(authorization: str, settings: Settings) -> None:
    expected = f"{settings.username}:{settings.password}".encode()
    if not secrets.compare_digest(_credentials(authorization), expected):
        raise HTTPException(
            401,
            "Sign in with HTTP basic: the user and password of ERP_USERNAME and ERP_PASSWORD.",
            headers={"WWW-Authenticate": 'Basic realm="erp", charset="UTF-8"'},
        )


def _credentials(authorization: str) -> bytes:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "The body must be JSON.") from None
    if not isinstance(value, dict):
        raise HTTPException(400, 'The body must be an object such as {"skus": ["CH-10423"]}.')
    return value


def _order(body: dict[str, Any]) -> Order:
    """Check every field: a customer group that is misspelt must not sell at retail price."""
    if unknown := sorted(set(body) - FIELDS):
        known = ", ".join(sorted(FIELDS))
        raise HTTPException(400, f"There is no field {unknown[0]!r}; there are: {known}.")
    default = Terms()
    return Order(
        skus=_skus(body.get("skus")),
        terms=Terms(
            group=_one_of(prices.GROUPS, body, "customerGroup", default.group),
            currency=_one_of(prices.CURRENCIES, body, "currency", default.currency),
            country=_one_of(prices.VAT_RATES, body, "country", default.country),
        ),
    )


def _skus(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(sku, str) for sku in value):
        raise HTTPException(400, "skus must be a list of strings.")
    if len(value) > MAX_SKUS:
        raise HTTPException(400, f"skus has {len(value)} entries; at most {MAX_SKUS} are allowed.")
    return tuple(value)


def _one_of(known: Collection[str], body: dict[str, Any], name: str, default: str) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or value not in known:
        raise HTTPException(400, f"{name} must be one of: {', '.join(known)}.")
    return value


def main() -> None:
    """Read the settings, make the price list and serve it."""
    at = serving.address("erp", port=8082, about="The ERP price service of the example shop.")
    try:
        settings = Settings.from_environment(os.environ)
    except faults.FaultError as error:
        serving.refuse_settings(at.service, error)
    faults.silence_expected_complaints()
    serving.run(app(prices.price_list(catalogue.generate()), settings), at)


if __name__ == "__main__":
    main()
