"""The ERP of the examples: its book of orders and its stock, as a real process."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from example_services import PATIENCE, SIGN_IN, assert_problem, client, started

MATERIAL = "CH-10423"
numbers = itertools.count(500_001)


@pytest.fixture(scope="module")
def erp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with started("erp", elsewhere) as service, client(service.url, auth=SIGN_IN) as caller:
        yield caller


@pytest.fixture
def number() -> str:
    """An order number that nothing was written for."""
    return str(next(numbers))


def order(number: str, *, status: str = "RELEASED", changed: int = 1, **other: Any) -> Any:
    return {
        "orderNumber": number,
        "soldTo": "C-1042",
        "status": status,
        "changedAt": f"2026-08-20T09:00:{changed:02}Z",
        "items": [{"position": 10, "material": MATERIAL, "quantity": 2}],
        **other,
    }


def put(erp: httpx.Client, body: Any, key: str | None = None) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return erp.put(f"/orders/{body['orderNumber']}", json=body, headers=headers)


def writes(erp: httpx.Client, number: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = erp.get("/writes", params={"number": number}).json()
    return found


def report(erp: httpx.Client) -> dict[str, int]:
    counted: dict[str, int] = erp.get("/report").json()
    return counted


def available(erp: httpx.Client, material: str = MATERIAL) -> int:
    items, cursor = [], "0"
    while cursor:
        page = erp.get("/stock", params={"cursor": cursor}).json()
        items += page["items"]
        cursor = page["next"]
    (level,) = [item["available"] for item in items if item["material"] == material]
    return int(level)


class TestOrders:
    def test_an_order_is_created_and_then_changed(self, erp: httpx.Client, number: str) -> None:
        answers = [
            put(erp, order(number)),
            put(erp, order(number, status="CREDITED", changed=2)),
        ]

        assert [answer.status_code for answer in answers] == [201, 200]
        found = erp.get(f"/orders/{number}").json()
        assert found["status"] == "CREDITED"
        assert [write["status"] for write in found["writes"]] == ["RELEASED", "CREDITED"]

    def test_a_key_that_comes_again_writes_nothing_and_gets_the_same_answer(
        self, erp: httpx.Client, number: str
    ) -> None:
        before = report(erp)["repeats"]

        first, second = (put(erp, order(number), key=f"key-{number}") for _ in range(2))

        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json() == second.json()
        assert "idempotency-replayed" not in first.headers
        assert second.headers["idempotency-replayed"] == "true"
        assert len(writes(erp, number)) == 1
        assert report(erp)["repeats"] == before + 1

    def test_a_key_that_comes_with_another_order_is_refused(
        self, erp: httpx.Client, number: str
    ) -> None:
        put(erp, order(number), key=f"key-{number}")

        assert_problem(put(erp, order(number, changed=2), key=f"key-{number}"), 422)

    def test_without_a_key_every_call_writes_and_the_report_shows_it(
        self, erp: httpx.Client, number: str
    ) -> None:
        before = report(erp)["doubles"]

        put(erp, order(number))
        put(erp, order(number))

        assert len(writes(erp, number)) == 2
        assert report(erp)["doubles"] == before + 1

    def test_what_comes_behind_a_newer_version_is_out_of_order(
        self, erp: httpx.Client, number: str
    ) -> None:
        before = report(erp)["outOfOrder"]

        for changed in (1, 3, 2, 4):
            put(erp, order(number, changed=changed))

        assert report(erp)["outOfOrder"] == before + 1

    def test_writes_are_listed_in_pages_as_they_came(self, erp: httpx.Client, number: str) -> None:
        for changed in (1, 2, 3):
            put(erp, order(number, changed=changed))
        everything = erp.get("/writes").json()

        pages, after = [], 0
        while page := erp.get("/writes", params={"after": after, "limit": 2}).json():
            pages += page
            after = page[-1]["sequence"]

        assert pages == everything
        assert [write["sequence"] for write in pages] == list(range(1, len(pages) + 1))

    def test_an_unknown_material_is_refused_until_it_is_counted(
        self, erp: httpx.Client, number: str
    ) -> None:
        body = order(number, items=[{"material": f"NEW-{number}", "quantity": 1}])
        before = report(erp)["refused"]

        answer = put(erp, body)
        assert_problem(answer, 400)
        assert answer.json()["title"] == "Unknown material"
        assert f"NEW-{number}" in answer.json()["detail"]
        assert report(erp)["refused"] == before + 1

        erp.put(f"/stock/NEW-{number}", json={"available": 5})
        assert put(erp, body).status_code == 201

    @pytest.mark.parametrize(
        "wrong",
        [
            {"orderNumber": "1"},
            {"soldTo": ""},
            {"status": "PAID"},
            {"changedAt": None},
            {"items": []},
            {"items": {"material": MATERIAL, "quantity": 2}},
            {"items": [{"material": MATERIAL, "quantity": 0}]},
            {"items": [{"material": MATERIAL, "quantity": "2"}]},
            {"items": [{"quantity": 2}]},
        ],
        ids=str,
    )
    def test_a_wrong_order_is_a_problem_and_writes_nothing(
        self, erp: httpx.Client, number: str, wrong: dict[str, Any]
    ) -> None:
        answer = erp.put(f"/orders/{number}", json={**order(number), **wrong})

        assert_problem(answer, 400)
        assert writes(erp, number) == []

    def test_strangers_write_nothing(self, erp: httpx.Client, number: str) -> None:
        stranger = erp.put(f"/orders/{number}", json=order(number), auth=("isthmus", "guess"))

        assert_problem(stranger, 401)
        assert_problem(erp.get(f"/orders/{number}"), 404)

    def test_an_answer_that_was_lost_was_written_nevertheless(
        self, erp: httpx.Client, number: str
    ) -> None:
        url, key = f"/orders/{number}", {"Idempotency-Key": f"key-{number}"}
        with pytest.raises(httpx.ReadTimeout):
            erp.put(f"{url}?fail=lost", json=order(number), headers=key, timeout=0.2)

        again = erp.put(url, json=order(number), headers=key)

        assert again.headers["idempotency-replayed"] == "true"
        assert len(writes(erp, number)) == 1

    def test_the_report_is_spared_by_standing_faults(self, erp: httpx.Client) -> None:
        erp.put("/faults", json={"fail": "503"})
        try:
            assert erp.get("/report").status_code == 200
            assert erp.get("/writes").status_code == 200
        finally:
            erp.delete("/faults")


class TestStock:
    def test_it_comes_in_pages_and_each_material_once(self, erp: httpx.Client) -> None:
        first = erp.get("/stock").json()
        second = erp.get("/stock", params={"cursor": first["next"]}).json()

        assert len(first["items"]) == 200
        both = {item["material"] for item in first["items"] + second["items"]}
        assert len(both) == 400
        assert set(first["items"][0]) == {"material", "available", "changedAt"}

    def test_since_gives_what_changed_from_then_on(self, erp: httpx.Client) -> None:
        erp.put("/stock/SF-10401", json={"available": 7})
        erp.put("/stock/SF-10402", json={"available": 8})
        changed = {
            item["material"]: item
            for item in erp.get("/stock", params={"since": "2026-01-01T00:00:00.001Z"}).json()[
                "items"
            ]
        }
        earlier = changed["SF-10401"]["changedAt"]

        later = erp.get("/stock", params={"since": earlier}).json()["items"]

        assert changed["SF-10401"]["available"] == 7
        assert {"SF-10401", "SF-10402"} <= {item["material"] for item in later}
        assert all(item["changedAt"] >= earlier for item in later)

    def test_what_changes_while_somebody_reads_comes_at_the_end(self, erp: httpx.Client) -> None:
        page = erp.get("/stock", params={"limit": 2}).json()
        moved = page["items"][0]["material"]
        erp.put(f"/stock/{moved}", json={"available": 3})

        seen = []
        while page["next"]:
            page = erp.get("/stock", params={"cursor": page["next"], "limit": 1000}).json()
            seen += page["items"]

        assert seen[-1]["material"] == moved
        assert seen[-1]["available"] == 3

    def test_a_released_order_holds_stock_and_a_credited_one_gives_it_back(
        self, erp: httpx.Client, number: str
    ) -> None:
        before = available(erp)

        put(erp, order(number))
        held = available(erp)
        put(erp, order(number, changed=2))
        still = available(erp)
        put(erp, order(number, status="CREDITED", changed=3))

        assert (held, still, available(erp)) == (before - 2, before - 2, before)

    @pytest.mark.parametrize(
        "query",
        [{"since": "yesterday"}, {"since": "2026-01-01"}, {"cursor": "x"}, {"limit": "0"}],
        ids=str,
    )
    def test_a_wrong_question_is_a_problem(self, erp: httpx.Client, query: dict[str, str]) -> None:
        assert_problem(erp.get("/stock", params=query), 400)

    @pytest.mark.parametrize("body", [{}, {"available": "7"}, {"available": True}, []], ids=str)
    def test_a_wrong_count_is_a_problem(self, erp: httpx.Client, body: object) -> None:
        assert_problem(erp.put("/stock/CH-10423", json=body), 400)

    def test_strangers_read_nothing(self, erp: httpx.Client) -> None:
        assert_problem(erp.get("/stock", auth=("isthmus", "guess")), 401)


def test_the_book_is_kept_in_its_file(tmp_path: Path) -> None:
    database = {"ERP_DATABASE": str(tmp_path / "erp.db")}
    with started("erp", tmp_path, **database) as service, client(service.url, SIGN_IN) as erp:
        put(erp, order("1"), key="k")
        level = available(erp)
        service.process.kill()
        service.process.wait(PATIENCE)

    with started("erp", tmp_path, **database) as service, client(service.url, SIGN_IN) as erp:
        assert put(erp, order("1"), key="k").headers["idempotency-replayed"] == "true"
        assert available(erp) == level
