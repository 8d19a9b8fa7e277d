"""OpenAPI documents: what is read off Routes, case by case."""

from typing import Any

import pytest
import yaml

from isthmus_api import manifests, openapi
from isthmus_api.plan import check
from isthmus_api.resources import Resources

ANSWER = {"$ref": "#/components/schemas/answer"}
OUTPUT = {"type": "object", "properties": {"total": {"$ref": "#/$defs/count"}}}


def manifest(kind: str, name: str, spec: dict[str, Any], namespace: str = "default") -> str:
    metadata = {"name": name, "namespace": namespace}
    value = {"apiVersion": "isthmus.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
    return yaml.safe_dump(value)


def answer_mapping(expression: str = "$", namespace: str = "default") -> str:
    schema = {**OUTPUT, "$defs": {"count": {"type": "integer"}}}
    spec = {"expression": expression, "output": {"schema": schema}}
    return manifest("Mapping", "answer", spec, namespace)


def document(*texts: str) -> dict[str, Any]:
    read = manifests.read("---\n".join(texts).encode(), file="a.yaml")
    resources = Resources.of(read.resources)
    assert read.problems == ()
    assert check(resources) == ()
    return openapi.document(resources, title="Shop")


def operation(
    steps: list[dict[str, Any]],
    *,
    method: str = "GET",
    path: str = "/x",
    mapping: str = "$",
    **spec: Any,
) -> dict[str, Any]:
    source = {"http": {"method": method, "path": path}}
    route = manifest("Route", "r", {"source": source, "steps": steps, **spec})
    found = document(answer_mapping(mapping), route)
    described: dict[str, Any] = found["paths"][path][method.lower()]
    return described


def test_a_document_names_its_routes() -> None:
    spec = {"source": {"http": {"path": "/x"}}, "steps": [{"respond": {}}]}

    found = document(manifest("Route", "search", spec))

    assert found["openapi"] == "3.1.0"
    assert found["info"] == {"title": "Shop", "version": "1"}
    assert found["paths"]["/x"]["get"]["operationId"] == "search"


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param(
            [{"map": {"expression": "$request.query.q & $request.query.`max price`"}}],
            [("max price", "query"), ("q", "query")],
            id="query parameters of an expression in place",
        ),
        pytest.param(
            [{"filter": "{% $request.query.q = 'x' %}"}],
            [("q", "query")],
            id="query parameters of a template",
        ),
        pytest.param(
            [{"map": {"mapping": "answer"}}],
            [("limit", "query")],
            id="query parameters of a Mapping",
        ),
        pytest.param(
            [{"map": {"expression": "[$request.headers.`x-shop`, $request.headers.accept]"}}],
            [("x-shop", "header")],
            id="headers, without those that OpenAPI knows elsewhere",
        ),
        pytest.param(
            [{"map": {"expression": "$request"}}], [], id="of the whole request nothing is known"
        ),
    ],
)
def test_parameters(steps: list[dict[str, Any]], expected: list[tuple[str, str]]) -> None:
    found = operation(steps, mapping="$request.query.limit").get("parameters", [])

    assert [(each["name"], each["in"]) for each in found] == expected


def test_path_variables_are_required() -> None:
    found = operation([{"respond": {}}], path="/orders/{id}/lines")

    assert found["parameters"] == [
        {"name": "id", "in": "path", "schema": {"type": "string"}, "required": True}
    ]


