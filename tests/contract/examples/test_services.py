"""The services of the example shop, as real processes on real sockets."""

import contextlib
import http.server
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from example_services import SIGN_IN, Service, assert_problem, client, run, started


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def search(elsewhere: Path) -> Iterator[httpx.Client]:
    with started("search", elsewhere) as service, client(service.url) as http_client:
        yield http_client


@pytest.fixture(scope="module")
def erp_service(elsewhere: Path) -> Iterator[Service]:
    with started("erp", elsewhere) as service:
        yield service


@pytest.fixture
def erp(erp_service: Service) -> Iterator[httpx.Client]:
    """The ERP, and without faults again when the test is over."""
    with client(erp_service.url, auth=SIGN_IN) as http_client:
        yield http_client
        http_client.delete("/faults")


class TestSearch:
    def test_a_search_answers_like_meilisearch(self, search: httpx.Client) -> None:
        answer = search.get("/products/search", params={"q": "chair", "limit": 3, "offset": 1})
        body = answer.json()

        assert answer.status_code == 200
        assert (body["query"], body["limit"], body["offset"]) == ("chair", 3, 1)
        assert body["estimatedTotalHits"] > 50
        assert isinstance(body["processingTimeMs"], int)
        assert len(body["hits"]) == 3
        assert {"sku", "name", "description", "category", "brand", "colour", "material"} < set(
            body["hits"][0]
        )

    def test_no_hit_carries_a_price(self, search: httpx.Client) -> None:
        (hit,) = search.get("/products/search", params={"q": "oak", "limit": 1}).json()["hits"]

        assert not [name for name in hit if "price" in name.lower()]

    def test_a_match_in_the_name_comes_before_one_in_the_description(
        self, search: httpx.Client
    ) -> None:
        hits = search.get("/products/search", params={"q": "lamp", "limit": 20}).json()["hits"]

        assert all("lamp" in hit["name"] for hit in hits)

    def test_the_last_word_matches_while_it_is_typed(self, search: httpx.Client) -> None:
        totals = [
            search.get("/products/search", params={"q": typed}).json()["estimatedTotalHits"]
            for typed in ("dining ch", "dining cha", "dining chair", "dining chairs")
        ]

        assert min(totals) > 0
        assert totals == sorted(totals, reverse=True)

    def test_pages_follow_each_other_without_overlap(self, search: httpx.Client) -> None:
        def skus(limit: int, offset: int) -> list[str]:
            answer = search.get(f"/products/search?q=oak&limit={limit}&offset={offset}")
            return [hit["sku"] for hit in answer.json()["hits"]]

        assert skus(10, 0) + skus(10, 10) == skus(20, 0)

    def test_an_empty_query_shows_everything(self, search: httpx.Client) -> None:
        body = search.get("/products/search").json()

        assert body["estimatedTotalHits"] >= 1_200
        assert len(body["hits"]) == 20

    @pytest.mark.parametrize(
        "query",
        [
            '"',
            '"chair',
            "chair AND",
            "NEAR(chair table)",
            "name:chair",
            "-chair",
            "chair*",
            "^chair",
            "(((",
            "'; DROP TABLE products; --",
            "🪑",
            "chair 🪑",
            "é\u0301",
            "\x00",
            "_",
            "ﷺ",
            "x" * 4000,
            "a " * 500,
        ],
    )
    def test_no_text_is_an_error(self, search: httpx.Client, query: str) -> None:
        answer = search.get("/products/search", params={"q": query})

        assert answer.status_code == 200
        assert answer.json()["query"] == query

    @pytest.mark.parametrize(
        "query",
        [
            {"limit": "0"},
            {"limit": "101"},
            {"limit": "-1"},
            {"limit": "ten"},
            {"limit": ""},
            {"limit": "1.5"},
            {"limit": "9" * 5000},
            {"offset": "-1"},
            {"offset": "x"},
            {"offset": "9" * 30},
        ],
    )
    def test_paging_out_of_bounds_is_a_problem(
        self, search: httpx.Client, query: dict[str, str]
    ) -> None:
        assert_problem(search.get("/products/search", params=query), 400)

    def test_paging_past_the_end_is_empty_but_knows_the_total(self, search: httpx.Client) -> None:
        body = search.get("/products/search", params={"q": "oak", "offset": 5000}).json()

        assert body["hits"] == []
        assert body["estimatedTotalHits"] > 0

    def test_unknown_paths_and_methods_are_problems(self, search: httpx.Client) -> None:
        assert_problem(search.get("/nothing"), 404)
        assert_problem(search.post("/products/search"), 405)

    def test_a_kept_connection_does_not_wait_for_delayed_acks(self, search: httpx.Client) -> None:
        taken = [search.get("/products/search?q=chair").elapsed for _ in range(20)]

        assert min(taken).total_seconds() < 0.035  # with Nagle's algorithm: never under 0.04

    def test_health(self, search: httpx.Client) -> None:
        assert search.get("/health").status_code == 200


