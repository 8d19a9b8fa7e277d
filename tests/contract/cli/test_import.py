"""isthmus import openapi: what it writes can be used as it is."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import vendor_apis
import yaml

Isthmus = Callable[..., CompletedProcess[str]]

ODD = """
openapi: 3.1.0
info: {title: "ACME: Shop & Co. (EU)", version: '3'}
servers: [{url: 'https://{region}.acme.example/v3/', variables: {region: {default: eu}}}]
security: [{cookie: []}, {basic: []}]
paths:
  /in/{order id}:
    get: {operationId: in, tags: [odd]}
    delete:
      operationId: In
      tags: [odd]
      parameters:
        - {name: X-Reason, in: header, required: true, schema: {type: string}}
        - {name: 'filter[status]', in: query, schema: {type: string}}
        - {name: and, in: query, required: true, schema: {type: string, enum: [exact]}}
    trace: {}
  /carts:
    post:
      tags: [odd]
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [or, address, kind]
              properties:
                or: {type: string}
                kind: {const: cart}
                address:
                  type: object
                  required: [zip code]
                  properties: {zip code: {type: string}}
components:
  securitySchemes:
    cookie: {type: apiKey, in: cookie, name: session}
    basic: {type: http, scheme: Basic}
"""


@pytest.mark.parametrize("vendor", ["pim", "erp", "odd"])
def test_what_is_written_has_no_mistakes_and_fits_the_document(
    isthmus: Isthmus, tmp_path: Path, vendor: str
) -> None:
    (tmp_path / "odd.yaml").write_text(ODD)
    file = {**vendor_apis.FILES, "odd": tmp_path / "odd.yaml"}[vendor]
    tags = {"pim": ["products", "media"], "erp": ["materials", "prices"], "odd": ["odd"]}[vendor]
    chosen = [word for tag in tags for word in ("--tag", tag)]

    made = isthmus("import", "openapi", file, "--to", "made", "--name", "vendor", *chosen)
    linted = isthmus("lint", "made", "-o", "json")
    checked = isthmus("check", "made", "--against", file, "--strict")

    assert (made.returncode, made.stderr) == (0, "")
    assert (linted.returncode, linted.stderr) == (0, ""), linted.stdout
    assert {each["code"] for each in json.loads(linted.stdout)["problems"]} <= {"RouteOpen"}
    assert checked.returncode == 0, checked.stdout


def test_the_files_are_the_same_each_time_and_never_overwritten_unasked(
    isthmus: Isthmus, tmp_path: Path
) -> None:
    command = ("import", "openapi", vendor_apis.FILES["pim"], "--operation", "getProduct")

    first = isthmus(*command)
    written = (tmp_path / "pimento-pim-connector.yaml").read_text()
    again = isthmus(*command)
    forced = isthmus(*command, "--force")

    assert first.stdout.splitlines() == [
        "wrote pimento-pim-connector.yaml",
        "wrote pimento-pim-routes.yaml",
        "note: make the Secret 'pimento-pim' with: client-id, client-secret",
    ]
    assert again.returncode == 2
    assert "are there already; --force overwrites what is there" in again.stderr
    assert forced.returncode == 0
    assert (tmp_path / "pimento-pim-connector.yaml").read_text() == written


def test_what_is_written_is_held_against_the_document_from_then_on(
    isthmus: Isthmus, tmp_path: Path
) -> None:
    isthmus("import", "openapi", vendor_apis.FILES["pim"], "--to", "made", "--tag", "products")
    file = tmp_path / "made" / "pimento-pim-routes.yaml"
    file.write_text(file.read_text().replace("updated_after:", "updatedAfter:"))

    ended = isthmus("lint", "made", "--strict")

    assert ended.returncode == 1
    assert "the operation has no query parameter 'updatedAfter'" in ended.stdout


def test_odd_names_and_ways_to_sign_in_are_made_the_best_of(
    isthmus: Isthmus, tmp_path: Path
) -> None:
    (tmp_path / "odd.yaml").write_text(ODD)

    ended = isthmus("import", "openapi", "odd.yaml", "--tag", "odd")

    assert ended.returncode == 0, ended.stderr
    connector = yaml.safe_load((tmp_path / "acme-shop-co-eu-connector.yaml").read_text())
    routes = list(yaml.safe_load_all((tmp_path / "acme-shop-co-eu-routes.yaml").read_text()))
    assert connector["spec"]["http"]["baseUrl"] == "https://eu.acme.example/v3"
    assert list(connector["spec"]["http"]["auth"]) == ["basic"]
    calls = {each["metadata"]["name"]: each["spec"]["steps"][0]["call"] for each in routes}
    assert list(calls) == [
        "acme-shop-co-eu-in",
        "acme-shop-co-eu-in-2",
        "acme-shop-co-eu-post-carts",
    ]
    assert calls["acme-shop-co-eu-in-2"] == {
        "connector": "acme-shop-co-eu",
        "method": "DELETE",
        "path": "/in/{% $request.query.`order id` %}",
        "query": {"filter[status]": "{% $request.query.`filter[status]` %}", "and": "exact"},
        "headers": {"X-Reason": "{% $request.headers.`x-reason` %}"},
    }
    assert calls["acme-shop-co-eu-post-carts"]["body"] == {
        "or": "{% `or` %}",
        "address": {"zip code": "{% address.`zip code` %}"},
        "kind": "cart",
    }


def test_without_operations_the_connector_alone_is_written(
    isthmus: Isthmus, tmp_path: Path
) -> None:
    ended = isthmus("import", "openapi", vendor_apis.FILES["erp"])

    assert "note: choose operations with --operation, such as putMaterial" in ended.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["ledgerline-erp-connector.yaml"]


WRONG = [
    pytest.param("swagger: '2.0'\n", [], "this is Swagger 2.0", id="the version before"),
    pytest.param("openapi: 3.1.0\npaths:\n  - {\n", [], "api.yaml:4:1  error", id="broken YAML"),
    pytest.param("openapi: 3.1.0\npaths: {}\n", [], "write --base-url", id="no server"),
    pytest.param(
        "openapi: 3.1.0\npaths: {}\nservers: [{url: /v1}]\n",
        [],
        "write --base-url",
        id="a server without an address",
    ),
    pytest.param(
        "openapi: 3.1.0\npaths: {/a: {get: {operationId: getThings}}}\n",
        ["--operation", "getThing"],
        "has no operation 'getThing'; did you mean 'getThings'?",
        id="an unknown operation",
    ),
    pytest.param(
        "openapi: 3.1.0\npaths: {/a: {get: {tags: [things]}}}\n",
        ["--tag", "stuff"],
        "has no tag 'stuff'; it has: things",
        id="an unknown tag",
    ),
    pytest.param(
        "openapi: 3.1.0\npaths: {}\n", ["--name", "A b"], "'A b' is no name", id="no name"
    ),
]


@pytest.mark.parametrize(("text", "options", "said"), WRONG)
def test_wrong_use_writes_nothing(
    isthmus: Isthmus, tmp_path: Path, text: str, options: list[str], said: str
) -> None:
    (tmp_path / "api.yaml").write_text(text)

    ended = isthmus("import", "openapi", "api.yaml", *options)

    assert ended.returncode == 2
    assert said in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["api.yaml"]
