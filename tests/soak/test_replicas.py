"""Three replicas of a Route on one database: they share the work, and a schedule fires once."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import example_plans
import manifests_text
import pytest
import route_process
import shop_load
import until
import upstreams
from homes import PostgresHome
from shop_load import Sender
from soak_size import Size
from upstreams import Upstream

from isthmus_api.plan import RoutePlan

STANDSTILL = 60.0
MINUTE = 90.0


@pytest.fixture
async def target() -> AsyncIterator[Upstream]:
    """A system that takes everything, and so long that no replica can deliver all by itself."""
    system = Upstream(upstreams.choosing((upstreams.answer({}, after=0.2),)))
    await system.start()
    yield system
    await system.stop()


async def test_replicas_share_what_one_of_them_accepts(
    shared: PostgresHome, target: Upstream, size: Size, tmp_path: Path
) -> None:
    made = shop_load.orders(size.orders)
    wanted = sum(webhook.is_wanted for order in made for webhook in order)
    plan = example_plans.plan(
        "orders-to-erp", connectors={"erp": {"baseUrl": target.url, "rateLimit": None}}
    )
    environment = {
        "ISTHMUS_JOURNAL": shared.address,
        "ISTHMUS_SECRETS": str(example_plans.secrets(tmp_path / "secrets")),
    }
    async with route_process.replicas(
        plan, count=3, folder=tmp_path, environment=environment
    ) as replicas:
        await Sender([replicas[0].url], rate=1_000).send(made)

        async def arrived() -> int:
            return len(target.arrivals)

        await until.moving(arrived, lambda count: count >= wanted, within=STANDSTILL)

        async def finished() -> list[float]:
            return [
                await each.metric("isthmus_messages_settled_total", state="finished")
                for each in replicas
            ]

        shares = await until.moving(
            finished, lambda counts: sum(counts) == wanted, within=STANDSTILL
        )

    assert len(target.arrivals) == wanted
    assert min(shares) > wanted / 10, shares


def every_minute(url: str) -> RoutePlan:
    """A schedule with the shortest time that there is."""
    (plan,) = manifests_text.plans(
        manifests_text.connector(url),
        manifests_text.delivering(
            {"schedule": {"cron": "* * * * *"}},
            "- call: {connector: erp, method: POST, path: /tick}",
        ),
    )
    return plan


async def test_a_schedule_fires_once(
    shared: PostgresHome, target: Upstream, tmp_path: Path
) -> None:
    environment = {"ISTHMUS_JOURNAL": shared.address}
    async with route_process.replicas(
        every_minute(target.url), count=3, folder=tmp_path, environment=environment
    ) as replicas:

        async def dealt_with() -> set[str | None]:
            """The times that replicas have dealt with last, whoever fired for them."""
            return {(await each.route_status())["source"]["last"] for each in replicas}

        begun = await dealt_with()
        (last,) = await until.moving(
            dealt_with, lambda times: len(times) == 1 and not times & begun, within=MINUTE
        )
        await target.until(lambda seen: last in _told(seen))
        fired = [await each.metric("isthmus_schedule_times_total") for each in replicas]

    told = _told(target)
    assert told[-1] == last
    assert len(set(told)) == len(told) == sum(fired)


def _told(target: Upstream) -> list[str]:
    return [json.loads(arrival.body)["scheduledAt"] for arrival in target.arrivals]
