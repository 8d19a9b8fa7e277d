"""A runtime that is killed at any moment loses no message, delivers none out of order or twice.

Twice means: to a target that honours the idempotency key.
"""

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import route_process
from carriers import Carrier
from manifests_text import connector, delivering, plans
from served import Start
from upstreams import Arrival, Behave, answer, hangs

MESSAGES = 400
KEYS = 20
KILLS = 4
BOTH = pytest.mark.parametrize("home", ["sqlite", "postgresql"])


class Ledger:
    """A target that fails one call in ten, leaves one in a hundred without an answer, and does
    nothing twice for one key."""

    def __init__(self, chance: random.Random) -> None:
        self.written: dict[str, list[int]] = defaultdict(list)
        self.keys: set[str] = set()
        self.repeated = 0
        self._chance = chance

    def __call__(self, arrival: Arrival) -> Behave:
        drawn = self._chance.random()
        if drawn < 0.1:
            return answer(status=503)
        self._write(arrival)
        return hangs() if drawn < 0.11 else answer({})

    def _write(self, arrival: Arrival) -> None:
        key = arrival.header("idempotency-key") or ""
        if key in self.keys:
            self.repeated += 1
            return
        self.keys.add(key)
        body = json.loads(arrival.body)
        self.written[body["key"]].append(body["number"])


async def send(
    replicas: Sequence[route_process.Replica], chance: random.Random
) -> dict[str, list[int]]:
    """Send messages, each until it is accepted, those of one key one after the other."""
    accepted: dict[str, list[int]] = defaultdict(list)

    async def send_all(key: str, numbers: list[int]) -> None:
        async with httpx.AsyncClient(timeout=5, verify=False) as client:  # noqa: S501 - no TLS
            for number in numbers:
                body = {"key": key, "number": number, "version": number}
                while not await _is_accepted(client, chance.choice(replicas).url, body):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                accepted[key].append(number)

    async with asyncio.TaskGroup() as senders:
        for key in range(KEYS):
            numbers = list(range(key, MESSAGES, KEYS))
            senders.create_task(send_all(f"k{key}", numbers))
    return accepted


async def _is_accepted(client: httpx.AsyncClient, url: str, body: Any) -> bool:
    try:
        return (await client.post(f"{url}/hook", json=body)).status_code == 202
    except httpx.TransportError:
        return False


@BOTH
async def test_every_accepted_message_ends_once_and_in_order(
    home: str, address: str, upstream: Start, tmp_path: Path
) -> None:
    chance = random.Random(2026)
    ledger = Ledger(chance)
    erp = await upstream(ledger)
    plan = plans(
        connector(erp.url, timeout="300ms", idempotencyKey={}),
        delivering(
            {"webhook": {"path": "/hook", "open": True}},
            "- call: {connector: erp, method: POST, path: /}",
            message={"key": "{% key %}", "version": "{% version %}"},
            delivery={
                "order": "key",
                "concurrency": 8,
                "retry": {"attempts": 50, "backoff": {"initial": "20ms", "max": "200ms"}},
            },
        ),
    )[0]
    count = 1 if home == "sqlite" else 2
    environment = {"ISTHMUS_JOURNAL": address}

    async with route_process.replicas(
        plan, count=count, folder=tmp_path, environment=environment
    ) as replicas:
        sending = asyncio.create_task(send(replicas, chance))
        for _ in range(KILLS):
            await asyncio.sleep(0.3 + chance.random())  # the moment must not follow anything
            replica = chance.choice(replicas)
            await replica.kill()
            await replica.start()
            await replica.until_ready()
        accepted = await sending
        it = Carrier(address, tmp_path / "secrets.env", {})
        # One that was accepted, and whose sender did not hear of it, was sent again.
        total = len(await it.messages())
        kept = await it.until_settled(total, within=120)

    assert total >= MESSAGES
    assert {each.state for each in kept} <= {"finished", "skipped"}
    assert {key: sorted(numbers) for key, numbers in accepted.items()} == ledger.written
    assert len(ledger.keys) == MESSAGES
    assert all(numbers == sorted(numbers) for numbers in ledger.written.values())
