"""The example as people meet it: services, `isthmus run`, curl, a slow ERP, a mistake, a mend."""

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from programs import PATIENCE, Program, Start

EXAMPLES = Path(__file__).parents[3] / "examples"
EXAMPLE = EXAMPLES / "search-with-prices"


@dataclass(frozen=True)
class Shop:
    """Everything that the example starts, on ports of its own."""

    folder: Path
    route: Program
    url: str
    admin: str
    erp: str


@pytest.fixture(scope="module")
def shop(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    ports = {}
    for service in ("search", "erp"):
        program = start(EXAMPLES / f"services/{service}.py", "--port", "0")
        ports[service] = program.wait_for(r"listens on http://127\.0\.0\.1:(\d+)")[1]
    folder = tmp_path_factory.mktemp("example")
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    connectors = folder / "connectors.yaml"
    text = connectors.read_text().replace(":8081", f":{ports['search']}")
    connectors.write_text(text.replace(":8082", f":{ports['erp']}"))
    secrets = folder / "secrets.env"
    route = start(
        *("-m", "isthmus_cli", "run", folder, "--watch", "--secrets", secrets),
        *("--port", "0", "--admin-port", "0"),
    )
    url = route.wait_for(r"GET (http://\S+)/search")[1]
    admin = route.wait_for(r"(http://\S+)/status")[1]
    return Shop(folder, route, url, admin, f"http://127.0.0.1:{ports['erp']}")


@pytest.fixture
def healthy_erp(shop: Shop) -> Iterator[str]:
    yield f"{shop.erp}/faults"
    httpx.delete(f"{shop.erp}/faults")


def test_a_search_answers_names_and_prices(shop: Shop) -> None:
    answer = httpx.get(f"{shop.url}/search", params={"q": "chair", "limit": 5})

    assert answer.status_code == 200
    items = answer.json()["items"]
    assert len(items) == 5
    assert all("chair" in item["name"].lower() for item in items)
    assert all(item["price"]["currency"] == "EUR" for item in items)


@pytest.mark.parametrize(
    "fault",
    [{"delay": "2s"}, {"fail": "503"}, {"fail": "html"}, {"fail": "half"}, {"fail": "hang"}],
    ids=["slow", "down", "answering HTML", "answering half", "silent"],
)
def test_hits_come_without_prices_when_the_erp_is(
    shop: Shop, healthy_erp: str, fault: dict[str, str]
) -> None:
    httpx.put(healthy_erp, json=fault)

    answer = httpx.get(f"{shop.url}/search", params={"q": "chair", "limit": 5})

    assert answer.status_code == 200
    assert len(answer.json()["items"]) == 5
    assert not any("price" in item for item in answer.json()["items"])


def test_the_fall_back_shows_in_the_metrics(shop: Shop, healthy_erp: str) -> None:
    httpx.put(healthy_erp, json={"fail": "503"})
    httpx.get(f"{shop.url}/search", params={"q": "chair"})

    metrics = httpx.get(f"{shop.admin}/metrics").text

    assert re.search(r'isthmus_step_errors_total\{handled="true".*step="prices"\} [1-9]', metrics)


def test_a_wrong_limit_is_the_callers_mistake(shop: Shop) -> None:
    answer = httpx.get(f"{shop.url}/search", params={"q": "chair", "limit": "many"})

    assert answer.status_code == 400


def test_a_change_is_served_and_a_mistake_keeps_the_version_before(shop: Shop) -> None:
    mapping = shop.folder / "mapping.yaml"
    written = mapping.read_text()

    mapping.write_text(written.replace('"name": name', '"title": name'))
    shop.route.wait_for("reloaded, 1 Route")
    changed = httpx.get(f"{shop.url}/search", params={"q": "chair", "limit": 1}).json()

    mapping.write_text(written.replace("$lookup($prices", "$lookup($price"))
    shop.route.wait_for(r"reads \$price, which no step before binds")
    shop.route.wait_for("not reloaded; the version before goes on")
    kept = httpx.get(f"{shop.url}/search", params={"q": "chair", "limit": 1}).json()

    mapping.write_text(written)
    shop.route.wait_for("reloaded, 1 Route")
    mended = httpx.get(f"{shop.url}/search", params={"q": "chair", "limit": 1}).json()

    assert "title" in changed["items"][0]
    assert "title" in kept["items"][0]
    assert "name" in mended["items"][0]


def test_requests_made_from_the_openapi_document_are_answered_as_it_says(
    shop: Shop, tmp_path: Path
) -> None:
    document = tmp_path / "openapi.json"
    isthmus = [sys.executable, "-m", "isthmus_cli"]
    printed = subprocess.run(
        [*isthmus, "openapi", shop.folder], capture_output=True, text=True, check=True
    )
    document.write_text(printed.stdout)

    ended = subprocess.run(
        [
            *(Path(sys.executable).parent / "schemathesis", "run", document, "--url", shop.url),
            *("--checks", "not_a_server_error,status_code_conformance,content_type_conformance"),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "30", "--seed", "1"),
            "--no-color",
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=120,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_its_own_lint_and_tests_hold() -> None:
    """Its own tests and lint hold: what the README tells people to run."""
    for command in ("lint", "test"):
        ended = subprocess.run(
            [sys.executable, "-m", "isthmus_cli", command, EXAMPLE],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


def test_starting_it_whole_shows_a_page_and_ctrl_c_ends_it_cleanly(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("PORT", "ADMIN_PORT", "SHOP_PORT"):
        monkeypatch.setenv(variable, "0")
    whole = start(EXAMPLES / "start.py")

    whole.wait_for("The example is up")
    whole.process.send_signal(signal.SIGINT)

    assert whole.process.wait(PATIENCE) == 0


def test_starting_it_where_a_port_is_taken_says_which(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 8081)):
        whole = start(EXAMPLES / "start.py")

        whole.wait_for("8081")
        assert whole.process.wait(PATIENCE) == 1


def test_starting_it_without_its_modules_says_what_to_do() -> None:
    without_packages = [sys.executable, "-I", "-S", str(EXAMPLES / "start.py")]

    ended = subprocess.run(without_packages, capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert ended.stderr == (
        "the Python module isthmus_cli is missing; start the example with 'make run', which sets "
        "up what it needs\n"
    )
