"""The example stock-and-prices as people meet it: the ERP's files are in the shop, in batches."""

from typing import Any

import httpx
import pytest
import whole_examples
from programs import Start
from whole_examples import Whole, until

NAME = "stock-and-prices"
MATERIALS = 60
HEADINGS = "Artikel;Bezeichnung;Lager;Bestand;Reserviert;Nächster Zugang;Stand\r\n"
ROW = "{material};Fußmatte;{plant};{quantity};0,000;;{moved}\r\n"


@pytest.fixture(scope="module")
def whole(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    hurried = {
        "every: 10s": "every: 1s",
        "wait: 2s": "wait: 500ms",
        "{initial: 2s, max: 1m}": "{initial: 100ms, max: 500ms}",
    }
    return whole_examples.started(start, tmp_path_factory.mktemp("whole"), NAME, hurried)


def send(whole: Whole, text: str, *, charset: str = "windows-1252") -> int:
    """Send a file of stock as the ERP does; what is answered."""
    answer = httpx.post(
        f"{whole.urls['route']}/hooks/stock",
        content=text.encode(charset),
        headers={
            "Content-Type": "text/plain; charset=windows-1252",
            "Authorization": f"Bearer {whole.secret('erp/export')}",
        },
    )
    return answer.status_code


def row(material: str, quantity: str, *, plant: str = "HAM", moved: str) -> str:
    return ROW.format(material=material, plant=plant, quantity=quantity, moved=moved)


def told(whole: Whole, what: str, sku: str) -> dict[str, Any]:
    """What the shop was told last; nothing where it was told nothing."""
    answer = httpx.get(f"{whole.urls['commerce']}/{what}/{sku}")
    found: dict[str, Any] = answer.json() if answer.is_success else {}
    return found


def available(whole: Whole, sku: str, channel: str = "warehouse-hamburg") -> int | None:
    quantity: int | None = told(whole, "inventory", sku).get(channel, {}).get("quantityOnStock")
    return quantity


def report(whole: Whole, what: str) -> dict[str, int]:
    counted: dict[str, int] = httpx.get(f"{whole.urls['commerce']}/report").json()[what]
    return counted


def change(whole: Whole, path: str, **values: str) -> None:
    """Something happens in the ERP."""
    httpx.put(f"{whole.urls['exports']}/{path}", json=values).raise_for_status()


def test_its_own_lint_and_tests_hold() -> None:
    whole_examples.holds(NAME)


def test_the_file_of_stock_reaches_the_shop_in_batches(whole: Whole) -> None:
    change(whole, "stock/CH-10400/HAM", quantity="1234.5", reserved="34")
    sent = httpx.post(f"{whole.urls['exports']}/exports/stock").json()

    assert sent == {"rows": 3 * MATERIALS, "answered": 202}
    until(lambda: report(whole, "inventory")["entries"], lambda entries: entries == 2 * MATERIALS)
    assert report(whole, "inventory")["calls"] < MATERIALS
    assert available(whole, "CH-10400") == 1200
    assert set(told(whole, "inventory", "CH-10400")) == {"warehouse-hamburg", "store-munich"}


def test_prices_reach_the_shop_once_and_then_only_what_changed(whole: Whole) -> None:
    until(lambda: report(whole, "prices")["entries"], lambda entries: entries == 3 * MATERIALS)

    change(whole, "prices/CH-10400/VK-DE", price="1199.90")

    until(
        lambda: told(whole, "prices", "CH-10400")["VK-DE"]["value"]["centAmount"],
        lambda cents: cents == 119_990,
    )
    assert report(whole, "prices") == {
        "calls": report(whole, "prices")["calls"],
        "entries": 3 * MATERIALS + 1,
        "refused": 0,
    }


def test_an_older_file_does_not_overwrite_a_newer_one(whole: Whole) -> None:
    newer = row("RG-10400", "8,000", moved="20.08.2098 06:15:00")
    older = row("RG-10400", "9,000", moved="19.08.2098 06:15:00")
    witness = row("RG-10401", "1,000", moved="20.08.2098 06:15:00")

    assert send(whole, HEADINGS + newer) == 202
    until(lambda: available(whole, "RG-10400"), lambda quantity: quantity == 8)
    assert send(whole, HEADINGS + older) == 202
    until(
        lambda: whole.isthmus("messages", "list", "--state", "skipped"),
        lambda shown: "RG-10400/HAM" in shown,
    )
    assert send(whole, HEADINGS + witness) == 202

    until(lambda: available(whole, "RG-10401"), lambda quantity: quantity == 1)
    assert available(whole, "RG-10400") == 8


def test_a_row_without_a_number_holds_up_no_other(whole: Whole) -> None:
    wrong = row("RG-10402", "n/a", moved="20.08.2098 06:15:00")
    right = row("RG-10403", "3,000", moved="20.08.2098 06:15:00")

    assert send(whole, HEADINGS + wrong + right) == 202

    until(lambda: available(whole, "RG-10403"), lambda quantity: quantity == 3)
    until(
        lambda: whole.isthmus("messages", "list", "--state", "dead"),
        lambda shown: "RG-10402/HAM" in shown,
    )


def test_what_the_shop_refuses_holds_up_no_other_and_waits_for_a_person(whole: Whole) -> None:
    unknown = row("NEU-1", "3,000", moved="20.08.2098 06:15:00")
    known = row("RG-10404", "4,000", moved="20.08.2098 06:15:00")

    assert send(whole, HEADINGS + unknown + known) == 202

    until(lambda: available(whole, "RG-10404"), lambda quantity: quantity == 4)
    until(
        lambda: whole.isthmus("messages", "list", "--state", "dead"),
        lambda shown: "NEU-1/HAM" in shown,
    )


def test_what_the_shop_could_not_take_comes_when_it_is_mended(whole: Whole) -> None:
    faults = f"{whole.urls['commerce']}/faults"
    httpx.put(faults, json={"fail": "503"}).raise_for_status()
    assert send(whole, HEADINGS + row("RG-10407", "7,000", moved="20.08.2098 06:15:00")) == 202
    whole.program.wait_for(r"route=default/stock-to-shop .*state=retry")

    httpx.delete(faults).raise_for_status()

    until(lambda: available(whole, "RG-10407"), lambda quantity: quantity == 7)


@pytest.mark.parametrize(
    ("damaged", "charset", "status"),
    [
        ("RG-10405;Fußmatte;HAM\r\n", "windows-1252", 500),
        ("RG-10405;\x81;HAM;1,000;0,000;;20.08.2098 06:15:00\r\n", "latin-1", 400),
    ],
    ids=["a row that is cut off", "no character of its charset"],
)
def test_a_file_that_cannot_be_read_is_refused_whole(
    whole: Whole, damaged: str, charset: str, status: int
) -> None:
    sound = row("RG-10405", "5,000", moved="20.08.2098 06:15:00")
    witness = row("RG-10406", "6,000", moved="20.08.2098 06:15:00")

    assert send(whole, HEADINGS + sound + damaged, charset=charset) == status
    assert send(whole, HEADINGS + witness) == 202

    until(lambda: available(whole, "RG-10406"), lambda quantity: quantity == 6)
    assert available(whole, "RG-10405") is None
