"""The example shop-order-to-erp-order as people meet it: from a customer's order to the ERP's."""

from typing import Any

import httpx
import pytest
import whole_examples
from programs import Start
from whole_examples import Whole, until

NAME = "shop-order-to-erp-order"


@pytest.fixture(scope="module")
def whole(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    hurried = {"every: 10s": "every: 1s", "{initial: 1s, max: 1m}": "{initial: 100ms, max: 500ms}"}
    return whole_examples.started(start, tmp_path_factory.mktemp("whole"), NAME, hurried)


def ordered(whole: Whole, sample: str) -> str:
    """A customer orders; the number of the order."""
    answer = httpx.post(f"{whole.urls['commerce']}/orders", params={"sample": sample})
    number: str = answer.raise_for_status().json()["orderNumber"]
    return number


def written(whole: Whole, number: str) -> dict[str, Any]:
    """The order as the ERP has it, once it has."""
    url = f"{whole.urls['erp']}/orders/{number}"
    found = until(lambda: httpx.get(url), lambda answer: answer.status_code == 200)
    document: dict[str, Any] = found.json()
    return document


def test_its_own_lint_and_tests_hold() -> None:
    whole_examples.holds(NAME)


def test_a_line_for_two_addresses_becomes_two_positions_and_no_cent_is_lost(whole: Whole) -> None:
    order = written(whole, ordered(whole, "split-shipment"))

    items = [
        (each["position"], each["material"], each["quantity"], each["shipTo"], each["netAmount"])
        for each in order["items"]
    ]
    assert items == [
        (10, "ST-10401", 2, "home", "83.25"),
        (20, "ST-10401", 1, "cabin", "41.63"),
        (30, "RG-10444", 1, "cabin", "99.17"),
    ]
    assert order["totals"] == {"net": "232.30", "tax": "46.45", "gross": "278.75"}
    assert [each["key"] for each in order["partners"][1:]] == ["home", "cabin"]


@pytest.mark.parametrize(
    ("sample", "sold_to", "codes"),
    [("paid-with-discount", "CPD-DE", ["A1", "A1"]), ("business-abroad", "204711", ["E0"])],
)
def test_customers_and_tax_codes_are_those_of_the_erp(
    whole: Whole, sample: str, sold_to: str, codes: list[str]
) -> None:
    order = written(whole, ordered(whole, sample))

    assert order["soldTo"] == sold_to
    assert [each["taxCode"] for each in order["items"]] == codes


def test_a_rate_without_a_tax_code_waits_until_the_table_has_it(whole: Whole) -> None:
    number = ordered(whole, "unknown-vat")
    until(
        lambda: whole.isthmus("messages", "list", "--state", "dead"), lambda shown: number in shown
    )
    with (whole.folder / "tables.yaml").open("a") as table:
        table.write("    FR 20,C1,France standard\n")
    whole.program.wait_for("isthmus: reloaded")

    whole.isthmus("messages", "replay", "--all", "--yes", "--reason", "FR 20 has a code")

    assert [each["taxCode"] for each in written(whole, number)["items"]] == ["C1"]


def test_each_order_is_written_once(whole: Whole) -> None:
    number = ordered(whole, "paid-with-discount")
    written(whole, number)
    later = ordered(whole, "paid-with-discount")
    written(whole, later)

    writes = httpx.get(f"{whole.urls['erp']}/writes", params={"limit": 1000}).json()
    numbers = [each["number"] for each in writes]
    assert len(numbers) == len(set(numbers))
