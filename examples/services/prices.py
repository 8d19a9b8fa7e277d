"""What the ERP knows about money: base prices, customer groups, currencies, VAT.

Pure, and exact: amounts are `Decimal`, rounded half up to the cent once per amount, and
published as strings, because a JSON number would make a float of them.
"""

import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from catalogue import Product

CENT = Decimal("0.01")

GROUPS = {"retail": Decimal("0"), "vip": Decimal("0.10"), "wholesale": Decimal("0.28")}
"""Discount on the base price, by customer group."""

CURRENCIES = {
    "EUR": Decimal("1"),
    "GBP": Decimal("0.86"),
    "SEK": Decimal("11.30"),
    "DKK": Decimal("7.46"),
}
"""Fixed rates: one euro in each currency."""

VAT_RATES = {
    "NL": Decimal("0.21"),
    "BE": Decimal("0.21"),
    "DE": Decimal("0.19"),
    "FR": Decimal("0.20"),
    "GB": Decimal("0.20"),
    "SE": Decimal("0.25"),
    "DK": Decimal("0.25"),
}
"""The standard rate, which furniture carries in all of these countries."""

# Euros for the smallest and the largest thing that a category sells.
_RANGES = {
    "Chairs": (59, 690),
    "Tables": (49, 990),
    "Sofas": (129, 2490),
    "Lighting": (19, 390),
    "Desks": (29, 840),
    "Beds": (79, 1690),
    "Storage": (15, 1190),
    "Rugs": (15, 590),
    "Outdoor": (25, 890),
    "Textiles": (12, 180),
    "Mirrors": (14, 340),
    "Decor": (8, 120),
    "Kitchen": (12, 690),
    "Children": (19, 640),
}

_PRECIOUS = {"walnut": 1.3, "marble": 1.45, "leather": 1.35, "brass": 1.2, "teak": 1.25}
_MODEST = {"pine": 0.75, "paper": 0.7, "cotton": 0.85, "bamboo": 0.85, "jute": 0.8}
_MATERIAL_FACTORS = _PRECIOUS | _MODEST


@dataclass(frozen=True, slots=True)
class Terms:
    """Who buys, in which money, and to which country we deliver."""

    group: str = "retail"
    currency: str = "EUR"
    country: str = "NL"


def price_list(products: Iterable[Product]) -> dict[str, int]:
    """Give every sku its base price: euro cents, without VAT.

    Large things cost more than small ones of the same category, walnut more than pine, and
    a little luck (seeded by the sku) does the rest.
    """
    by_category: dict[str, list[Product]] = {}
    for product in products:
        by_category.setdefault(product.category, []).append(product)
    return {
        product.sku: _base_price(product, place=place)
        for category in by_category.values()
        for product, place in zip(category, _places(category), strict=True)
    }


def quote(base_cents: int, terms: Terms) -> dict[str, str]:
    """Turn a base price into what this customer pays: discount, currency, then VAT."""
    base = Decimal(base_cents).scaleb(-2)
    net = _rounded(base * (1 - GROUPS[terms.group]) * CURRENCIES[terms.currency])
    rate = VAT_RATES[terms.country]
    vat = _rounded(net * rate)
    return {
        "net": str(net),
        "vatRate": str(rate),
        "vat": str(vat),
        "gross": str(net + vat),
        "currency": terms.currency,
    }


def quotes(
    base_prices: Mapping[str, int], skus: Iterable[str], terms: Terms
) -> dict[str, dict[str, str]]:
    """Quote all skus that are in the price list; the others are left out."""
    return {sku: quote(base_prices[sku], terms) for sku in skus if sku in base_prices}


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def _places(category: list[Product]) -> list[float]:
    """Place each product between the smallest (0) and the largest (1), by size."""
    sizes = [_size(product) for product in category]
    low, high = min(sizes), max(sizes)
    return [(size - low) / (high - low) if high > low else 0.5 for size in sizes]


def _size(product: Product) -> float:
    """Measure how big a thing feels: the logarithm keeps a wardrobe from dwarfing the rest."""
    box = product.dimensions
    return math.log(box.width * box.depth * box.height)


def _base_price(product: Product, *, place: float) -> int:
    low, high = _RANGES[product.category]
    luck = random.Random(product.sku).uniform(0.8, 1.25)  # noqa: S311 - seeded on purpose
    euros = (low + (high - low) * place**2) * _MATERIAL_FACTORS.get(product.material, 1) * luck
    return _shelf_price(euros)


def _shelf_price(euros: float) -> int:
    """Round to what shops print on a label: 12.95 for small things, 239.00 for large ones."""
    if euros < 50:
        return max(1, math.floor(euros)) * 100 + 95
    return max(5, round(euros / 10)) * 1000 - 100