class TestErp:
    def test_prices_are_keyed_by_sku_and_exact(self, erp: httpx.Client) -> None:
        answer = erp.post("/prices", json={"skus": ["CH-10423", "NO-SUCH"]})

        assert answer.status_code == 200
        assert answer.json() == {
            "CH-10423": {
                "net": "99.00",
                "vatRate": "0.21",
                "vat": "20.79",
                "gross": "119.79",
                "currency": "EUR",
            }
        }

    def test_group_currency_and_country_count(self, erp: httpx.Client) -> None:
        body = {
            "skus": ["CH-10423"],
            "customerGroup": "wholesale",
            "currency": "GBP",
            "country": "GB",
        }

        assert erp.post("/prices", json=body).json()["CH-10423"] == {
            "net": "61.30",
            "vatRate": "0.20",
            "vat": "12.26",
            "gross": "73.56",
            "currency": "GBP",
        }

    def test_everything_that_search_finds_has_a_price(
        self, erp: httpx.Client, search: httpx.Client
    ) -> None:
        hits = search.get("/products/search", params={"limit": 100}).json()["hits"]
        skus = [hit["sku"] for hit in hits]

        assert list(erp.post("/prices", json={"skus": skus}).json()) == skus

    @pytest.mark.parametrize(
        "authorization",
        [
            None,
            "",
            "Basic",
            "Basic !!!",
            "Basic aXN0aG11czp3cm9uZw==",
            "Bearer aXN0aG11czpkZW1v",
        ],
    )
    def test_without_sign_in_there_are_no_prices(
        self, erp_service: Service, authorization: str | None
    ) -> None:
        headers = {} if authorization is None else {"Authorization": authorization}
        with client(erp_service.url) as stranger:
            answer = stranger.post("/prices", json={"skus": []}, headers=headers)

        assert_problem(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Basic ")

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"\xff",
            b"[]",
            b"{}",
            b"[" * 100_000,
            b'{"skus": "CH-10423"}',
            b'{"skus": [1]}',
            b'{"skus": [], "currency": "USD"}',
            b'{"skus": [], "currency": []}',
            b'{"skus": [], "country": null}',
            b'{"skus": [], "custmerGroup": "vip"}',
            b'{"skus": [' + b'"x",' * 1000 + b'"x"]}',
        ],
        ids=lambda body: body[:40].decode(errors="replace"),
    )
    def test_a_wrong_body_is_a_problem(self, erp: httpx.Client, body: bytes) -> None:
        assert_problem(erp.post("/prices", content=body), 400)


