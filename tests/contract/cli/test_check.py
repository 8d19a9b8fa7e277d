"""isthmus check, as a pipeline runs it when a vendor has published a new version."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import vendor_apis

Isthmus = Callable[..., CompletedProcess[str]]


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    return Path(shutil.copytree(vendor_apis.INTEGRATION, tmp_path / "manifests"))


@pytest.fixture
def documents(tmp_path: Path) -> tuple[Path, Path]:
    """The PIM's document, and one in which the amount of a price has another name."""
    new: dict[str, Any] = vendor_apis.plain("pim")
    money = new["components"]["schemas"]["Money"]["properties"]
    money["amountNet"] = money.pop("amount")
    new["info"]["version"] = "2.0"
    return (
        vendor_apis.written(vendor_apis.plain("pim"), tmp_path / "pim-1.yaml"),
        vendor_apis.written(new, tmp_path / "pim-2.yaml"),
    )


def test_a_route_that_breaks_is_shown_with_the_place_that_reads_the_field(
    isthmus: Isthmus, manifests: Path, documents: tuple[Path, Path]
) -> None:
    old, new = documents

    ended = isthmus("check", manifests.name, "--against", new, "--from", old, "--connector", "pim")

    assert ended.returncode == 1
    assert ended.stdout == (
        "Route default/products-to-erp  breaks\n"
        "  error  FieldMissing  GET /products  $._embedded.items[].price.amount\n"
        "    the answer has no field $._embedded.items[].price.amount any more\n"
        "    manifests/routes.yaml:10:22  Mapping default/product-to-material spec.expression\n"
        '    10 |       "price": price.amount\n'
        "       |                      ^\n"
        "    help: it may be called 'amountNet' now\n"
        "\n"
        "1 broken, 0 may break, of 2 Routes that call pim\n"
    )


def test_a_program_reads_the_same(
    isthmus: Isthmus, manifests: Path, documents: tuple[Path, Path]
) -> None:
    old, new = documents

    ended = isthmus(
        *("check", manifests.name, "--against", new, "--from", old),
        *("--connector", "pim", "-o", "json"),
    )

    told = json.loads(ended.stdout)
    assert ended.returncode == 1
    assert told == {
        "connector": "pim",
        "against": {"file": str(new), "version": "2.0"},
        "from": {"file": str(old), "version": "1.4"},
        "findings": [
            {
                "severity": "error",
                "kind": "FieldMissing",
                "route": "default/products-to-erp",
                "operation": "GET /products",
                "side": "answer",
                "jsonPath": "$._embedded.items[].price.amount",
                "parameter": None,
                "message": "the answer has no field $._embedded.items[].price.amount any more",
                "hint": "it may be called 'amountNet' now",
                "call": {
                    "object": "Route default/products-to-erp",
                    "field": "spec.source.poll.call",
                    "file": "manifests/routes.yaml",
                    "line": 21,
                    "column": 9,
                },
                "read": {
                    "object": "Mapping default/product-to-material",
                    "field": "spec.expression",
                    "file": "manifests/routes.yaml",
                    "line": 10,
                    "column": 22,
                },
            }
        ],
        "summary": {"routes": 2, "broken": 1, "errors": 1, "warnings": 0},
    }


def test_nothing_breaks_with_the_same_document(
    isthmus: Isthmus, manifests: Path, documents: tuple[Path, Path]
) -> None:
    old, _ = documents

    ended = isthmus("check", manifests.name, "--against", old, "--from", old, "--connector", "pim")

    assert (ended.returncode, ended.stdout) == (
        0,
        "0 broken, 0 may break, of 2 Routes that call pim\n",
    )


def test_what_may_break_fails_where_that_is_asked_for(
    isthmus: Isthmus, manifests: Path, tmp_path: Path
) -> None:
    new: dict[str, Any] = vendor_apis.plain("erp")
    new["paths"]["/prices"]["post"]["parameters"] = []
    file = vendor_apis.written(new, tmp_path / "erp-2.json")
    arguments = ("check", manifests.name, "--against", file, "--from", vendor_apis.FILES["erp"])

    calm = isthmus(*arguments, "--connector", "erp")
    strict = isthmus(*arguments, "--connector", "erp", "--strict")

    assert "ParameterUnknown  POST /prices  query currency" in calm.stdout
    assert "0 broken, 1 may break, of 2 Routes that call erp" in calm.stdout
    assert (calm.returncode, strict.returncode) == (0, 1)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("swagger.yaml", "swagger: '2.0'\npaths: {}\n", "this is Swagger 2.0"),
        ("broken.yaml", "openapi: 3.1.0\npaths:\n  - {\n", "broken.yaml:4:1  error"),
        ("other.yaml", "a: 1\n", "this is no OpenAPI document"),
    ],
)
def test_a_file_that_is_no_document_is_wrong_use(
    isthmus: Isthmus, manifests: Path, tmp_path: Path, name: str, text: str, expected: str
) -> None:
    (tmp_path / name).write_text(text)

    ended = isthmus("check", manifests.name, "--against", name, "--connector", "pim")

    assert ended.returncode == 2
    assert expected in ended.stderr
    assert ended.stdout == ""


def test_a_connector_must_be_named_where_there_are_several(
    isthmus: Isthmus, manifests: Path, documents: tuple[Path, Path]
) -> None:
    old, _ = documents

    none = isthmus("check", manifests.name, "--against", old)
    wrong = isthmus("check", manifests.name, "--against", old, "--connector", "shop")

    assert "say which Connector with --connector NAME" in none.stderr
    assert "there is no Connector 'shop'; there are: erp, pim" in wrong.stderr
    assert (none.returncode, wrong.returncode) == (2, 2)
