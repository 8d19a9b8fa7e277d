"""Dead letters by the hundred, replayed once the ERP is mended: each is written exactly once."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import counting
import example_plans
import example_services
import pytest
import route_process
import shop_load
import until
import verdict
from erp_ledger import Ledger
from homes import Home
from shop_load import Sender
from soak_size import Size

from isthmus_runtime.journal.entries import State

REPLAY = Path(__file__).parents[1] / "support/replay.py"
ROUTE = "default/orders-to-erp"
ACT = "mended"
STANDSTILL = 60.0


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    """An ERP that refuses everything."""
    user, password = example_plans.SIGN_IN
    settings = {"ERP_USERNAME": user, "ERP_PASSWORD": password, "ERP_FAIL": "400"}
    with example_services.started("erp", tmp_path, "--quiet", **settings) as erp:
        seen = Ledger(erp.url)
        yield seen
        await seen.close()


async def killed_after(steps: int, address: str) -> int:
    """Begin to replay all that is dead; killed after so many steps. How many it came to."""
    replaying = await asyncio.create_subprocess_exec(
        *(sys.executable, REPLAY, address, ROUTE, ACT),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert replaying.stdin is not None
    assert replaying.stdout is not None
    replayed = 0
    for _ in range(steps):
        replaying.stdin.write(b"\n")
        replayed = int(await replaying.stdout.readline())
    replaying.kill()
    assert await replaying.wait() != 0
    return replayed


async def go_on(address: str) -> str:
    """Replay the rest, as a person does; what it said."""
    command = ("messages", "replay", "--journal", address, "--all", "--yes", "--act", ACT)
    repeated = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "isthmus_cli", *command, "--reason", "the ERP is mended"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await repeated.communicate()
    assert repeated.returncode == 0, said.decode()
    return said.decode()


async def test_a_replay_that_is_killed_and_repeated_writes_each_dead_letter_once(
    home: Home, ledger: Ledger, size: Size, tmp_path: Path
) -> None:
    made = shop_load.orders(size.dead)
    promised = verdict.wanted([each for order in made for each in order], refused=())
    letters = sum(map(len, promised.values()))
    plan = example_plans.plan(
        "orders-to-erp", connectors={"erp": {"baseUrl": ledger.url, "rateLimit": None}}
    )
    environment = {
        "ISTHMUS_JOURNAL": home.address,
        "ISTHMUS_SECRETS": str(example_plans.secrets(tmp_path / "secrets")),
    }
    async with (
        route_process.replicas(
            plan, count=home.replicas, folder=tmp_path, environment=environment
        ) as replicas,
        counting.at(home.address) as count,
    ):
        await Sender([replica.url for replica in replicas], rate=1_000).send(made)
        await until.moving(count.by_state, lambda by: by[State.DEAD] == letters, within=STANDSTILL)
        await ledger.mend()

        half = await killed_after(letters // 200, home.address)
        said = await go_on(home.address)
        await until.moving(count.waiting, lambda waiting: not waiting, within=STANDSTILL)
        await ledger.look()
        ended = await count.by_state()

    assert 0 < half < letters
    assert f"replayed {letters - half} messages" in said
    assert State.DEAD not in ended
    assert verdict.breaches(ledger, promised) == []
