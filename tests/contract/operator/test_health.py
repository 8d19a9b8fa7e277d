"""Health and metrics, on a real socket."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from isthmus_operator.health import Health, overdue
from isthmus_operator.pulse import Pulse
from isthmus_operator.queue import Queue


@dataclass
class Served:
    """A health server and a client of it."""

    health: Health
    client: httpx.AsyncClient


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """Health on a free port."""
    health = Health()
    async with (
        health.serving("127.0.0.1", 0) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        yield Served(health, client)


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_without_a_complaint_it_is_well(path: str, served: Served) -> None:
    served.health.add("fine", lambda: None)
    served.health.ready("fine", lambda: None)

    answer = await served.client.get(path)

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_the_check_that_fails_is_named(served: Served) -> None:
    served.health.add("fine", lambda: None)
    served.health.add("watch Route", lambda: "silent")

    answer = await served.client.get("/livez")

    assert answer.status_code == 503
    assert answer.json() == {"status": "failing", "checks": {"watch Route": "silent"}}


async def test_readiness_and_liveness_are_apart(served: Served) -> None:
    served.health.ready("caches", lambda: "the caches are being filled")

    assert (await served.client.get("/livez")).status_code == 200
    assert (await served.client.get("/readyz")).status_code == 503


async def test_a_check_that_raises_fails(served: Served) -> None:
    served.health.add("broken", lambda: str(1 // 0))

    answer = await served.client.get("/livez")

    assert answer.json()["checks"] == {"broken": "the check itself failed: ZeroDivisionError"}


async def test_a_queue_is_alive_until_a_key_is_under_way_for_too_long(served: Served) -> None:
    queue: Queue[str] = Queue()
    limit = 0.05
    served.health.add("queue", overdue("a key is under way", queue.oldest_under_way, limit=limit))
    served.health.add("progress", overdue("keys wait", queue.stuck_for, limit=limit))
    queue.add("a")
    queue.add("b")
    key = await queue.get()
    assert (await served.client.get("/livez")).status_code == 200

    await asyncio.sleep(limit * 1.5)  # time itself is what the check is about
    failing = await served.client.get("/livez")
    queue.done(key)
    healed = await served.client.get("/livez")

    assert set(failing.json()["checks"]) == {"queue", "progress"}
    assert healed.status_code == 200


async def test_metrics_are_served_in_the_text_format(served: Served) -> None:
    answer = await served.client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    assert "isthmus_operator_build_info{version=" in answer.text


async def test_metrics_are_served_as_openmetrics_to_who_asks(served: Served) -> None:
    answer = await served.client.get(
        "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
    )

    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


async def test_the_pulse_tells_the_longest_stall_once() -> None:
    pulse = Pulse(beat=0.01)
    beating = asyncio.create_task(pulse.run())
    await asyncio.sleep(0.03)
    pulse.longest()
    time.sleep(0.2)  # noqa: ASYNC251 - the stall itself
    await asyncio.sleep(0.03)
    first, second = pulse.longest(), pulse.longest()
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)

    assert first >= 0.18
    assert second < first


async def test_a_pulse_that_no_longer_beats_is_late() -> None:
    pulse = Pulse(beat=0.01)
    check = overdue("the event loop is late", pulse.late, limit=0.02)
    assert check() is None

    await asyncio.sleep(0.05)

    assert check() is not None
