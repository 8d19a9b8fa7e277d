"""The shop's back office, as a real process that sends its webhooks to a real receiver."""

import hashlib
import hmac
import http.server
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from example_services import PATIENCE, assert_problem, client, run, started

SECRETS = {"WEBHOOK_SECRET": "canary-webhook", "STOCK_TOKEN": "canary-token"}
TOKEN = {"Authorization": "Bearer canary-token"}


@dataclass
class Arrival:
    """A webhook as it came."""

    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def order(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.body)
        return read

    @property
    def event(self) -> tuple[str, str]:
        return self.order["order_number"], self.order["status"]


@dataclass
class Receiver:
    """Takes webhooks, and answers what it is told to."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)

    def take(self, arrival: Arrival) -> int:
        with self.news:
            self.arrivals.append(arrival)
            self.news.notify_all()
            return self.answers.pop(0) if self.answers else 202

    def until(self, arrived: Callable[[list[Arrival]], bool]) -> list[Arrival]:
        with self.news:
            assert self.news.wait_for(lambda: arrived(self.arrivals), PATIENCE), self.arrivals
            return list(self.arrivals)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(found.take(Arrival(headers, body, time.time())))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/orders"
        yield found
        server.shutdown()


Office = httpx.Client


@pytest.fixture
def office(receiver: Receiver, tmp_path: Path) -> Iterator[Office]:
    settings = {**SECRETS, "WEBHOOK_URL": receiver.url, "PACE": "10ms"}
    with (
        started("backoffice", tmp_path, "--quiet", **settings) as service,
        client(service.url) as caller,
    ):
        yield caller


def place(office: Office, **query: Any) -> list[str]:
    answer = office.post("/orders", params=query)
    assert answer.status_code == 201, answer.text
    numbers: list[str] = answer.json()["orders"]
    return numbers


def sent(count: int) -> Callable[[list[Arrival]], bool]:
    return lambda arrivals: len(arrivals) >= count


class TestWebhooks:
    def test_each_event_of_an_order_is_sent_in_its_order(
        self, office: Office, receiver: Receiver
    ) -> None:
        numbers = place(office, count=6)
        arrivals = receiver.until(sent(13))

        assert numbers == [str(number) for number in range(100_001, 100_007)]
        for number in numbers:
            events = [each.order for each in arrivals if each.order["order_number"] == number]
            wanted = ["created", "paid"] + ["refunded"] * (int(number) % 6 == 0)
            assert [event["status"] for event in events] == wanted
            versions = [event["updated_at"] for event in events]
            assert versions == sorted(set(versions))

    def test_it_is_signed_over_the_time_and_the_body(
        self, office: Office, receiver: Receiver
    ) -> None:
        place(office)
        arrival = receiver.until(sent(1))[0]

        timestamp = arrival.headers["x-shop-timestamp"]
        signed = hmac.new(
            b"canary-webhook", f"{timestamp}.".encode() + arrival.body, hashlib.sha256
        )
        assert arrival.headers["x-shop-signature"] == f"sha256={signed.hexdigest()}"
        assert abs(arrival.at - int(timestamp)) < 5
        assert arrival.headers["x-shop-topic"] == "order.created"

    def test_it_is_sent_again_until_somebody_answers_2xx_and_only_then_the_next(
        self, office: Office, receiver: Receiver
    ) -> None:
        receiver.answers = [503, 401, 200]
        (number,) = place(office)

        arrivals = receiver.until(sent(4))

        assert [each.event[1] for each in arrivals] == ["created", "created", "created", "paid"]
        assert len({each.body for each in arrivals[:3]}) == 1
        waited = [late.at - early.at for early, late in itertools.pairwise(arrivals)]
        assert waited[0] >= 0.99
        assert waited[1] >= 1.99
        webhooks = until_sent(office, number)
        assert [each["attempts"] for each in webhooks] == [3, 1]

    def test_an_order_that_waits_holds_up_no_other(
        self, office: Office, receiver: Receiver
    ) -> None:
        receiver.answers = [500]
        place(office, count=2)

        arrivals = receiver.until(lambda all_: any(each.event[1] == "paid" for each in all_))

        (whole,) = (each.event[0] for each in arrivals if each.event[1] == "paid")
        assert whole != arrivals[0].event[0]

    def test_copies_are_the_same_to_the_byte(self, office: Office, receiver: Receiver) -> None:
        place(office, copies=3)

        arrivals = receiver.until(sent(6))

        assert [each.event[1] for each in arrivals] == ["created"] * 3 + ["paid"] * 3
        assert len({each.body for each in arrivals}) == 2

    def test_an_order_of_a_product_by_name(self, office: Office, receiver: Receiver) -> None:
        place(office, sku="NEW-1")

        lines = receiver.until(sent(1))[0].order["lines"]

        assert [line["sku"] for line in lines] == ["NEW-1"]

    def test_what_was_not_sent_survives_a_kill(self, receiver: Receiver, tmp_path: Path) -> None:
        settings = {**SECRETS, "WEBHOOK_URL": receiver.url, "SHOP_DATABASE": "shop.db"}
        receiver.answers = [503]
        with (
            started("backoffice", tmp_path, "--quiet", **settings) as service,
            client(service.url) as office,
        ):
            (number,) = place(office)
            receiver.until(sent(1))
            service.process.kill()
            service.process.wait(PATIENCE)

        with (
            started("backoffice", tmp_path, "--quiet", **settings) as service,
            client(service.url) as office,
        ):
            until_sent(office, number)
            assert place(office) == [str(int(number) + 1)]

    def test_that_nobody_listens_is_told(self, tmp_path: Path) -> None:
        settings = {**SECRETS, "WEBHOOK_URL": "http://127.0.0.1:9/hooks", "PACE": "10ms"}
        with (
            started("backoffice", tmp_path, "--quiet", **settings) as service,
            client(service.url) as office,
        ):
            place(office)
            deadline = time.monotonic() + PATIENCE
            while not (trouble := office.get("/report").json()["webhooks"]["trouble"]):
                assert time.monotonic() < deadline

        assert trouble == "http://127.0.0.1:9/hooks gave no answer: ConnectError"

    @pytest.mark.parametrize(
        "query", [{"count": "0"}, {"count": "many"}, {"copies": "99"}, {"sku": "a b"}], ids=str
    )
    def test_a_wrong_order_is_a_problem(self, office: Office, query: dict[str, str]) -> None:
        assert_problem(office.post("/orders", params=query), 400)

    def test_an_unknown_order_is_a_problem(self, office: Office) -> None:
        assert_problem(office.get("/orders/7"), 404)


def until_sent(office: Office, number: str) -> list[dict[str, Any]]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        webhooks: list[dict[str, Any]] = office.get(f"/orders/{number}").json()["webhooks"]
        if all(each["sent"] for each in webhooks):
            return webhooks
    pytest.fail(f"not all sent: {webhooks}")


def level(sku: str, available: int = 3, second: int = 1) -> dict[str, Any]:
    return {"sku": sku, "available": available, "changed_at": f"2026-08-20T09:00:{second:02}Z"}


def tell(office: Office, *levels: object) -> dict[str, Any]:
    answer = office.post("/stock", json=levels, headers=TOKEN)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


class TestStock:
    def test_levels_are_kept_and_counted(self, office: Office) -> None:
        assert tell(office, level("CH-10423", 4), level("CH-10424")) == {
            "accepted": 2,
            "errors": [],
        }

        assert office.get("/stock/CH-10423").json()["available"] == 4
        assert office.get("/report").json()["stock"] == {
            "products": 1260,
            "calls": 1,
            "levels": 2,
            "late": 0,
        }

    def test_before_anything_is_told_there_is_what_was_counted(self, office: Office) -> None:
        assert office.get("/stock/CH-10423").json()["changed_at"] == "2026-01-01T00:00:00.000Z"
        assert_problem(office.get("/stock/NEW-1"), 404)

    def test_an_older_level_overwrites_no_newer_one(self, office: Office) -> None:
        tell(office, level("CH-10423", 4, second=2))
        tell(office, level("CH-10423", 9, second=1))

        assert office.get("/stock/CH-10423").json()["available"] == 4
        assert office.get("/report").json()["stock"]["late"] == 1

    def test_what_cannot_be_taken_is_named_and_the_rest_is_taken(self, office: Office) -> None:
        told = tell(
            office,
            level("CH-10423"),
            level("NEW-1"),
            {"sku": "CH-10424"},
            level("CH-10424"),
            {**level("CH-10425"), "changed_at": "today"},
            7,
        )

        assert told["accepted"] == 2
        assert [error["index"] for error in told["errors"]] == [1, 2, 4, 5]
        assert told["errors"][0]["reason"] == "the shop does not sell NEW-1"

    def test_what_was_ordered_is_sold(self, office: Office) -> None:
        place(office, sku="NEW-1")

        assert tell(office, level("NEW-1"))["errors"] == []

    @pytest.mark.parametrize("authorization", [None, "Bearer guess", "Basic Y2FuYXJ5LXRva2Vu"])
    def test_strangers_tell_nothing(self, office: Office, authorization: str | None) -> None:
        headers = {} if authorization is None else {"Authorization": authorization}

        assert_problem(office.post("/stock", json=[], headers=headers), 401)

    def test_too_many_levels_are_a_problem(self, office: Office) -> None:
        answer = office.post("/stock", json=[level("CH-10423")] * 501, headers=TOKEN)

        assert_problem(answer, 413)

    def test_it_can_be_broken_and_mended(self, office: Office) -> None:
        office.put("/faults", json={"fail": "503"})
        assert_problem(office.post("/stock", json=[], headers=TOKEN), 503)
        assert office.get("/report").status_code == 200

        office.delete("/faults")
        tell(office)


def test_what_both_sides_must_know_has_no_default() -> None:
    ended = run("backoffice", WEBHOOK_SECRET="", STOCK_TOKEN="x")

    assert ended.returncode == 2
    assert ended.stderr == (
        "backoffice: WEBHOOK_SECRET is not set; it is what this service and its peer both know\n"
    )


def test_the_page_loads_nothing_from_elsewhere(office: Office) -> None:
    page = office.get("/", follow_redirects=True)

    assert page.headers["content-type"].startswith("text/html")
    assert "//" not in page.text.replace("http://www.w3.org/2000/svg", "")
