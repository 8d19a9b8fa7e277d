"""The example orders-to-erp as people meet it: orders, an ERP that breaks and is mended, replay."""

import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import counting
import httpx
import pytest
import route_process
from programs import PATIENCE, Program, Start
from until import moving as until_moving

from isthmus_runtime.journal.entries import State

EXAMPLES = Path(__file__).parents[3] / "examples"
EXAMPLE = EXAMPLES / "orders-to-erp"
SYSTEMS = ("erp", "backoffice")
SECRETS = {
    "erp/username": "erp-user",
    "erp/password": "canary-password",
    "shop/webhook": "canary-webhook",
    "shop/token": "canary-token",
}


@dataclass(frozen=True)
class Shop:
    """Everything that the example starts, on ports of its own."""

    route: Program
    url: str
    admin: str
    erp: str
    office: str
    folder: Path

    def order(self, **query: Any) -> list[str]:
        answer = httpx.post(f"{self.office}/orders", params=query)
        numbers: list[str] = answer.json()["orders"]
        return numbers

    def writes(self, numbers: list[str]) -> list[tuple[str, str]]:
        """What the ERP wrote of some orders, as it came."""
        written = httpx.get(f"{self.erp}/writes", params={"limit": 10_000}).json()
        return [(each["number"], each["status"]) for each in written if each["number"] in numbers]

    def report(self) -> dict[str, int]:
        counted: dict[str, int] = httpx.get(f"{self.erp}/report").json()
        return counted

    def level(self, sku: str) -> int:
        """How much the shop believes there is."""
        available: int = httpx.get(f"{self.office}/stock/{sku}").json()["available"]
        return available

    def count(self, material: str, available: int) -> None:
        """Tell the ERP how much there is of a material; it knows it from then on."""
        url = f"{self.erp}/stock/{material}"
        httpx.put(url, json={"available": available}).raise_for_status()

    def until_taken(self) -> None:
        """Wait until all webhooks were answered with 2xx."""
        until(lambda: httpx.get(f"{self.office}/report").json()["webhooks"]["waiting"] == 0)

    @property
    def journal(self) -> str:
        return f"sqlite:{self.folder}/.isthmus/journal.db"

    async def until_dead(self, numbers: set[str]) -> None:
        """Wait until each of these orders has a dead letter, and nothing of them is under way."""
        async with counting.at(self.journal) as count:
            await until_moving(
                lambda: count.keys(State.DEAD), lambda dead: dead >= numbers, within=PATIENCE
            )
            await until_moving(count.waiting, lambda waiting: not waiting, within=PATIENCE)

    def replay(self) -> None:
        """Send all dead letters again, as a person does."""
        command = ("messages", "replay", "--all", "--yes", "--reason", "the ERP is mended")
        subprocess.run(
            [sys.executable, "-m", "isthmus_cli", *command, "--dir", self.folder], check=True
        )

    def mend(self) -> None:
        httpx.delete(f"{self.erp}/faults").raise_for_status()

    def breaks(self, **faults: str) -> None:
        httpx.put(f"{self.erp}/faults", json=faults).raise_for_status()


def wanted(numbers: list[str]) -> set[tuple[str, str]]:
    """What the ERP must have of some orders in the end."""
    paid = {(number, "RELEASED") for number in numbers}
    return paid | {(number, "CREDITED") for number in numbers if int(number) % 6 == 0}