@pytest.mark.parametrize(
    ("method", "steps", "expected"),
    [
        pytest.param("GET", [{"respond": {}}], None, id="a GET has no body"),
        pytest.param(
            "POST",
            [{"respond": {}}],
            {"content": {"application/json": {}}},
            id="a body of any kind",
        ),
        pytest.param(
            "PUT",
            [{"validate": {"schema": {"type": "object"}}}, {"respond": {}}],
            {
                "required": True,
                "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/r-request"}}
                },
            },
            id="a validate that comes first says what it is",
        ),
        pytest.param(
            "PATCH",
            [{"map": {"expression": "$"}}, {"validate": {"schema": {"type": "object"}}}],
            {"content": {"application/json": {}}},
            id="one that comes later does not",
        ),
    ],
)
def test_request_bodies(method: str, steps: list[dict[str, Any]], expected: Any) -> None:
    assert operation(steps, method=method).get("requestBody") == expected


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([{"map": {"mapping": "answer"}}], {"200": ANSWER}, id="the last Mapping"),
        pytest.param(
            [{"map": {"mapping": "answer"}}, {"map": {"expression": "$"}, "into": "kept"}],
            {"200": ANSWER},
            id="a step that keeps the body does not change it",
        ),
        pytest.param(
            [{"map": {"mapping": "answer"}}, {"map": {"expression": "$"}}],
            {"200": None},
            id="a later step makes another body",
        ),
        pytest.param(
            [{"map": {"mapping": "answer"}}, {"respond": {"status": 201}}],
            {"201": ANSWER},
            id="a respond at the end gives the body another status",
        ),
        pytest.param(
            [{"filter": "{% true %}"}, {"map": {"mapping": "answer"}}],
            {"200": ANSWER, "204": None},
            id="a filter may leave nothing",
        ),
        pytest.param(
            [{"map": {"mapping": "answer"}, "onError": {"respond": {"status": 502, "body": {}}}}],
            {"200": ANSWER, "502": None},
            id="an onError may answer",
        ),
    ],
)
def test_responses(steps: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    responses = operation(steps)["responses"]

    assert responses.pop("4XX") == {"$ref": "#/components/responses/Rejected"}
    assert responses.pop("5XX") == {"$ref": "#/components/responses/Failed"}
    assert {status: _schema(found) for status, found in responses.items()} == expected


def _schema(response: dict[str, Any]) -> Any:
    media: dict[str, Any] = response.get("content", {}).get("application/json", {})
    return media.get("schema")


def test_references_inside_a_schema_go_on_pointing_at_it() -> None:
    spec = {"source": {"http": {"path": "/x"}}, "steps": [{"map": {"mapping": "answer"}}]}

    schemas = document(answer_mapping(), manifest("Route", "r", spec))["components"]["schemas"]

    assert schemas["answer"]["properties"]["total"] == {
        "$ref": "#/components/schemas/answer/$defs/count"
    }


def test_names_carry_the_namespace_where_there_are_several() -> None:
    def route(namespace: str) -> str:
        source = {"http": {"path": f"/{namespace}"}}
        spec = {"source": source, "steps": [{"map": {"mapping": "answer"}}]}
        return manifest("Route", "r", spec, namespace) + "---\n" + answer_mapping("$", namespace)

    found = document(route("one"), route("two"))

    assert found["paths"]["/one"]["get"]["operationId"] == "one.r"
    assert {"Problem", "one.answer", "two.answer"} == found["components"]["schemas"].keys()


CONNECTOR = manifest("Connector", "erp", {"http": {"baseUrl": "https://a.b"}})
VALIDATED = {"validate": {"schema": {"type": "object"}}}


def hook(*steps: dict[str, Any], verify: Any = None, **spec: Any) -> dict[str, Any]:
    """The document of a Route with a webhook at POST /hooks; `spec` has further fields of both."""
    webhook = {"path": "/hooks", **spec.pop("webhook", {})}
    webhook |= {"verify": verify} if verify else {"open": True}
    call = {"call": {"connector": "erp", "method": "POST"}}
    written = {"source": {"webhook": webhook}, "steps": [*steps, call], **spec}
    return document(CONNECTOR, manifest("Route", "orders", written))


def accepting(found: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = found["paths"]["/hooks"]["post"]
    return made


def test_a_webhook_says_how_many_messages_it_took() -> None:
    made = accepting(hook())

    assert made["operationId"] == "orders"
    assert made["requestBody"] == {"required": True, "content": {"application/json": {}}}
    assert set(made["responses"]) == {"202", "4XX", "5XX"}
    assert _schema(made["responses"]["202"])["required"] == ["accepted"]
    assert "security" not in made


def test_a_webhook_may_reply_in_the_vendors_own_form() -> None:
    reply = {"status": 200, "headers": {"Content-Type": "text/plain"}, "body": "ok"}

    made = accepting(hook(webhook={"reply": reply}))

    assert made["responses"]["200"] == {
        "description": "The messages are in the journal.",
        "content": {"text/plain": {}},
    }
    assert "202" not in made["responses"]


@pytest.mark.parametrize(
    ("spec", "has_schema"),
    [
        pytest.param({}, True, id="a validate that comes first says what it is"),
        pytest.param(
            {"webhook": {"split": "{% orders %}"}}, False, id="but not of what a split makes"
        ),
        pytest.param({"delivery": {"batch": {}}}, False, id="nor of a batch"),
    ],
)
def test_the_body_of_a_webhook(spec: dict[str, Any], has_schema: bool) -> None:
    made = accepting(hook(VALIDATED, **spec))["requestBody"]["content"]["application/json"]

    assert ("schema" in made) is has_schema


@pytest.mark.parametrize(
    ("body", "media"),
    [
        ("json", "application/json"),
        ("form", "application/x-www-form-urlencoded"),
        ("text", "text/plain"),
    ],
)
def test_a_webhook_says_what_its_sender_writes(body: str, media: str) -> None:
    assert list(accepting(hook(webhook={"body": body}))["requestBody"]["content"]) == [media]


def test_a_webhook_says_how_its_sender_proves_itself() -> None:
    secret = {"secretKeyRef": {"name": "shop", "key": "hook"}}
    verify = {
        "hmac": {"header": "X-Signature", "prefix": "sha256=", "secret": secret},
        "basic": {"users": [{"name": "a", "username": secret, "password": secret}]},
        "apiKey": {"query": "key", "keys": [{"name": "a", "value": secret}]},
        "clientCertificate": {
            "header": "X-Subject",
            "ingress": ["10.0.0.0/8"],
            "certificates": [{"name": "a", "value": "CN=a"}],
        },
        "allowFrom": ["10.0.0.0/8"],
    }

    found = hook(verify=verify)

    assert found["components"]["securitySchemes"] == {
        "orders-signature": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Signature",
            "description": "HMAC with sha256 of the body, in hex after `sha256=`.",
        },
        "orders-basic": {"type": "http", "scheme": "basic"},
        "orders-key": {"type": "apiKey", "in": "query", "name": "key"},
        "orders-certificate": {"type": "mutualTLS"},
    }
    assert accepting(found)["security"] == [
        {name: [] for name in found["components"]["securitySchemes"]}
    ]


CHALLENGE = {
    "when": "{% $exists($request.query.challenge) %}",
    "respond": {"body": "{% $request.query.challenge %}"},
}


def test_a_challenge_of_its_own_method_is_an_operation_of_its_own() -> None:
    key = {"message": {"key": "{% $request.query.shop %}"}}

    found = hook(webhook={"challenge": {**CHALLENGE, "method": "GET"}}, **key)["paths"]["/hooks"]

    assert found["get"]["operationId"] == "orders-challenge"
    assert [each["name"] for each in found["get"]["parameters"]] == ["challenge"]
    assert set(found["get"]["responses"]) == {"200", "4XX", "5XX"}
    assert [each["name"] for each in found["post"]["parameters"]] == ["shop"]
    assert set(found["post"]["responses"]) == {"202", "4XX", "5XX"}


def test_a_challenge_of_the_same_method_is_another_answer() -> None:
    made = accepting(hook(webhook={"challenge": CHALLENGE}))

    assert [each["name"] for each in made["parameters"]] == ["challenge"]
    assert set(made["responses"]) == {"200", "202", "4XX", "5XX"}


def test_routes_that_nobody_calls_are_not_in_the_document() -> None:
    steps = [{"call": {"connector": "erp"}}]
    spec = {"source": {"schedule": {"cron": "@daily"}}, "steps": steps}

    assert document(CONNECTOR, manifest("Route", "nightly", spec))["paths"] == {}
