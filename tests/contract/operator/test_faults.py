"""The operator while its API server misbehaves: afterwards everything is as it was declared."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import changes
import pytest
from control_plane import ControlPlane
from controllers import controllers
from faulty_api import FaultyApi, honest, slow, storm
from operating import Cluster, eventually

from isthmus_operator.operator import Operator

WITHIN = 60.0
Trouble = Callable[[FaultyApi], Awaitable[None]]


@pytest.fixture
async def api(plane: ControlPlane) -> AsyncIterator[FaultyApi]:
    """What the operator takes for the API server."""
    async with FaultyApi(plane) as api:
        yield api


async def _converges(
    cluster: Cluster, operator: Operator, caplog: pytest.LogCaptureFixture
) -> None:
    """Everything becomes as declared, comes to rest, and the operator was never at a loss."""
    await eventually(lambda: changes.amiss(cluster), within=WITHIN, until=lambda found: not found)
    # What waits for its next try, such as the status of a Connector, is tried now.
    await eventually(lambda: _is_at_rest(cluster, operator), until=bool)

    assert await changes.amiss(cluster) == []
    at_a_loss = [each for each in caplog.records if each.message == "failed"]
    assert at_a_loss == []


async def _is_at_rest(cluster: Cluster, operator: Operator) -> bool:
    """Whether a look at everything writes nothing."""
    before = await cluster.versions()
    for key in list(operator.declared):
        operator.queue.add(key)
    await operator.queue.idle()
    return await cluster.versions() == before


async def _cut(api: FaultyApi) -> None:
    api.cut()


async def _conflicts(api: FaultyApi) -> None:
    api.answer = storm(409, share=0.5, writes_only=True)


async def _too_many(api: FaultyApi) -> None:
    api.answer = storm(429, share=0.5, writes_only=False, **{"Retry-After": "1"})


async def _broken(api: FaultyApi) -> None:
    api.answer = storm(500, share=0.3, writes_only=False)


async def _slow(api: FaultyApi) -> None:
    api.answer = slow(0.5)


async def _away(api: FaultyApi) -> None:
    with api.away():
        await asyncio.sleep(1.0)  # an outage lasts


TROUBLES: dict[str, Trouble] = {
    "all watches are cut": _cut,
    "half of the writes conflict": _conflicts,
    "half of the requests are too many": _too_many,
    "a third of the requests fail": _broken,
    "answers are late": _slow,
    "nobody answers for a while": _away,
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
async def test_after_trouble_everything_is_as_declared(
    trouble: Trouble, cluster: Cluster, api: FaultyApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with cluster.operator(access=api.access) as operator, controllers(cluster):
        async for _ in changes.apply(cluster):
            await trouble(api)
        assert api.disturbed or trouble is _slow
        api.answer = honest

        await _converges(cluster, operator, caplog)


async def test_what_changed_while_nobody_told_is_noticed(
    cluster: Cluster, api: FaultyApi, caplog: pytest.LogCaptureFixture
) -> None:
    """Of objects that went in the gap no event ever tells: `410 Gone` follows it."""
    async with cluster.operator(access=api.access) as operator, controllers(cluster):
        with contextlib.ExitStack() as gap:
            async for number in changes.apply(cluster):
                if number == 2:
                    await operator.queue.idle()
                    gap.enter_context(api.gap())
        assert api.disturbed

        await _converges(cluster, operator, caplog)


async def test_the_api_server_is_restarted(
    cluster: Cluster, plane: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    async with cluster.operator() as operator, controllers(cluster):
        async for number in changes.apply(cluster):
            if number in (1, 3):
                await asyncio.to_thread(plane.stop_apiserver)
                plane.start_apiserver()  # ends with the thread that starts it
                await asyncio.to_thread(plane.wait_until_ready)

        await _converges(cluster, operator, caplog)
