"""The example pim-to-shop as people meet it: what editors change is in the shop."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import whole_examples
from programs import Start
from whole_examples import Whole, until

NAME = "pim-to-shop"


@pytest.fixture(scope="module")
def whole(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    hurried = {"every: 10s": "every: 1s", "{initial: 1s, max: 1m}": "{initial: 100ms, max: 500ms}"}
    started = whole_examples.started(start, tmp_path_factory.mktemp("whole"), NAME, hurried)
    # A model and each of its variants are a message; what editors do comes behind all of them.
    for key, writes in {"lamp_luna": 4, "sofa_halden": 3, "RG-20401": 1}.items():
        product(started, key, _written(writes))
    return started


def _written(times: int) -> Callable[[dict[str, Any]], bool]:
    return lambda found: found["version"] >= times


def product(whole: Whole, key: str, so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The product as the shop has it, once it is so."""
    url = f"{whole.urls['commerce']}/products/{key}"
    answer = until(lambda: httpx.get(url), lambda found: found.is_success and so(found.json()))
    document: dict[str, Any] = answer.json()
    return document


def edit(whole: Whole, path: str, attribute: str, locale: str | None, data: object) -> None:
    """An editor changes a value in the PIM."""
    value = {"locale": locale, "scope": None, "data": data}
    url = f"{whole.urls['pim']}/api/rest/v1/{path}"
    httpx.patch(url, json={"values": {attribute: [value]}}).raise_for_status()


def attributes(variant: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each["value"] for each in variant["attributes"]}


def test_its_own_lint_and_tests_hold() -> None:
    whole_examples.holds(NAME)


def test_a_model_becomes_a_product_of_its_enabled_variants(whole: Whole) -> None:
    luna = product(whole, "lamp_luna", lambda _: True)

    variants = [luna["masterVariant"], *luna["variants"]]
    assert [each["sku"] for each in variants] == ["LP-20401", "LP-20402"]
    assert [attributes(each)["color"] for each in variants] == ["sage", "sand"]
    assert [attributes(each)["weight"] for each in variants] == [1.45, 1.45]
    assert [len(each["images"]) for each in variants] == [2, 1]


def test_a_product_alone_is_its_own_variant_and_what_is_not_translated_is_english(
    whole: Whole,
) -> None:
    runner = product(whole, "RG-20401", lambda _: True)

    assert runner["masterVariant"]["sku"] == "RG-20401"
    assert runner["variants"] == []
    assert runner["name"]["nl-NL"] == runner["name"]["en-GB"]


def test_a_name_that_is_changed_on_the_model_is_changed_in_the_shop(whole: Whole) -> None:
    edit(whole, "product-models/sofa_halden", "name", "en_GB", "Halden sofa")

    product(whole, "sofa_halden", lambda sofa: sofa["name"]["en-GB"] == "Halden sofa")


def test_a_value_that_is_changed_on_a_variant_is_changed_in_the_shop(whole: Whole) -> None:
    edit(whole, "products/LP-20402", "colour", None, "mint")

    product(whole, "lamp_luna", lambda luna: attributes(luna["variants"][0]).get("color") == "mint")


def test_a_unit_that_is_unknown_is_a_dead_letter_and_mended_in_the_pim(whole: Whole) -> None:
    edit(whole, "products/RG-20401", "weight", None, {"amount": "4.6", "unit": "POUND"})
    until(
        lambda: whole.isthmus("messages", "list", "--state", "dead"),
        lambda shown: "RG-20401" in shown,
    )

    edit(whole, "products/RG-20401", "weight", None, {"amount": "2090", "unit": "GRAM"})

    product(whole, "RG-20401", lambda rug: attributes(rug["masterVariant"]).get("weight") == 2.09)
