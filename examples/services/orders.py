"""The shop's orders: who bought what, and what happened to it. Pure; a number gives one order.

An order is told in events: it is created, then paid, and one in six is refunded. Each event holds
the whole order as it stands then, with an `updated_at` above that of the event before.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import catalogue
import clock
import customers
import prices
from catalogue import Product
from prices import Terms

FIRST_NUMBER = 100_001
FREE_SHIPPING = Decimal(100)
SHIPPING = Decimal("6.95")
STEP = timedelta(seconds=1)
"""How far the events of an order lie apart at least, by their `updated_at`."""


@dataclass(frozen=True, slots=True)
class Assortment:
    """What the shop sells, and for how much before customers have a say."""

    products: Sequence[Product]
    base_prices: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an order, and the order as it stands since."""

    topic: str
    order: dict[str, Any]


def assortment() -> Assortment:
    """Take the whole catalogue."""
    products = catalogue.generate()
    return Assortment(products, prices.price_list(products))


def events(
    number: int, placed_at: datetime, sold: Assortment, *, sku: str | None = None
) -> tuple[Event, ...]:
    """Tell the life of an order. With `sku` somebody bought one of that, whatever it is."""
    dice = random.Random(number)  # noqa: S311 - seeded on purpose, and guards no secret
    customer = customers.customer(dice.randrange(customers.CUSTOMERS))
    lines = [_single(sku)] if sku else _lines(sold, customer["address"]["country"], dice)
    order = _order(number, placed_at, customer, lines)
    statuses = ("created", "paid", "refunded") if is_refunded(number) else ("created", "paid")
    return tuple(
        Event(
            f"order.{status}",
            {**order, "status": status, "updated_at": clock.written(placed_at + place * STEP)},
        )
        for place, status in enumerate(statuses)
    )


def is_refunded(number: int) -> bool:
    """Tell whether the customer sends everything back in the end."""
    return number % 6 == 0


def _order(
    number: int, placed_at: datetime, customer: dict[str, Any], lines: list[dict[str, Any]]
) -> dict[str, Any]:
    goods = sum((Decimal(line["unit_price"]) * line["quantity"] for line in lines), Decimal())
    shipping = Decimal("0.00") if goods >= FREE_SHIPPING else SHIPPING
    return {
        "order_number": str(number),
        "created_at": clock.written(placed_at),
        "currency": "EUR",
        "customer": customer,
        "lines": lines,
        "shipping": str(shipping),
        "total": str(goods + shipping),
    }


def _lines(sold: Assortment, country: str, dice: random.Random) -> list[dict[str, Any]]:
    terms = Terms(country=country)
    return [
        {
            "sku": product.sku,
            "name": product.name,
            "quantity": dice.choice((1, 1, 1, 1, 2, 4)),
            "unit_price": prices.quote(sold.base_prices[product.sku], terms)["gross"],
        }
        for product in dice.sample(sold.products, dice.choice((1, 1, 1, 2, 2, 3, 4)))
    ]


def _single(sku: str) -> dict[str, Any]:
    return {"sku": sku, "name": "New in the shop", "quantity": 1, "unit_price": "49.95"}
