"""The PIM of the examples, as a real process."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from example_services import assert_problem, client, run, started

API = "/api/rest/v1"


@pytest.fixture
def pim(tmp_path: Path) -> Iterator[httpx.Client]:
    settings = {"PIM_TOKEN": "canary-token"}
    with started("pim", tmp_path, **settings) as service, client(service.url) as http_client:
        http_client.headers["Authorization"] = "Bearer canary-token"
        yield http_client


def search(**conditions: tuple[str, str]) -> dict[str, str]:
    found = {name: [{"operator": by, "value": v}] for name, (by, v) in conditions.items()}
    return {"search": json.dumps(found)}


def test_without_its_token_it_does_not_start() -> None:
    ended = run("pim", PIM_TOKEN="")

    assert ended.returncode == 2
    assert ended.stderr.startswith("pim: PIM_TOKEN is not set")


def test_links_lead_from_page_to_page(pim: httpx.Client) -> None:
    pages, link = [], f"{API}/products?limit=4"
    while link:
        page = pim.get(link).json()
        pages.append([each["identifier"] for each in page["_embedded"]["items"]])
        link = page["_links"].get("next", {}).get("href")

    assert pages == [["LP-20401", "LP-20402", "LP-20403", "SO-20401"], ["SO-20402", "RG-20401"]]


def test_what_belongs_to_a_model_has_its_values_too(pim: httpx.Client) -> None:
    found = pim.get(f"{API}/products", params=search(parent=("=", "sofa_halden"))).json()

    items = found["_embedded"]["items"]
    assert [each["values"]["colour"][0]["data"] for each in items] == ["rust", "petrol"]
    assert {each["values"]["name"][1]["data"] for each in items} == {"Halden three-seat sofa"}


def test_what_was_edited_is_all_that_changed_since(pim: httpx.Client) -> None:
    before = pim.get(f"{API}/products").json()["_embedded"]["items"][-1]["updated"]
    value = {"locale": None, "scope": None, "data": "mint"}

    edited = pim.patch(f"{API}/products/LP-20402", json={"values": {"colour": [value]}})

    found = pim.get(f"{API}/products", params=search(updated=(">", before))).json()
    (item,) = found["_embedded"]["items"]
    assert edited.status_code == 204
    assert (item["identifier"], item["values"]["colour"]) == ("LP-20402", [value])


def test_who_does_not_sign_in_reads_nothing(pim: httpx.Client) -> None:
    for path in ("products", "product-models", "product-models/lamp_luna"):
        assert_problem(pim.get(f"{API}/{path}", headers={"Authorization": ""}), 401)


@pytest.mark.parametrize(
    "query",
    [
        {"search": "updated"},
        {"search": "[]"},
        {"search": '{"updated": "2026-01-01T00:00:00Z"}'},
        search(updated=("=", "2026-01-01T00:00:00Z")),
        search(updated=(">", "yesterday")),
        {"limit": "101"},
    ],
)
def test_what_cannot_be_read_is_a_problem(pim: httpx.Client, query: dict[str, str]) -> None:
    assert_problem(pim.get(f"{API}/products", params=query), 400)


def test_what_is_not_there_is_a_problem(pim: httpx.Client) -> None:
    assert_problem(pim.get(f"{API}/product-models/nothing"), 404)
    assert_problem(pim.patch(f"{API}/products/nothing", json={"values": {}}), 404)
    assert_problem(pim.patch(f"{API}/products/LP-20402", json=[]), 400)
