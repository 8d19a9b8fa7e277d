"""Three Routes of four replicas use one Connector: its limits hold over all twelve processes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import manifests_text
import pytest
import rate_witness
import route_process
import soak_size
import until
from homes import PostgresHome
from rate_witness import RateWitness
from route_process import Replica

from isthmus_api.plan import RoutePlan

LIMITS: dict[bool, dict[str, Any]] = {
    False: {"requests": 100, "per": "1s", "concurrency": 20},
    True: {"requests": 60, "per": "1m", "concurrency": 20},
}
SECONDS = {"1s": 1.0, "1m": 60.0}
WINDOWS = 5
ALLOWANCE = 1.02
STANDSTILL = 90.0
CALLERS = 2


def plans(url: str, limit: dict[str, Any]) -> list[RoutePlan]:
    """Two Routes that deliver, and one that answers."""
    step = "- call: {connector: erp, method: POST, path: /}"
    more: dict[str, Any] = {"timeout": "5m", "delivery": {"concurrency": 4, "timeout": "5m"}}
    delivering = [
        manifests_text.delivering(
            {"webhook": {"path": f"/{name}", "open": True, "split": "{% $ %}"}},
            step,
            name=name,
            delivery=more["delivery"],
        )
        for name in ("orders", "stock")
    ]
    answering = manifests_text.route(step, name="prices", method="POST", timeout="5m")
    erp = manifests_text.connector(url, rateLimit=limit, timeout="5m")
    return manifests_text.plans(erp, *delivering, answering)


@contextlib.asynccontextmanager
async def running(
    made: Sequence[RoutePlan], address: str, folder: Path
) -> AsyncIterator[list[list[Replica]]]:
    """Four replicas of each Route."""
    async with contextlib.AsyncExitStack() as stack:
        yield [
            list(
                await stack.enter_async_context(
                    route_process.replicas(
                        plan, count=4, folder=folder, environment={"ISTHMUS_JOURNAL": address}
                    )
                )
            )
            for plan in made
        ]


async def call_on(client: httpx.AsyncClient, replica: Replica) -> None:
    """Call a Route that answers, one time after the other, until it is gone."""
    while True:
        try:
            await client.post(f"{replica.url}/it", json={})
        except httpx.TransportError:
            return


@pytest.mark.parametrize("is_long", [soak_size.is_long()], ids=["size"])
async def test_limits_hold_over_routes_and_replicas(
    shared: PostgresHome, tmp_path: Path, is_long: bool
) -> None:
    limit = LIMITS[is_long]
    requests, per = limit["requests"], SECONDS[limit["per"]]
    total = WINDOWS * requests
    async with (
        RateWitness(answers_after=0.01) as erp,
        running(plans(erp.url, limit), shared.address, tmp_path) as (orders, stock, prices),
        httpx.AsyncClient(timeout=600) as client,
    ):
        await client.post(f"{orders[0].url}/orders", json=[{}] * total)
        await client.post(f"{stock[0].url}/stock", json=[{}] * total)
        calling = [
            asyncio.create_task(call_on(client, replica))
            for replica in prices
            for _ in range(CALLERS)
        ]

        async def arrived() -> int:
            return len(erp.seen)

        await until.moving(arrived, lambda count: count >= total // 2, within=STANDSTILL)
        await orders[0].kill()
        await until.moving(arrived, lambda count: count >= total, within=STANDSTILL)
        for task in calling:
            task.cancel()
        await asyncio.gather(*calling, return_exceptions=True)
        alone = [
            await each.metric("isthmus_connector_rate_limit_alone_total")
            for each in (*orders[1:], *stock, *prices)
        ]

    most = rate_witness.most_in_a_window(erp.seen, per)
    used = rate_witness.used(erp.seen, requests, per)
    print(f"at most {most} of {requests} in a window; {used:.1%} of the limit used")
    assert most <= requests * ALLOWANCE
    assert erp.most_under_way <= limit["concurrency"]
    assert sum(alone) == 0
