"""The exports of the example ERP, as a real process."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from example_services import SIGN_IN, assert_problem, client, run, started

SETTINGS = {
    "ERP_USERNAME": SIGN_IN[0],
    "ERP_PASSWORD": SIGN_IN[1],
    "EXPORT_TOKEN": "canary-token",
    "WEBHOOK_URL": "http://127.0.0.1:9/hooks/stock",
}


@pytest.fixture
def exports(tmp_path: Path) -> Iterator[httpx.Client]:
    with started("exports", tmp_path, **SETTINGS) as service, client(service.url) as http_client:
        yield http_client


@pytest.mark.parametrize("missing", ["ERP_USERNAME", "ERP_PASSWORD", "EXPORT_TOKEN"])
def test_without_its_secrets_it_does_not_start(missing: str) -> None:
    ended = run("exports", **{**SETTINGS, missing: ""})

    assert ended.returncode == 2
    assert ended.stderr.startswith(f"exports: {missing} is not set")


def test_prices_are_a_file_in_windows_1252_for_who_signs_in(exports: httpx.Client) -> None:
    assert_problem(exports.get("/exports/prices"), 401)

    answer = exports.get("/exports/prices", auth=SIGN_IN)

    rows = answer.content.decode("windows-1252").splitlines()
    assert answer.headers["content-type"] == "text/csv; charset=windows-1252"
    assert rows[0] == "Artikel;Preisliste;Währung;Preis;Preiseinheit;Gültig ab"
    assert len(rows) == 1 + 3 * 60


def test_a_price_that_changes_is_in_the_next_file(exports: httpx.Client) -> None:
    exports.put("/prices/CH-10400/VK-DE", json={"price": "1199.9"}).raise_for_status()

    content = exports.get("/exports/prices", auth=SIGN_IN).text

    assert "\r\nCH-10400;VK-DE;EUR;1.199,90;1;01.01.2026\r\n" in content


@pytest.mark.parametrize(
    "body", [[], {"quantity": 12}, {"quantity": "NaN"}, {"quantity": "x"}, {"text": "1"}]
)
def test_what_is_no_change_is_refused(exports: httpx.Client, body: object) -> None:
    assert_problem(exports.put("/stock/CH-10400/HAM", json=body), 400)


def test_a_receiver_that_does_not_answer_is_told(exports: httpx.Client) -> None:
    assert_problem(exports.post("/exports/stock"), 502)
