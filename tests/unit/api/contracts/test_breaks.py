"""What a vendor's new document does to Routes: every kind of change, and what is no change."""

from typing import Any

import pytest
import vendor_apis
from vendor_apis import Change, Root

from isthmus_api.contracts.findings import Kind
from isthmus_api.problems import Severity

PRODUCT = ("components", "schemas", "Product", "allOf", 1)
LIST = ("paths", "/products", "get")
MATERIAL = ("components", "schemas", "Material")
PRICES = ("paths", "/prices", "post")


def put(*path: str | int, to: Any) -> Change:
    """Write a value into a document."""

    def change(root: Root) -> None:
        at: Any = root
        for part in path[:-1]:
            at = at[part]
        at[path[-1]] = to

    return change


def drop(*path: str | int) -> Change:
    """Take a value out of a document."""

    def change(root: Root) -> None:
        at: Any = root
        for part in path[:-1]:
            at = at[part]
        del at[path[-1]]

    return change


def rename(*path: str, to: str) -> Change:
    """Give a key of a document another name."""

    def change(root: Root) -> None:
        at: Any = root
        for part in path[:-1]:
            at = at[part]
        at[to] = at.pop(path[-1])

    return change


def add(*path: str | int, value: Any) -> Change:
    """Add to a list of a document."""

    def change(root: Root) -> None:
        at: Any = root
        for part in path:
            at = at[part]
        at.append(value)

    return change


BREAKING = [
    pytest.param(
        "pim",
        drop("paths", "/products"),
        [("products-to-erp", Kind.OPERATION_MISSING, "")],
        id="an operation is gone",
    ),
    pytest.param(
        "pim",
        drop("components", "schemas", "Money", "properties", "amount"),
        [("products-to-erp", Kind.FIELD_MISSING, "$._embedded.items[].price.amount")],
        id="a field that a Mapping reads is gone, behind references and allOf",
    ),
    pytest.param(
        "pim",
        drop("components", "schemas", "Identified", "properties", "sku"),
        [("products-to-erp", Kind.FIELD_MISSING, "$._embedded.items[].sku")],
        id="a field that allOf brings in is gone",
    ),
    pytest.param(
        "pim",
        put("components", "schemas", "Variant", "properties", "stock", to={"type": "string"}),
        [("products-to-erp", Kind.FIELD_RETYPED, "$._embedded.items[].variants[].stock")],
        id="a field that a predicate reads has another type",
    ),
    pytest.param(
        "pim",
        put(
            *LIST,
            *("responses", "200", "content", "application/json", "schema", "properties"),
            "_embedded",
            to={"type": "array", "items": {"type": "object"}},
        ),
        [("products-to-erp", Kind.FIELD_RETYPED, "$._embedded")],
        id="an object on the way to a field becomes a list",
    ),
    pytest.param(
        "pim",
        add(*LIST, "parameters", value={"name": "channel", "in": "query", "required": True}),
        [("products-to-erp", Kind.PARAMETER_REQUIRED, "")],
        id="a parameter is required that is not sent",
    ),
    pytest.param(
        "pim",
        put("components", "schemas", "Status", "enum", to=["published", "draft"]),
        [("products-to-erp", Kind.VALUE_REFUSED, "")],
        id="a fixed value that is sent is refused",
    ),
    pytest.param(
        "pim",
        put("security", to=[{"key": []}]),
        [
            ("products-to-erp", Kind.AUTH_REFUSED, ""),
            ("product-page", Kind.AUTH_REFUSED, ""),
        ],
        id="another way to prove who we are",
    ),
    pytest.param(
        "erp",
        add(*MATERIAL, "required", value="plant"),
        [("products-to-erp", Kind.BODY_FIELD_REQUIRED, "$.plant")],
        id="a field of the body is required that the Mapping before does not make",
    ),
    pytest.param(
        "erp",
        rename(*MATERIAL, "properties", "price", to="listPrice"),
        [("products-to-erp", Kind.BODY_FIELD_UNKNOWN, "$.price")],
        id="a field of a closed body has another name",
    ),
    pytest.param(
        "erp",
        put(*MATERIAL, "properties", "unit", "enum", to=["EA", "KG"]),
        [("products-to-erp", Kind.VALUE_REFUSED, "$.unit")],
        id="a fixed value that a Mapping makes is refused",
    ),
    pytest.param(
        "erp",
        put(*MATERIAL, "properties", "price", to={"type": "number"}),
        [("products-to-erp", Kind.TYPE_REFUSED, "$.price")],
        id="a field that is sent must be of another type",
    ),
    pytest.param(
        "erp",
        put(*PRICES, "responses", "200", "content", to={"text/csv": {}}),
        [("product-page", Kind.ANSWER_NOT_JSON, "")],
        id="an answer that is read is no JSON any more",
    ),
]


