"""The orders of the example shop: a number gives one order, and its events rise."""

import importlib
import itertools
from datetime import UTC, datetime
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

PLACED = datetime(2026, 8, 20, 9, 0, tzinfo=UTC)
NUMBERS = range(100_001, 100_301)


@pytest.fixture(scope="module")
def orders(services: None) -> ModuleType:
    return importlib.import_module("orders")


@pytest.fixture(scope="module")
def sold(orders: ModuleType) -> Any:
    return orders.assortment()


def test_a_number_gives_one_order(orders: ModuleType, sold: Any) -> None:
    first, second = (orders.events(100_001, PLACED, sold) for _ in range(2))

    assert first == second
    assert first != orders.events(100_002, PLACED, sold)


def test_each_event_has_a_later_version_of_the_same_order(orders: ModuleType, sold: Any) -> None:
    for number in NUMBERS:
        told = [event.order for event in orders.events(number, PLACED, sold)]

        assert all(a["updated_at"] < b["updated_at"] for a, b in itertools.pairwise(told))
        assert len({str({**each, "status": "", "updated_at": ""}) for each in told}) == 1


def test_one_order_in_six_is_refunded(orders: ModuleType, sold: Any) -> None:
    last = [orders.events(number, PLACED, sold)[-1].topic for number in NUMBERS]

    assert last.count("order.refunded") == 50
    assert last.count("order.paid") == 250


def test_totals_are_exact(orders: ModuleType, sold: Any) -> None:
    for number in NUMBERS:
        order = orders.events(number, PLACED, sold)[0].order
        lines = sum(Decimal(line["unit_price"]) * line["quantity"] for line in order["lines"])

        assert Decimal(order["total"]) == lines + Decimal(order["shipping"])
        assert order["lines"]


def test_customers_come_back(orders: ModuleType, sold: Any) -> None:
    bought = [orders.events(number, PLACED, sold)[0].order["customer"] for number in NUMBERS]
    by_id = {customer["id"]: customer for customer in bought}

    assert 150 < len(by_id) < len(NUMBERS)
    assert all(by_id[customer["id"]] == customer for customer in bought)


def test_a_product_by_name_is_all_that_is_bought(orders: ModuleType, sold: Any) -> None:
    order = orders.events(100_001, PLACED, sold, sku="NEW-1")[0].order

    assert [line["sku"] for line in order["lines"]] == ["NEW-1"]
    assert order["total"] == "56.90"
