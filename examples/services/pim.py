"""A product information management: products in families, with values by language and channel.

    python pim.py [--port 8085]

    GET   /api/rest/v1/product-models?search=…&search_after=…&limit=      signed in
    GET   /api/rest/v1/product-models/{code}                              signed in
    GET   /api/rest/v1/products?search=…&search_after=…&limit=            signed in
    PATCH /api/rest/v1/product-models/{code}  {"values": {…}}             an editor changes values
    PATCH /api/rest/v1/products/{identifier}  {"values": {…}}

A list gives entries and the link of the next page. `search` is one JSON object with `updated`
(`>`), `parent` (`=`) or both. A product has the values of its model, too. What it begins with is in
`pim.json`; editing stands for a person and needs no sign-in here. Who signs in sends the bearer
token PIM_TOKEN. PIM_DATABASE names the file in which all is kept; without one it lives in memory.
It can be made slow or broken (`PUT /faults`): see `faults`.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import bodies
import clock
import faults
import problems
import serving
import settings
from documents import Documents, Kept
from faults import Faults, Injection, Switch
from settings import SettingError
from sign_in import Bearer

RANGE: dict[str, list[dict[str, Any]]] = json.loads(
    Path(__file__).with_name("pim.json").read_text(encoding="utf-8")
)
BASE = "/api/rest/v1"
KEYS = {"product-models": "code", "products": "identifier"}
PAGE, LARGEST_PAGE = 10, 100
SUCH_AS = '{"values": {"name": [{"locale": "en_GB", "scope": null, "data": "Chair"}]}}'


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says about this service."""

    token: str
    database: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings once, at start; a `SettingError` ends the start."""
        return cls(
            token=settings.secret(environment, "PIM_TOKEN"),
            database=environment.get("PIM_DATABASE", ":memory:"),
        )


@dataclass(frozen=True, slots=True)
class Search:
    """What a list is of: what changed after a time, or what belongs to a product model."""

    after: str
    parent: str | None

    @classmethod
    def parse(cls, text: str) -> "Search":
        """Read the parameter `search`."""
        try:
            wanted = json.loads(text)
            after, parent = _one(wanted, "updated", ">"), _one(wanted, "parent", "=")
            return cls(clock.written(clock.read(after)) if after else "", parent)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise HTTPException(
                400,
                "search must be a JSON object such as"
                ' {"updated": [{"operator": ">", "value": "2026-01-01T00:00:00Z"}]}.',
            ) from None


def app(chosen: Settings) -> Starlette:
    """Put the range behind HTTP, sign-in, and the switch for faults."""
    documents = _begun(Documents(chosen.database))
    switch = Switch(Faults())
    sign_in = Bearer("pim", chosen.token, advice="the token of PIM_TOKEN.")
    return Starlette(
        routes=[
            *(route for kind in KEYS for route in _routes(documents, sign_in, kind)),
            Route("/faults", switch.endpoint, methods=["GET", "PUT", "DELETE"]),
        ],
        middleware=[Middleware(Injection, switch=switch, spared=())],
        exception_handlers=problems.HANDLERS,
    )


def _begun(documents: Documents) -> Documents:
    """Fill a new database with the range."""
    for kind, entries in RANGE.items():
        if not documents.count(kind):
            for entry in entries:
                documents.put(kind, entry[KEYS[kind]], entry)
    return documents


def _routes(documents: Documents, sign_in: Bearer, kind: str) -> Iterator[Route]:
    def entry(request: Request) -> Kept:
        found = documents.get(kind, request.path_params["key"])
        if found is None:
            raise HTTPException(404, f"{request.path_params['key']} is none of the {kind}.")
        return found

    async def get_list(request: Request) -> Response:
        sign_in.check(request)
        query = request.query_params
        search = Search.parse(query.get("search", "{}"))
        limit = bodies.whole_number(request, "limit", default=PAGE, low=1, high=LARGEST_PAGE)
        after = max(search.after, query.get("search_after", ""))
        found = [kept for kept in _behind(documents, kind, after) if _belongs(kept, search)]
        page = [_told(documents, kept) for kept in found[:limit]]
        links = {}
        if len(found) > limit:
            again = {**query, "search_after": page[-1]["updated"]}
            links["next"] = {"href": f"{request.url.replace(query=urlencode(again))}"}
        return JSONResponse({"_links": links, "_embedded": {"items": page}})

    async def get_entry(request: Request) -> Response:
        sign_in.check(request)
        return JSONResponse(_told(documents, entry(request)))

    async def patch_entry(request: Request) -> Response:
        values = (await bodies.json_object(request, such_as=SUCH_AS)).get("values")
        if not isinstance(values, dict):
            raise HTTPException(400, f"The body must be an object such as {SUCH_AS}.")
        before = entry(request)
        merged = {**before.document["values"], **values}
        documents.put(kind, before.key, {**before.document, "values": merged})
        return Response(status_code=204)

    yield Route(f"{BASE}/{kind}", get_list)
    yield Route(f"{BASE}/{kind}/{{key}}", get_entry, methods=["GET"])
    yield Route(f"{BASE}/{kind}/{{key}}", patch_entry, methods=["PATCH"])


def _behind(documents: Documents, kind: str, after: str) -> list[Kept]:
    """All that changed after a time; no two changes of a kind are at the same one."""
    found = documents.changed(kind, since=after, offset=0, limit=documents.count(kind))
    return [kept for kept in found if kept.changed_at > after]


def _belongs(kept: Kept, search: Search) -> bool:
    return search.parent is None or kept.document.get("parent") == search.parent


def _told(documents: Documents, kept: Kept) -> dict[str, Any]:
    model = documents.get("product-models", kept.document.get("parent") or "")
    inherited = model.document["values"] if model else {}
    values = {**inherited, **kept.document["values"]}
    return {**kept.document, "values": values, "updated": kept.changed_at}


def _one(wanted: Mapping[str, Any], field: str, operator: str) -> str | None:
    """The value of a field's one condition; a `ValueError` where it is another."""
    conditions = wanted.get(field)
    if conditions is None:
        return None
    (condition,) = conditions
    if condition["operator"] != operator or not isinstance(condition["value"], str):
        raise ValueError(field)
    value: str = condition["value"]
    return value


def main() -> None:
    """Read the settings and serve the PIM."""
    at = serving.address("pim", port=8085, about="The PIM of the examples.")
    try:
        chosen = Settings.from_environment(os.environ)
    except SettingError as error:
        serving.refuse_settings(at.service, error)
    faults.silence_expected_complaints()
    serving.run(app(chosen), at)


if __name__ == "__main__":
    main()
