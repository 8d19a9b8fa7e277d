"""The catalogue and the price list of the example shop: the same at every start, and sane."""

import importlib
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def catalogue(services: None) -> ModuleType:
    return importlib.import_module("catalogue")


@pytest.fixture(scope="module")
def prices(services: None) -> ModuleType:
    return importlib.import_module("prices")


@pytest.fixture(scope="module")
def search(services: None) -> ModuleType:
    return importlib.import_module("search")


def test_two_runs_give_the_same_products(catalogue: ModuleType) -> None:
    assert catalogue.generate() == catalogue.generate()


def test_another_seed_gives_other_products(catalogue: ModuleType) -> None:
    assert catalogue.generate() != catalogue.generate(seed=1)


def test_there_are_enough_products_and_no_two_share_a_sku_or_a_name(
    catalogue: ModuleType,
) -> None:
    products = catalogue.generate()

    assert len(products) >= 1_200
    assert len({product.sku for product in products}) == len(products)
    assert len({product.name for product in products}) == len(products)


def test_every_description_is_filled_in(catalogue: ModuleType) -> None:
    assert not [p for p in catalogue.generate() if "{" in p.description or "  " in p.description]


def test_numbers_stay_in_believable_bounds(catalogue: ModuleType) -> None:
    products = catalogue.generate()

    assert all(1 <= product.rating <= 5 for product in products)
    assert all(0 <= product.stock <= 140 for product in products)
    assert any(product.stock == 0 for product in products)
    assert all(
        min(p.dimensions.width, p.dimensions.depth, p.dimensions.height) >= 1 for p in products
    )


def test_the_chair_of_the_documentation_is_what_the_documentation_says(
    catalogue: ModuleType, prices: ModuleType
) -> None:
    products = catalogue.generate()
    chair = next(product for product in products if product.sku == "CH-10423")

    assert chair.name.endswith("dining chair")
    assert prices.price_list(products)[chair.sku] == 9900


def test_every_product_has_a_base_price(catalogue: ModuleType, prices: ModuleType) -> None:
    products = catalogue.generate()
    price_list = prices.price_list(products)

    assert set(price_list) == {product.sku for product in products}
    assert min(price_list.values()) > 0


@pytest.mark.parametrize(
    ("cents", "terms", "expected"),
    [
        pytest.param(
            9900,
            {},
            {
                "net": "99.00",
                "vatRate": "0.21",
                "vat": "20.79",
                "gross": "119.79",
                "currency": "EUR",
            },
            id="retail in the Netherlands pays the base price and 21 percent",
        ),
        pytest.param(
            9900,
            {"group": "vip", "country": "DE"},
            {
                "net": "89.10",
                "vatRate": "0.19",
                "vat": "16.93",
                "gross": "106.03",
                "currency": "EUR",
            },
            id="a vip gets a tenth off before VAT",
        ),
        pytest.param(
            9900,
            {"group": "wholesale", "currency": "SEK", "country": "SE"},
            {
                "net": "805.46",
                "vatRate": "0.25",
                "vat": "201.37",
                "gross": "1006.83",
                "currency": "SEK",
            },
            id="wholesale in Sweden is discounted, then converted, then taxed",
        ),
        pytest.param(
            250,
            {"country": "FR"},
            {"net": "2.50", "vatRate": "0.20", "vat": "0.50", "gross": "3.00", "currency": "EUR"},
            id="trailing zeros stay",
        ),
        pytest.param(
            50,
            {"country": "NL"},
            {"net": "0.50", "vatRate": "0.21", "vat": "0.11", "gross": "0.61", "currency": "EUR"},
            id="half a cent of VAT is rounded up",
        ),
    ],
)
def test_a_quote(
    prices: ModuleType, cents: int, terms: dict[str, str], expected: dict[str, str]
) -> None:
    assert prices.quote(cents, prices.Terms(**terms)) == expected


def test_net_and_vat_always_make_gross(prices: ModuleType) -> None:
    quotes = [
        prices.quote(cents, prices.Terms(group=group, currency=currency, country=country))
        for cents in (1, 5, 95, 1295, 9900, 123_456)
        for group in prices.GROUPS
        for currency in prices.CURRENCIES
        for country in prices.VAT_RATES
    ]

    assert all(Decimal(q["net"]) + Decimal(q["vat"]) == Decimal(q["gross"]) for q in quotes)


def test_unknown_skus_are_left_out(prices: ModuleType) -> None:
    assert set(prices.quotes({"A": 100}, ["A", "B"], prices.Terms())) == {"A"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("", "", id="nothing gives no expression"),
        pytest.param('"*()^- 🪑', "", id="punctuation and emoji are no words"),
        pytest.param("oak", '("oak"*)', id="one word is a prefix"),
        pytest.param("Oak ta", '("oak") AND ("ta"*)', id="only the last word is a prefix"),
        pytest.param("lamps", '("lamps"* OR "lamp")', id="a plural finds its singular"),
        pytest.param("shelves", '("shelves"* OR "shelf" OR "shelv" OR "shelve")', id="also in ves"),
        pytest.param(
            "chair NOT oak", '("chair") AND ("not") AND ("oak"*)', id="an operator is only a word"
        ),
        pytest.param("a chair for the", '("chair"*)', id="little words do not count"),
        pytest.param("the", '("the"*)', id="unless there is nothing else"),
    ],
)
def test_match_expression(search: ModuleType, query: str, expected: str) -> None:
    assert search.match_expression(query) == expected


@pytest.fixture(scope="module")
def index(search: ModuleType, catalogue: ModuleType) -> Any:
    return search.Index(catalogue.generate())


@given(query=st.text(max_size=60))
def test_no_text_breaks_the_index(index: Any, query: str) -> None:
    page = index.search(query, limit=5, offset=0)

    assert len(page.hits) <= min(5, page.total)