@pytest.mark.parametrize(("vendor", "change", "expected"), BREAKING)
def test_a_change_breaks_the_routes_that_it_touches(
    vendor: str, change: Change, expected: list[tuple[str, Kind, str]]
) -> None:
    old, new = vendor_apis.plain(vendor), vendor_apis.plain(vendor)
    change(new)

    found = vendor_apis.breaks(vendor, old, new)

    told = [(name, f.kind, f.json_path) for name, f in found if f.severity is Severity.ERROR]
    assert set(told) == set(expected)


MAY_BREAK = [
    pytest.param(
        "pim",
        put("components", "schemas", "Product", "allOf", 1, "required", to=["name"]),
        (Kind.FIELD_OPTIONAL, "$._embedded.items[].updated_at"),
        id="a field that is read may be left out",
    ),
    pytest.param(
        "pim",
        put("components", "schemas", "Money", "properties", "amount", "nullable", to=True),
        (Kind.FIELD_OPTIONAL, "$._embedded.items[].price.amount"),
        id="a field that is read may be null",
    ),
    pytest.param(
        "pim",
        put("servers", to=[{"url": "https://acme.pimento.example/api/v2"}]),
        (Kind.ADDRESS_MOVED, ""),
        id="the address is no server of the vendor any more",
    ),
    pytest.param(
        "pim",
        put(
            *("components", "securitySchemes", "token", "flows", "clientCredentials", "tokenUrl"),
            to="https://login.pimento.example/token",
        ),
        (Kind.AUTH_MOVED, ""),
        id="the token endpoint is another one",
    ),
    pytest.param(
        "pim",
        put(
            *("components", "securitySchemes", "token", "flows"),
            to={"password": {"tokenUrl": "https://login.pimento.example/token", "scopes": {}}},
        ),
        (Kind.AUTH_MOVED, ""),
        id="the token endpoint is that of another flow",
    ),
    pytest.param(
        "pim",
        rename(
            *("components", "securitySchemes", "token", "flows", "clientCredentials"), to="password"
        ),
        None,
        id="another flow has the same token endpoint",
    ),
    pytest.param(
        "pim",
        rename("components", "parameters", "Limit", to="Limits"),
        None,
        id="a parameter that nobody sends is gone",
    ),
    pytest.param(
        "erp",
        put(*PRICES, "parameters", to=[]),
        (Kind.PARAMETER_UNKNOWN, ""),
        id="a parameter that is sent is gone",
    ),
]


@pytest.mark.parametrize(("vendor", "change", "expected"), MAY_BREAK)
def test_a_change_that_may_matter_is_a_warning(
    vendor: str, change: Change, expected: tuple[Kind, str] | None
) -> None:
    old, new = vendor_apis.plain(vendor), vendor_apis.plain(vendor)
    change(new)

    found = [finding for _, finding in vendor_apis.breaks(vendor, old, new)]

    assert {each.severity for each in found} <= {Severity.WARNING}
    assert {(each.kind, each.json_path) for each in found} == ({expected} if expected else set())


HARMLESS = [
    pytest.param(
        "pim", put(*PRODUCT, "properties", "weight", to={"type": "number"}), id="a field is added"
    ),
    pytest.param(
        "pim",
        drop("components", "schemas", "Variant", "properties", "ean"),
        id="a field that nobody reads is gone",
    ),
    pytest.param("pim", drop("paths", "/media/{id}"), id="an operation that nobody calls is gone"),
    pytest.param(
        "pim",
        add(*LIST, "parameters", value={"name": "channel", "in": "query"}),
        id="a parameter is added that may be left out",
    ),
    pytest.param(
        "pim",
        add("components", "schemas", "Status", "enum", value="retired"),
        id="a value is added to a list of which one is sent",
    ),
    pytest.param(
        "erp",
        put(*MATERIAL, "properties", "colour", to={"type": "string"}),
        id="a field of the body is added that may be left out",
    ),
    pytest.param(
        "erp",
        put("components", "schemas", "Receipt", to={"type": "object"}),
        id="an answer that nobody reads is another one",
    ),
    pytest.param(
        "erp",
        rename("paths", "/materials/{sku}", to="/materials/{number}"),
        id="a parameter of a path has another name",
    ),
]


@pytest.mark.parametrize(("vendor", "change"), HARMLESS)
def test_a_change_that_does_not_matter_is_silent(vendor: str, change: Change) -> None:
    old, new = vendor_apis.plain(vendor), vendor_apis.plain(vendor)
    change(new)

    assert vendor_apis.breaks(vendor, old, new) == []


