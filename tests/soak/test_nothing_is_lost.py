"""Webhooks under load while everything that can break breaks: nothing is lost, nothing is twice.

The Route is that of the example, run as a pod runs it; the ERP is the example's, which fails one
call in ten and leaves one in a hundred without an answer, half of these after the work was done.
Processes are killed with SIGKILL, the database crashes.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import counting
import example_plans
import example_services
import mishaps
import pytest
import route_process
import shop_load
import until
import verdict
from erp_ledger import Ledger
from homes import Home
from shop_load import Sender
from soak_size import Size

from isthmus_api.plan import RoutePlan
from isthmus_runtime.journal.entries import State

SEED = 20_260_820
FAULTS = "503 10%, hang 0.5%, lost 0.5%"
STANDSTILL = 60.0
"""Seconds without a write after which what is missing counts as lost."""


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    user, password = example_plans.SIGN_IN
    settings = {"ERP_USERNAME": user, "ERP_PASSWORD": password, "ERP_DATABASE": "erp.db"}
    with example_services.started("erp", tmp_path, "--quiet", ERP_FAIL=FAULTS, **settings) as erp:
        seen = Ledger(erp.url)
        yield seen
        await seen.close()


def is_refused(number: int) -> bool:
    """One order in forty is of a material that the ERP does not know."""
    return number % 40 == 7


def impatient(erp: str) -> RoutePlan:
    """The Route of the example, with waits that suit a test."""
    limits = {"requests": 5_000, "concurrency": 16}
    return example_plans.plan(
        "orders-to-erp",
        connectors={"erp": {"baseUrl": erp, "timeout": "500ms", "rateLimit": limits}},
        spec={"delivery": {"retry": {"backoff": {"initial": "100ms", "max": "1s"}}}},
    )


async def test_every_accepted_webhook_ends_and_the_erp_has_each_once_in_order(
    home: Home, ledger: Ledger, size: Size, tmp_path: Path
) -> None:
    dice = random.Random(SEED)
    made = shop_load.orders(size.orders, refused=is_refused)
    refused = {order[0].number for order in made if is_refused(int(order[0].number))}
    promised = verdict.wanted([each for order in made for each in order], refused=refused)
    work = sum(map(len, made)) + sum(map(len, promised.values()))
    environment = {
        "ISTHMUS_JOURNAL": home.address,
        "ISTHMUS_SECRETS": str(example_plans.secrets(tmp_path / "secrets")),
    }
    async with route_process.replicas(
        impatient(ledger.url), count=home.replicas, folder=tmp_path, environment=environment
    ) as replicas:
        sender = Sender([replica.url for replica in replicas], rate=size.rate)

        async def progress() -> float:
            return (len(sender.accepted) + await ledger.look()) / work

        async def kill() -> None:
            replica = dice.choice(replicas)
            await replica.kill()
            await replica.start()

        accidents = mishaps.drawn(
            dice, kills=(size.kills, kill), restarts=(home.restarts(size.restarts), home.restart)
        )
        async with asyncio.TaskGroup() as both:
            both.create_task(sender.send(made))
            both.create_task(mishaps.happen(accidents, progress))
        await until.moving(
            ledger.look, lambda _: verdict.is_complete(ledger, promised), within=STANDSTILL
        )
        async with counting.at(home.address) as count:
            await until.moving(count.waiting, lambda waiting: not waiting, within=STANDSTILL)
            for replica in replicas:
                await replica.until_ready()
            codes = [await replica.stop() for replica in replicas]
            ended = await count.by_state()
            dead = await count.keys(State.DEAD)

    assert verdict.breaches(ledger, promised) == []
    assert ended.keys() == {State.FINISHED, State.SKIPPED, State.DEAD}
    assert ended.total() >= len(sender.accepted) == sum(map(len, made))
    assert dead == refused
    assert sum(replica.lives for replica in replicas) == home.replicas + size.kills
    assert codes == [0] * home.replicas