class TestFaults:
    ORDER: ClassVar[dict[str, list[str]]] = {"skus": ["CH-10423"]}

    def test_a_status_holds_until_it_is_deleted(self, erp: httpx.Client) -> None:
        assert erp.put("/faults", json={"fail": "503"}).json() == {"fail": "503"}
        assert erp.get("/faults").json() == {"fail": "503"}
        assert_problem(erp.post("/prices", json=self.ORDER), 503)

        assert erp.delete("/faults").json() == {}
        assert erp.post("/prices", json=self.ORDER).status_code == 200

    def test_a_fault_in_the_query_holds_for_one_request(self, erp: httpx.Client) -> None:
        assert_problem(erp.post("/prices?fail=500", json=self.ORDER), 500)
        assert erp.post("/prices", json=self.ORDER).status_code == 200

    def test_a_slow_service_lets_its_caller_run_into_the_timeout(self, erp: httpx.Client) -> None:
        erp.put("/faults", json={"delay": "30s"})

        with pytest.raises(httpx.ReadTimeout):
            erp.post("/prices", json=self.ORDER, timeout=0.2)

    def test_a_slow_service_answers_in_the_end(self, erp: httpx.Client) -> None:
        answer = erp.post("/prices?delay=60ms", json=self.ORDER)

        assert answer.status_code == 200
        assert answer.elapsed.total_seconds() >= 0.06

    def test_html_is_a_page_with_200(self, erp: httpx.Client) -> None:
        answer = erp.post("/prices?fail=html", json=self.ORDER)

        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")

    def test_half_breaks_off_in_the_body(self, erp: httpx.Client) -> None:
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
            erp.post("/prices?fail=half", json=self.ORDER)

    def test_hang_never_answers(self, erp: httpx.Client) -> None:
        with pytest.raises(httpx.ReadTimeout):
            erp.post("/prices?fail=hang", json=self.ORDER, timeout=0.2)

    def test_lost_does_its_work_and_never_answers(self, erp: httpx.Client) -> None:
        with pytest.raises(httpx.ReadTimeout):
            erp.put("/faults?fail=lost", json={"delay": "1ms"}, timeout=0.2)

        assert erp.get("/faults").json() == {"delay": "1ms"}

    def test_a_share_befalls_so_many_requests_and_shares_add_up(self, erp: httpx.Client) -> None:
        erp.put("/faults", json={"fail": "503 30%, 429 20%"})

        answered = Counter(erp.post("/prices", json=self.ORDER).status_code for _ in range(300))

        assert 60 < answered[503] < 120
        assert 35 < answered[429] < 85
        assert answered[200] == 300 - answered[503] - answered[429]

    def test_health_and_the_switch_itself_are_spared(self, erp: httpx.Client) -> None:
        erp.put("/faults", json={"fail": "hang"})

        assert erp.get("/health").status_code == 200
        assert erp.get("/faults").json() == {"fail": "hang"}

    @pytest.mark.parametrize(
        "faults",
        [
            {"fail": "200"},
            {"fail": "explode"},
            {"fail": "503 10%,"},
            {"fail": "503 10 %"},
            {"fail": "503 101%"},
            {"fail": "503 60%, hang 41%"},
            {"fail": True},
            {"delay": "2"},
            {"delay": "2h"},
            {"delay": "61s"},
            {"delay": 2},
            {"dealy": "2s"},
            [],
        ],
        ids=str,
    )
    def test_an_unknown_fault_is_a_problem(self, erp: httpx.Client, faults: object) -> None:
        assert_problem(erp.put("/faults", json=faults), 400)

    def test_an_unknown_fault_in_the_query_is_a_problem(self, erp: httpx.Client) -> None:
        assert_problem(erp.post("/prices?fail=explode", json=self.ORDER), 400)

    def test_faults_can_be_there_from_the_start(self, elsewhere: Path) -> None:
        environment = {"ERP_FAIL": "503", "ERP_USERNAME": "u", "ERP_PASSWORD": "pä:ss"}
        with started("erp", elsewhere, **environment) as service, client(service.url) as caller:
            assert_problem(caller.post("/prices", json=self.ORDER), 503)

            caller.delete("/faults")

            answer = caller.post("/prices", json=self.ORDER, auth=("u", "pä:ss"))
            assert answer.status_code == 200

    def test_broken_answers_on_purpose_leave_no_traceback(self, elsewhere: Path) -> None:
        with started("erp", elsewhere) as service, client(service.url, auth=SIGN_IN) as caller:
            with pytest.raises(httpx.RemoteProtocolError):
                caller.post("/prices?fail=half", json=self.ORDER)
            with pytest.raises(httpx.ReadTimeout):
                caller.post("/prices?fail=hang", json=self.ORDER, timeout=0.2)
            code, errors = service.stop(signal.SIGTERM)

        assert code == 0
        assert [line for line in errors.splitlines() if "POST /prices" not in line] == []