def test_every_place_that_reads_a_field_is_told() -> None:
    old, new = vendor_apis.plain("pim"), vendor_apis.plain("pim")
    drop("components", "schemas", "Identified", "properties", "sku")(new)

    found = [finding for _, finding in vendor_apis.breaks("pim", old, new)]

    assert [(f.read and f.read.place.path, f.read and f.read.place.mapping) for f in found] == [
        (("spec", "message", "key"), ""),
        (("spec", "steps", 1, "map", "mapping"), "product-to-material"),
    ]


def test_a_field_that_was_renamed_is_told_with_the_name_it_may_have_now() -> None:
    old, new = vendor_apis.plain("pim"), vendor_apis.plain("pim")
    rename("components", "schemas", "Money", "properties", "amount", to="amountNet")(new)

    (_, finding), *_ = vendor_apis.breaks("pim", old, new)

    assert finding.message == "the answer has no field $._embedded.items[].price.amount any more"
    assert finding.hint == "it may be called 'amountNet' now"


def test_a_value_that_is_handed_on_whole_may_break_whoever_gets_it() -> None:
    held = vendor_apis.resources(
        """
apiVersion: isthmus.dev/v1alpha1
kind: Connector
metadata: {name: pim}
spec: {http: {baseUrl: "https://acme.pimento.example/api/v1"}}
---
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: pass-on}
spec:
  source: {http: {method: GET, path: "/p/{sku}"}}
  steps: [{call: {connector: pim, path: "/products/{% $request.params.sku %}"}}]
"""
    )
    old, new = vendor_apis.plain("pim"), vendor_apis.plain("pim")
    drop("components", "schemas", "Variant", "properties", "ean")(new)

    found = [finding for _, finding in vendor_apis.breaks("pim", old, new, held)]

    assert [(f.kind, f.json_path, f.severity) for f in found] == [
        (Kind.FIELD_MISSING, "$.variants[].ean", Severity.WARNING)
    ]


SECRET = "{secretKeyRef: {name: pim, key: k}}"
BEARER = f"bearer: {{token: {SECRET}}}"
SESSION = "session: {login: {path: /login}, token: '{% t %}', headers: {X-Session: '{% $token %}'}}"
AWS_KEYS = f"accessKeyId: {SECRET}, secretAccessKey: {SECRET}"
AWS = f"awsSigV4: {{{AWS_KEYS}, region: eu-west-1, service: es}}"


def signed(place: str) -> str:
    """A signature that is carried at a place."""
    carried = f"{place}: {{X-Sign: '{{% $signature %}}'}}"
    return f"hmac: {{secret: {SECRET}, signed: '{{% $path %}}', {carried}}}"


@pytest.mark.parametrize(
    ("auth", "place", "name", "expected"),
    [
        pytest.param(BEARER, "header", "X-Session", [Kind.PARAMETER_REQUIRED], id="another one"),
        pytest.param(SESSION, "header", "X-Session", [], id="a session's header"),
        pytest.param(signed("headers"), "header", "X-Sign", [], id="a signature's header"),
        pytest.param(signed("query"), "query", "X-Sign", [], id="a signature in the query"),
        pytest.param(AWS, "header", "X-Amz-Date", [], id="the time of an AWS signature"),
    ],
)
def test_what_credentials_carry_counts_as_sent(
    auth: str, place: str, name: str, expected: list[Kind]
) -> None:
    held = vendor_apis.resources(
        f"""
apiVersion: isthmus.dev/v1alpha1
kind: Connector
metadata: {{name: pim}}
spec:
  http:
    baseUrl: https://acme.pimento.example/api/v1
    auth:
      {auth}
---
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {{name: one}}
spec:
  source: {{http: {{method: GET, path: "/p/{{sku}}"}}}}
  steps: [{{call: {{connector: pim, path: "/products/{{% $request.params.sku %}}"}}}}]
"""
    )
    old, new = vendor_apis.plain("pim"), vendor_apis.plain("pim")
    required = {"name": name, "in": place, "required": True, "schema": {"type": "string"}}
    add("paths", "/products/{sku}", "parameters", value=required)(new)

    found = [finding for _, finding in vendor_apis.breaks("pim", old, new, held)]

    assert [each.kind for each in found] == expected


def test_without_an_older_document_what_does_not_fit_is_told() -> None:
    new = vendor_apis.plain("pim")
    drop("components", "schemas", "Money", "properties", "amount")(new)

    found = [finding for _, finding in vendor_apis.breaks("pim", None, new)]

    assert [(f.kind, f.json_path) for f in found] == [
        (Kind.FIELD_MISSING, "$._embedded.items[].price.amount")
    ]


def test_what_did_not_fit_before_is_no_news() -> None:
    old, new = vendor_apis.plain("pim"), vendor_apis.plain("pim")
    for root in (old, new):
        drop("components", "schemas", "Money", "properties", "amount")(root)

    assert vendor_apis.breaks("pim", None, new)
    assert vendor_apis.breaks("pim", old, new) == []
