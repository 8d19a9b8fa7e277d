"""A process that is killed at any moment: what returned is there, and holds."""

import asyncio
import random
from pathlib import Path

import pytest
from journals import ROUTE, draft, until, wish
from workers import Worker

from isthmus_runtime.journal import opening
from isthmus_runtime.journal.entries import Message
from isthmus_runtime.journal.journal import Journal

ROUNDS = 4


@pytest.fixture
def chance() -> random.Random:
    """Random moments, the same ones in each run of the tests."""
    return random.Random(20260329)


async def everything(journal: Journal, route: str = ROUTE) -> list[Message]:
    """All messages of a Route that can still be claimed; leases that were lost end first."""
    found: list[Message] = []

    async def all_of_them() -> bool:
        found.extend(await journal.claim(wish(route=route, limit=100_000, lease=3600.0)))
        return len(found) == await journal.backlog(route)

    await until(all_of_them)
    return found


async def test_what_was_accepted_is_there(
    address: str, tmp_path: Path, chance: random.Random
) -> None:
    told: list[str] = []
    for _ in range(ROUNDS):
        worker = Worker("accept", address, tmp_path)
        await until(lambda: _said(worker, "accepted"))  # noqa: B023 - looked at here only
        await asyncio.sleep(chance.uniform(0.0, 0.3))  # a random moment is what is wanted
        worker.kill()
        told += worker.said("accepted")

    journal = await opening.open(address)
    there = [message.uid for message in await everything(journal)]
    await journal.close()

    assert len(told) > ROUNDS
    assert set(told) <= set(there)
    assert len(there) == len(set(there))


async def test_what_was_settled_stays_settled(
    address: str, tmp_path: Path, chance: random.Random
) -> None:
    journal = await opening.open(address)
    drafts = [draft(str(n)) for n in range(3000)]
    await journal.accept(drafts)
    await journal.close()
    told: list[str] = []
    for _ in range(ROUNDS):
        worker = Worker("settle", address, tmp_path)
        await until(lambda: _said(worker, "settled"))  # noqa: B023 - looked at here only
        await asyncio.sleep(chance.uniform(0.0, 0.1))  # a random moment is what is wanted
        worker.kill()
        told += worker.said("settled")

    journal = await opening.open(address)
    left = [message.uid for message in await everything(journal)]
    fed = [message.body.decode() for message in await everything(journal, "shop/fed")]
    await journal.close()

    assert len(told) == len(set(told)), "nothing is settled twice"
    assert not set(told) & set(left)
    assert len(fed) == len(set(fed)), "each fed once"
    assert set(fed) == {each.uid for each in drafts} - set(left), "settled and fed in one"
    assert set(told) <= set(fed)


async def _said(worker: Worker, word: str) -> bool:
    return worker.has_said(word)