class Echo(http.server.BaseHTTPRequestHandler):
    """A stand-in for the Route: it answers with what it was asked."""

    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(418)
        self.send_header("Content-Type", "application/problem+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def route_url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def shop(elsewhere: Path, route_url: str, erp_service: Service) -> Iterator[httpx.Client]:
    environment = {"ISTHMUS_URL": f"{route_url}/", "ERP_URL": erp_service.url}
    with started("shop", elsewhere, **environment) as service, client(service.url) as browser:
        yield browser


class TestShop:
    def test_the_root_leads_to_the_shop(self, shop: httpx.Client) -> None:
        answer = shop.get("/")

        assert answer.is_redirect
        assert answer.headers["location"] == "/shop"

    def test_the_page_knows_where_the_systems_are(
        self, shop: httpx.Client, route_url: str, erp_service: Service
    ) -> None:
        page = shop.get("/shop").text

        assert f'content="{route_url}"' in page
        assert f'content="{erp_service.url}"' in page
        assert "{{" not in page

    def test_the_page_loads_nothing_from_elsewhere(self, shop: httpx.Client) -> None:
        page = shop.get("/shop").text

        assert " src=" not in page
        assert 'rel="stylesheet"' not in page
        assert "@import" not in page

    def test_a_search_goes_to_the_route_and_comes_back_as_it_is(self, shop: httpx.Client) -> None:
        answer = shop.get("/search", params={"q": "café & 100% 🪑", "limit": "2"})

        assert answer.status_code == 418
        assert answer.headers["content-type"] == "application/problem+json"
        assert httpx.URL(answer.text).path == "/search"
        assert dict(httpx.URL(answer.text).params) == {"q": "café & 100% 🪑", "limit": "2"}

    def test_the_panel_reaches_the_switch_of_the_erp(
        self, shop: httpx.Client, erp: httpx.Client
    ) -> None:
        assert shop.put("/erp/faults", json={"delay": "1ms"}).json() == {"delay": "1ms"}
        assert erp.get("/faults").json() == {"delay": "1ms"}
        assert shop.delete("/erp/faults").json() == {}
        assert shop.get("/erp/faults").json() == {}

    def test_a_missing_route_is_a_problem_that_says_what_to_do(self, elsewhere: Path) -> None:
        with closed_port() as port:
            url = f"http://127.0.0.1:{port}"
            with started("shop", elsewhere, ISTHMUS_URL=url) as service, client(service.url) as ask:
                answer = ask.get("/search")

        assert_problem(answer, 502)
        assert url in answer.json()["detail"]
        assert "ISTHMUS_URL" in answer.json()["detail"]


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """Hold a port without listening on it: nobody else gets it and every call is refused."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


class TestProcess:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    @pytest.mark.parametrize("name", ["search", "erp", "shop"])
    def test_a_signal_ends_it_cleanly(
        self, name: str, number: signal.Signals, elsewhere: Path
    ) -> None:
        with started(name, elsewhere) as service, client(service.url) as caller:
            caller.get("/health")
            code, errors = service.stop(number)

        assert code == 0
        assert len(errors.splitlines()) == 1  # the request

    def test_a_signal_right_after_the_start_ends_it_cleanly(self, elsewhere: Path) -> None:
        with started("search", elsewhere) as service:
            assert service.stop(signal.SIGTERM) == (0, "")

    @pytest.mark.parametrize("fault", ["fail=hang", "delay=30s"])
    def test_a_signal_ends_it_although_a_request_hangs(self, elsewhere: Path, fault: str) -> None:
        with started("erp", elsewhere) as service:
            address = httpx.URL(service.url)
            with socket.create_connection((address.host, address.port or 0)) as connection:
                request = f"POST /prices?{fault} HTTP/1.1\r\nHost: erp\r\n\r\n"
                connection.sendall(request.encode())
                with client(service.url) as caller:
                    caller.get("/health")  # by now the other request has arrived
                code, errors = service.stop(signal.SIGTERM)

        assert code == 0
        assert all("HTTP/1.1" in line for line in errors.splitlines()), errors

    def test_a_port_in_use_is_one_line_that_says_what_to_do(self, elsewhere: Path) -> None:
        with started("search", elsewhere) as service:
            port = str(httpx.URL(service.url).port)
            second = run("erp", "--port", port)

        assert second.returncode == 1
        (line,) = second.stderr.splitlines()
        assert f"port {port} " in line
        assert "--port" in line

    def test_a_wrong_setting_is_one_line(self) -> None:
        broken = run("erp", ERP_FAIL="explode")
        lost = run("shop", ISTHMUS_URL="localhost:8080")

        assert (broken.returncode, lost.returncode) == (2, 2)
        assert "explode" in broken.stderr
        assert "ISTHMUS_URL" in lost.stderr
        assert len(broken.stderr.splitlines() + lost.stderr.splitlines()) == 2