def until(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def shop(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    port = route_process.free_port()
    erp, office = _systems(start, f"http://127.0.0.1:{port}/hooks/orders")
    folder = tmp_path_factory.mktemp("example")
    for name, text in _hurried(erp, office).items():
        (folder / name).write_text(text)
    secrets = folder / "secrets.env"
    secrets.write_text("".join(f"{name}={value}\n" for name, value in SECRETS.items()))
    route = start(
        *("-m", "isthmus_cli", "run", folder, "--secrets", secrets),
        *("--port", str(port), "--admin-port", "0"),
    )
    url = route.wait_for(r"POST (http://\S+)/hooks/orders")[1]
    admin = route.wait_for(r"(http://\S+)/status")[1]
    return Shop(route, url, admin, erp, office, folder)


def _systems(start: Start, webhook_url: str) -> list[str]:
    """The ERP and the back office; where they listen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ERP_USERNAME", SECRETS["erp/username"])
        patch.setenv("ERP_PASSWORD", SECRETS["erp/password"])
        patch.setenv("STOCK_TOKEN", SECRETS["shop/token"])
        patch.setenv("WEBHOOK_SECRET", SECRETS["shop/webhook"])
        patch.setenv("WEBHOOK_URL", webhook_url)
        patch.setenv("PACE", "10ms")
        both = [start(EXAMPLES / f"services/{name}.py", "--port", "0") for name in SYSTEMS]
    return [program.wait_for(r"listens on (http://\S+)")[1] for program in both]


def _hurried(erp: str, office: str) -> dict[str, str]:
    """The manifests, with waits that suit a test."""
    texts = {file.name: file.read_text() for file in EXAMPLE.glob("*.yaml")}
    changes = {
        "http://127.0.0.1:8082": erp,
        "http://127.0.0.1:8083": office,
        "timeout: 3s": "timeout: 300ms",
        "{initial: 1s, max: 1m}": "{initial: 100ms, max: 500ms}",
        "every: 10s": "every: 1s",
    }
    for written, hurried in changes.items():
        assert any(written in text for text in texts.values()), written
        texts = {name: text.replace(written, hurried) for name, text in texts.items()}
    return texts


@pytest.fixture
def erp_mended(shop: Shop) -> Iterator[None]:
    yield
    httpx.delete(f"{shop.erp}/faults")


def test_orders_reach_the_erp_each_event_once(shop: Shop) -> None:
    numbers = shop.order(count=12)

    until(lambda: set(shop.writes(numbers)) == wanted(numbers))
    assert len(shop.writes(numbers)) == len(wanted(numbers))


@pytest.mark.parametrize(
    "fault",
    ["503", "503 50%", "hang", "lost", "half"],
    ids=["down", "failing now and then", "silent", "losing answers", "breaking off"],
)
@pytest.mark.usefixtures("erp_mended")
def test_orders_reach_the_erp_once_it_is_mended_when_it_was(shop: Shop, fault: str) -> None:
    shop.breaks(fail=fault)
    numbers = shop.order(count=3)
    shop.until_taken()
    shop.mend()

    until(lambda: set(shop.writes(numbers)) == wanted(numbers))
    assert len(shop.writes(numbers)) == len(wanted(numbers))


async def test_what_the_erp_refuses_waits_for_a_person_and_is_written_once_when_replayed(
    shop: Shop,
) -> None:
    (number,) = shop.order(sku="NEW-1")
    await shop.until_dead({number})
    shop.count("NEW-1", 5)

    shop.replay()

    until(lambda: set(shop.writes([number])) == wanted([number]))
    assert len(shop.writes([number])) == len(wanted([number]))


@pytest.mark.usefixtures("erp_mended")
async def test_a_page_of_html_is_taken_for_no_answer(shop: Shop) -> None:
    shop.breaks(fail="html")
    numbers = shop.order(count=2)
    await shop.until_dead(set(numbers))
    shop.mend()

    shop.replay()

    until(lambda: set(shop.writes(numbers)) == wanted(numbers))


def test_a_webhook_that_comes_three_times_is_written_once(shop: Shop) -> None:
    numbers = shop.order(count=2, copies=3)
    shop.until_taken()

    until(lambda: set(shop.writes(numbers)) == wanted(numbers))
    assert len(shop.writes(numbers)) == len(wanted(numbers))
    assert shop.report()["doubles"] == 0


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, "not signed"),
        ({"X-Shop-Signature": "sha256=00", "X-Shop-Timestamp": "1"}, "of another time"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_what_nobody_signed_is_refused_and_leaves_nothing(
    shop: Shop, headers: dict[str, str], why: str
) -> None:
    forged = {"order_number": "999999", "status": "paid", "updated_at": "2026-08-20T09:00:00Z"}

    answer = httpx.post(f"{shop.url}/hooks/orders", json=forged, headers=headers)

    assert answer.status_code == 401, why
    assert shop.writes(["999999"]) == []


def test_stock_that_orders_take_is_told_to_the_shop(shop: Shop) -> None:
    material = "RG-10444"
    shop.count(material, 7)
    until(lambda: shop.level(material) == 7)

    (number,) = shop.order(sku=material)

    sold = 0 if int(number) % 6 == 0 else 1  # what is refunded comes back
    until(lambda: set(shop.writes([number])) == wanted([number]))
    until(lambda: shop.level(material) == 7 - sold)


def test_a_level_that_the_shop_refuses_holds_up_no_other(shop: Shop) -> None:
    shop.count("ONLY-IN-THE-ERP", 1)
    shop.count("RG-10445", 11)

    until(lambda: shop.level("RG-10445") == 11)
    shop.route.wait_for(r"route=default/stock-to-shop .*attempt=2 state=retry")


def test_nothing_is_out_of_order_and_no_secret_is_in_what_was_said(shop: Shop) -> None:
    shop.order(count=1)
    shop.until_taken()

    assert shop.report()["outOfOrder"] == 0
    said = "".join(shop.route.said) + "".join(shop.route.lines.queue)
    assert "canary" not in said
    assert "@example.com" not in said


def test_its_own_lint_and_tests_hold() -> None:
    for command in ("lint", "test"):
        ended = subprocess.run(
            [sys.executable, "-m", "isthmus_cli", command, EXAMPLE],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr


def test_it_starts_whole_with_secrets_of_its_own_that_it_keeps_and_does_not_tell(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("services", "orders-to-erp"):
        ignored = shutil.ignore_patterns(".isthmus", "__pycache__")
        shutil.copytree(EXAMPLES / each, tmp_path / each, ignore=ignored)
    shutil.copy(EXAMPLES / "start.py", tmp_path)
    monkeypatch.setenv("PORT", "0")
    monkeypatch.setenv("ADMIN_PORT", "0")
    file = tmp_path / "orders-to-erp/.isthmus/secrets.env"

    made = []
    for _ in range(2):
        whole = start(tmp_path / "start.py", "orders-to-erp")
        whole.wait_for("Ctrl-C ends everything")
        whole.process.send_signal(signal.SIGINT)
        assert whole.process.wait(PATIENCE) == 0
        made.append(file.read_text())

    values = [line.partition("=")[2] for line in made[0].splitlines()]
    assert made[0] == made[1]
    assert len(set(values)) == 4
    assert all(len(value) == 48 for value in values)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not any(value in "".join(whole.said) for value in values)


def test_an_unknown_example_is_one_line(start: Start) -> None:
    whole = start(EXAMPLES / "start.py", "nothing")

    names = sorted(file.parent.name for file in EXAMPLES.glob("*/example.toml"))
    whole.wait_for(f"there is no example 'nothing', only {', '.join(names)}$")
    assert whole.process.wait(PATIENCE) == 2
