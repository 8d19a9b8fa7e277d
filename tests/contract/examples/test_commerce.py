"""The commerce platform of the examples, as a real process."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from example_services import SERVICES, assert_problem, client, run, started

TOKEN = {"Authorization": "Bearer canary-token"}
DRAFT = {"key": "luna", "name": {"en": "Luna"}, "slug": {"en": "luna"}}
SAMPLES = json.loads((SERVICES / "commerce_orders.json").read_text())


@pytest.fixture
def commerce(tmp_path: Path) -> Iterator[httpx.Client]:
    settings = {"COMMERCE_TOKEN": "canary-token"}
    with started("commerce", tmp_path, **settings) as service, client(service.url) as http_client:
        http_client.headers.update(TOKEN)
        yield http_client


def test_without_its_token_it_does_not_start() -> None:
    ended = run("commerce", COMMERCE_TOKEN="")

    assert ended.returncode == 2
    assert ended.stderr.startswith("commerce: COMMERCE_TOKEN is not set")


class TestOrders:
    def test_changes_are_read_page_by_page_from_a_time_on(self, commerce: httpx.Client) -> None:
        numbers = [
            commerce.post("/orders", params={"sample": name}).json()["orderNumber"]
            for name in ("paid-with-discount", "split-shipment", "business-abroad")
        ]

        first = commerce.get("/orders", params={"limit": 2}).json()
        since = f'lastModifiedAt >= "{first["results"][1]["lastModifiedAt"]}"'
        later = commerce.get("/orders", params={"where": since}).json()

        assert [each["orderNumber"] for each in first["results"]] == numbers[:2]
        assert (first["count"], first["total"]) == (2, 3)
        assert [each["orderNumber"] for each in later["results"]] == numbers[1:]

    def test_what_is_kept_outlives_the_process(self, tmp_path: Path) -> None:
        settings = {"COMMERCE_TOKEN": "canary-token", "COMMERCE_DATABASE": "commerce.db"}
        numbers = []
        for _ in range(2):
            with started("commerce", tmp_path, **settings) as service, client(service.url) as http:
                ordered = http.post("/orders", params={"sample": "split-shipment"})
                numbers.append(ordered.json()["orderNumber"])

        assert numbers == ["W700001", "W700002"]

    def test_who_does_not_sign_in_reads_nothing(self, commerce: httpx.Client) -> None:
        assert_problem(commerce.get("/orders", headers={"Authorization": ""}), 401)

    @pytest.mark.parametrize(
        "query",
        [
            {"where": "lastModifiedAt >= yesterday"},
            {"where": 'lastModifiedAt >= "2026-01-01"'},
            {"where": 'customerId = "1"'},
            {"limit": "0"},
            {"offset": "-1"},
        ],
    )
    def test_what_cannot_be_read_is_a_problem(
        self, commerce: httpx.Client, query: dict[str, str]
    ) -> None:
        assert_problem(commerce.get("/orders", params=query), 400)

    def test_an_unknown_sample_is_a_problem(self, commerce: httpx.Client) -> None:
        assert_problem(commerce.post("/orders", params={"sample": "nothing"}), 400)

    @pytest.mark.parametrize("name", SAMPLES)
    def test_the_amounts_of_a_sample_add_up(self, name: str) -> None:
        order = SAMPLES[name]
        parts = [*order["lineItems"], order["shippingInfo"]]

        for each in ("totalNet", "totalTax", "totalGross"):
            total = sum(part["taxedPrice"][each]["centAmount"] for part in parts)
            assert order["taxedPrice"][each]["centAmount"] == total


class TestProducts:
    def test_a_product_is_written_and_written_again(self, commerce: httpx.Client) -> None:
        draft = {**DRAFT, "masterVariant": {"sku": "LP-1"}}

        answers = [commerce.put("/products/luna", json=draft) for _ in range(2)]

        assert [each.status_code for each in answers] == [201, 200]
        assert commerce.get("/products/luna").json() == {**draft, "version": 2}

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"masterVariant": {"sku": "LP-1"}, "key": "vesta"},
            {"masterVariant": {"sku": "LP-1"}, "name": {}},
            {"masterVariant": {"sku": "LP-1"}, "slug": "luna"},
            {"masterVariant": {"sku": "LP-1"}, "variants": [{"sku": "LP-1"}]},
            {"masterVariant": {"sku": "LP-1"}, "variants": [{}]},
        ],
    )
    def test_what_is_no_product_is_refused(
        self, commerce: httpx.Client, wrong: dict[str, object]
    ) -> None:
        assert_problem(commerce.put("/products/luna", json={**DRAFT, **wrong}), 400)
        assert_problem(commerce.get("/products/luna"), 404)


class TestLevels:
    STOCK: ClassVar = {"supplyChannel": {"key": "hamburg"}, "quantityOnStock": 12}

    def test_each_entry_is_stored_or_refused_by_itself(self, commerce: httpx.Client) -> None:
        entries = [
            {"sku": "CH-10400", **self.STOCK},
            {"sku": "NEU-1", **self.STOCK},
            {"sku": "CH-10400", **self.STOCK, "quantityOnStock": -1},
            "nothing",
        ]

        results = commerce.post("/inventory", json=entries).json()["results"]

        assert [(each["index"], each["status"]) for each in results] == [
            (0, "stored"),
            (1, "refused"),
            (2, "refused"),
            (3, "refused"),
        ]
        assert commerce.get("/inventory/CH-10400").json() == {"hamburg": entries[0]}
        assert commerce.get("/report").json()["inventory"] == {
            "calls": 1,
            "entries": 4,
            "refused": 3,
        }

    def test_prices_of_several_lists_stand_beside_each_other(self, commerce: httpx.Client) -> None:
        value = {"currencyCode": "EUR", "centAmount": 119900, "fractionDigits": 2}
        entries = [{"sku": "CH-10400", "key": key, "value": value} for key in ("VK-DE", "VK-AT")]

        for entry in entries:
            commerce.post("/prices", json=[entry]).raise_for_status()

        assert list(commerce.get("/prices/CH-10400").json()) == ["VK-DE", "VK-AT"]

    def test_too_many_entries_are_refused(self, commerce: httpx.Client) -> None:
        assert_problem(commerce.post("/inventory", json=[{}] * 501), 413)
        assert_problem(commerce.get("/inventory/CH-10400"), 404)
