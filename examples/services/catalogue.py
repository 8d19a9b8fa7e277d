"""The products of the shop: the same believable furniture at every start.

The catalogue is what search knows: words, colours, sizes. Prices belong to the ERP and are
in `prices`. Everything here is pure; the same seed always gives the same products.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import vocabulary
from vocabulary import Category, Kind

PRODUCTS_PER_CATEGORY = 90
FIRST_NUMBER = 10_400
SEED = 137
COUNTED_AT = "2026-01-01T00:00:00.000Z"
"""When the stock of all products was counted; every system begins with that."""

_FAMILY = {
    material: family for family, materials in vocabulary.FAMILIES.items() for material in materials
}


@dataclass(frozen=True, slots=True)
class Dimensions:
    """The bounding box of a product, in centimetres."""

    width: int
    depth: int
    height: int


@dataclass(frozen=True, slots=True)
class Product:
    """One article as the search service publishes it. It has no price on purpose."""

    sku: str
    name: str
    description: str
    category: str
    brand: str
    colour: str
    material: str
    dimensions: Dimensions
    rating: float
    reviews: int
    stock: int


def generate(*, seed: int = SEED) -> tuple[Product, ...]:
    """Build the whole catalogue, category by category.

    Every category draws from a generator of its own, so that a word added to one of them
    leaves the products of all others as they are.
    """
    return tuple(
        product
        for category in vocabulary.CATEGORIES
        for product in _department(category, _dice(f"{seed}/{category.prefix}"))
    )


def _dice(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - seeded on purpose, and guards no secret


def _department(category: Category, dice: random.Random) -> Iterator[Product]:
    names: set[str] = set()
    for number in range(FIRST_NUMBER, FIRST_NUMBER + PRODUCTS_PER_CATEGORY):
        kind = dice.choice(category.kinds)
        series, feature = _unused_words(category, kind, dice, names)
        yield _product(
            f"{category.prefix}-{number}",
            category=category,
            kind=kind,
            series=series,
            feature=feature,
            dice=dice,
        )


def _unused_words(
    category: Category, kind: Kind, dice: random.Random, names: set[str]
) -> tuple[str, str]:
    """Draw series and feature until they make a name that is not taken, and take it."""
    while True:
        series, feature = dice.choice(vocabulary.SERIES), dice.choice(category.features)
        name = _name(series, feature, kind)
        if name not in names:
            names.add(name)
            return series, feature


def _product(
    sku: str,
    *,
    category: Category,
    kind: Kind,
    series: str,
    feature: str,
    dice: random.Random,
) -> Product:
    material = dice.choice(kind.materials or category.materials)
    family = _FAMILY[material]
    article = "an" if feature[0] in "aeiou" else "a"
    words = {
        "series": series,
        "feature": feature,
        "article": article,
        "Article": article.capitalize(),
        "kind": kind.name,
        "use": dice.choice(category.uses),
        "material": material,
        "colour": dice.choice(vocabulary.COLOURS[family]),
        "brand": dice.choice(vocabulary.BRANDS),
    }
    return Product(
        sku=sku,
        name=_name(series, feature, kind),
        description=_description(words, family=family, dice=dice),
        category=category.name,
        brand=words["brand"],
        colour=words["colour"],
        material=material,
        dimensions=_dimensions(kind, dice),
        rating=round(min(4.9, max(2.4, dice.gauss(4.1, 0.35))), 1),
        reviews=int(dice.expovariate(1 / 60)),
        stock=_stock(dice),
    )


def _name(series: str, feature: str, kind: Kind) -> str:
    return f"{series} {feature} {kind.name}"


def _description(words: dict[str, str], *, family: str, dice: random.Random) -> str:
    sentences = (
        dice.choice(vocabulary.OPENINGS),
        dice.choice(vocabulary.CRAFT[family]),
        dice.choice(vocabulary.CLOSINGS),
    )
    return " ".join(sentences).format_map(words)


def _dimensions(kind: Kind, dice: random.Random) -> Dimensions:
    """Vary each side a little: products of a kind are alike, not equal."""

    def vary(centimetres: int) -> int:
        return max(1, round(centimetres * dice.uniform(0.88, 1.14)))

    width = vary(kind.width)
    depth = width if kind.width == kind.depth else vary(kind.depth)  # what is round stays round
    return Dimensions(width, depth, vary(kind.height))


def _stock(dice: random.Random) -> int:
    """One product in twelve is sold out, as in a real warehouse."""
    return 0 if dice.random() < 1 / 12 else dice.randint(1, 140)
