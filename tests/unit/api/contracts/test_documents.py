"""Reading OpenAPI documents: both notations, both versions, and what is none."""

import pytest
import vendor_apis

from isthmus_api.contracts import document
from isthmus_api.contracts.document import Unreadable

UNREADABLE = [
    pytest.param(
        "swagger: '2.0'\npaths: {}\n", "this is Swagger 2.0", None, id="the version before"
    ),
    pytest.param("openapi: 3.2.0\npaths: {}\n", "OpenAPI 3.2.0 is not supported", None, id="newer"),
    pytest.param("kind: Route\n", "it has no field 'openapi'", None, id="something else"),
    pytest.param("- a\n- b\n", "it has no field 'openapi'", None, id="a list"),
    pytest.param("", "it has no field 'openapi'", None, id="nothing"),
    pytest.param("openapi: 3.1.0\n", "the document has no paths", None, id="no operations"),
    pytest.param("openapi: 3.1.0\npaths: {\n", "not YAML", 3, id="broken YAML"),
    pytest.param('{"openapi": "3.1.0",\n "paths" {}}', "not JSON", 2, id="broken JSON"),
    pytest.param("a: *b\n", "*b stands for nothing", 1, id="an alias of nothing"),
    pytest.param("a: &a [*a]\n", "*a stands for nothing", 1, id="an alias inside itself"),
    pytest.param("? [a]\n: b\n", "a key must be a text", 1, id="a key that is a list"),
    pytest.param("[" * 100_000, "it nests deeper than 200 levels", 1, id="brackets without end"),
    pytest.param('{"a":' * 100_000, "not JSON", 1, id="braces without end"),
]


@pytest.mark.parametrize(("text", "message", "line"), UNREADABLE)
def test_what_is_no_document_is_refused_with_the_reason(
    text: str, message: str, line: int | None
) -> None:
    with pytest.raises(Unreadable) as caught:
        document.read(text.encode(), name="api.yaml")

    assert message in caught.value.message
    assert caught.value.line == line
    assert caught.value.hint


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(Unreadable):
        document.read(b"openapi: \xff\n", name="api.yaml")


def test_plain_yaml_means_what_yaml_1_2_says() -> None:
    text = (
        "openapi: 3.1.0\npaths: {}\nx: [NO, yes, 2024-01-01, 1.10, 0x1f, 12:30, 7, ~, true, '1']\n"
    )

    read = document.read(text.encode(), name="api.yaml")

    assert read.root["x"] == ["NO", "yes", "2024-01-01", 1.1, "0x1f", "12:30", 7, None, True, "1"]


def test_aliases_are_shared_and_not_unfolded() -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 30))
    text = f"openapi: 3.1.0\npaths: {{}}\nl0: &l0 [x]\n{levels}"

    assert document.read(text.encode(), name="api.yaml").root["paths"] == {}


def test_references_that_go_in_circles_end() -> None:
    api = vendor_apis.of_text(
        """
openapi: 3.1.0
paths:
  /a:
    get:
      responses:
        200:
          content:
            application/json:
              schema: {$ref: '#/components/schemas/A'}
components:
  schemas:
    A: {$ref: '#/components/schemas/B'}
    B: {$ref: '#/components/schemas/A'}
"""
    )

    (operation,) = api.all
    assert operation.answer is not None
    assert operation.answer.field("anything") is not None


CALLS = [
    pytest.param("/products/\0", "https://x/api/v1", "/products/{sku}", id="an expression"),
    pytest.param("/v1/products/\0", "https://x/api", "/products/{sku}", id="the server is longer"),
    pytest.param("/products/CH-1", "https://x", "/products/{sku}", id="a fixed value"),
    pytest.param("/products/latest", "https://x", "/products/latest", id="the exact one first"),
    pytest.param("/products/\0.json", "https://x", "/products/{sku}", id="a part of a segment"),
    pytest.param("/stock", "https://x", None, id="no such path"),
    pytest.param("/products/a/b", "https://x", None, id="one segment more"),
]


@pytest.mark.parametrize(("path", "base_url", "expected"), CALLS)
def test_a_call_finds_its_operation(path: str, base_url: str, expected: str | None) -> None:
    api = vendor_apis.of_text(
        """
openapi: 3.1.0
servers: [{url: https://x/api/v1}]
paths:
  /products/{sku}: {get: {}}
  /products/latest: {get: {}}
"""
    )

    found = api.find("GET", path, base_url=base_url)

    assert (found and found.path) == expected
