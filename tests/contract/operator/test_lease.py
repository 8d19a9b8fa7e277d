"""The Lease on a real API server: one holder at a time, whatever happens."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import upstreams
from control_plane import ControlPlane
from upstreams import Upstream, answer, hangs, resets

from isthmus_operator.kube import Access, ApiError, Client, NotFound
from isthmus_operator.kube.kinds import LEASES
from isthmus_operator.lease import Lease, LeaseLost

NAME = "isthmus-operator"
WITHIN = 15.0
"""Seconds in which a standby must take over."""


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def _lease(client: Client, namespace: str, holder: str, **given: Any) -> Lease:
    quick = {"duration": 1, "renew_every": 0.1, "retry_every": 0.02} | given
    return Lease(client, namespace=namespace, name=NAME, holder=holder, **quick)


async def _spec(client: Client, namespace: str) -> dict[str, Any]:
    spec: dict[str, Any] = (await client.get(LEASES, namespace, NAME))["spec"]
    return spec


@contextlib.asynccontextmanager
async def _running(lease: Lease) -> AsyncIterator[asyncio.Task[None]]:
    """The Lease acquired in the background, for as long as the block lasts."""
    task = asyncio.create_task(lease.acquire())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def _held(lease: Lease) -> AsyncIterator[asyncio.Task[Any]]:
    """The Lease acquired, and then held for as long as the block lasts."""
    await asyncio.wait_for(lease.acquire(), WITHIN)
    task: asyncio.Task[Any] = asyncio.create_task(lease.hold())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WITHIN):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.01)


async def _looked(seen: list[Any], times: int) -> None:
    """Wait until a candidate has read the Lease so many times more."""
    enough = len(seen) + times

    async def looked() -> bool:
        return len(seen) >= enough

    await _until(looked)


async def test_the_first_candidate_makes_the_lease(client: Client, namespace: str) -> None:
    await asyncio.wait_for(_lease(client, namespace, "one").acquire(), WITHIN)

    spec = await _spec(client, namespace)
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"]) == ("one", 1)
    assert spec["leaseTransitions"] == 1


async def test_a_lease_that_is_renewed_is_never_taken(client: Client, namespace: str) -> None:
    holder, standby = _lease(client, namespace, "one"), _lease(client, namespace, "two")
    async with _held(holder) as holding, _running(standby) as waiting:
        done, _ = await asyncio.wait({holding, waiting}, timeout=2.5)  # more than two durations

    assert not done
    assert (await _spec(client, namespace))["holderIdentity"] == "one"


async def test_a_holder_that_vanishes_is_followed_in_time(client: Client, namespace: str) -> None:
    """With the durations that the operator runs with."""
    holder = Lease(client, namespace=namespace, name=NAME, holder="one")
    standby = Lease(client, namespace=namespace, name=NAME, holder="two")
    async with _held(holder):
        pass
    vanished = asyncio.get_running_loop().time()  # from here on nobody renews
    async with _running(standby) as waiting:
        await asyncio.wait_for(waiting, WITHIN)
        took = asyncio.get_running_loop().time() - vanished

    assert holder.deadline < took < WITHIN
    assert (await _spec(client, namespace))["leaseTransitions"] == 2


async def test_a_lease_given_up_is_taken_without_waiting(client: Client, namespace: str) -> None:
    holder = _lease(client, namespace, "one", duration=3600)
    standby = _lease(client, namespace, "two", duration=3600)
    async with _held(holder), _running(standby) as waiting:
        await holder.release()
        await asyncio.wait_for(waiting, WITHIN)

    assert (await _spec(client, namespace))["holderIdentity"] == "two"


async def test_a_release_leaves_the_lease_of_another_alone(client: Client, namespace: str) -> None:
    await asyncio.wait_for(_lease(client, namespace, "one").acquire(), WITHIN)
    before = await _spec(client, namespace)

    await _lease(client, namespace, "two").release()

    assert await _spec(client, namespace) == before


@pytest.mark.parametrize("stamp", ["1999-01-01T00:00:00.000000Z", "2199-01-01T00:00:00.000000Z"])
async def test_the_clock_of_another_machine_decides_nothing(
    stamp: str, plane: ControlPlane, namespace: str
) -> None:
    seen: list[Any] = []
    clock = Clock()
    access = Access.of_kubeconfig(plane.kubeconfig)
    async with Client(access, observe=lambda *told: seen.append(told)) as client:
        await _lease(client, namespace, "one", duration=30).acquire()
        found = await client.get(LEASES, namespace, NAME)
        found["spec"]["renewTime"] = stamp
        await client.replace(LEASES, found)

        async with _running(_lease(client, namespace, "two", duration=30, clock=clock)) as waiting:
            await _looked(seen, 3)
            clock.now += 29.9
            await _looked(seen, 3)
            assert not waiting.done()
            clock.now += 0.2
            await asyncio.wait_for(waiting, WITHIN)


async def test_each_change_of_the_record_starts_the_wait_anew(
    plane: ControlPlane, namespace: str
) -> None:
    seen: list[Any] = []
    clock = Clock()
    access = Access.of_kubeconfig(plane.kubeconfig)
    async with Client(access) as own, Client(access, observe=lambda *a: seen.append(a)) as client:
        holder = _lease(own, namespace, "one", duration=30)
        await holder.acquire()
        standby = _lease(client, namespace, "two", duration=30, clock=clock)
        async with _running(standby) as waiting:
            for _ in range(3):
                await _looked(seen, 3)
                clock.now += 20
                await holder.acquire()  # writes it again
            await _looked(seen, 3)
            assert not waiting.done()


async def test_a_lease_that_another_took_is_lost(client: Client, namespace: str) -> None:
    async with _held(_lease(client, namespace, "one")) as holding:
        while not holding.done():
            found = await client.get(LEASES, namespace, NAME)
            found["spec"]["holderIdentity"] = "two"
            with contextlib.suppress(ApiError):  # a renewal came between
                await client.replace(LEASES, found)
            await asyncio.wait({holding}, timeout=0.2)

    with pytest.raises(LeaseLost, match="now held by two"):
        holding.result()


async def test_a_lease_deleted_by_hand_is_made_again_by_its_holder(
    client: Client, plane: ControlPlane, namespace: str
) -> None:
    seen: list[Any] = []
    access = Access.of_kubeconfig(plane.kubeconfig)
    async with (
        Client(access, observe=lambda *told: seen.append(told)) as other,
        _held(_lease(client, namespace, "one")) as holding,
        _running(_lease(other, namespace, "two")) as waiting,
    ):
        await _looked(seen, 2)
        for _ in range(5):
            found = await client.get(LEASES, namespace, NAME)
            await client.delete(LEASES, namespace, NAME, uid=found["metadata"]["uid"])
            await _until(lambda: _exists(client, namespace))

        assert not holding.done()
        assert not waiting.done()
    assert (await _spec(client, namespace))["holderIdentity"] == "one"


async def _exists(client: Client, namespace: str) -> bool:
    try:
        await client.get(LEASES, namespace, NAME)
    except NotFound:
        return False
    return True


async def test_of_two_that_race_never_both_hold(plane: ControlPlane, namespace: str) -> None:
    access = Access.of_kubeconfig(plane.kubeconfig)
    holding: set[str] = set()
    rounds: list[str] = []

    async def compete(client: Client, name: str) -> None:
        lease = _lease(client, namespace, name, duration=5, retry_every=0.0)
        while len(rounds) < 20:
            await lease.acquire()
            assert not holding, f"{name} and {holding} hold it"
            holding.add(name)
            rounds.append(name)
            await asyncio.sleep(0.02)
            holding.remove(name)
            await lease.release()

    async with (
        Client(access) as one,
        Client(access) as two,
        asyncio.timeout(60),
        asyncio.TaskGroup() as group,
    ):
        group.create_task(compete(one, "one"))
        group.create_task(compete(two, "two"))

    assert len(rounds) >= 20


@pytest.fixture
async def proxy(plane: ControlPlane) -> AsyncIterator[Upstream]:
    """Stands where the API server does; a test says what it answers."""
    server = Upstream(upstreams.choosing((answer({}),)))
    await server.start()
    yield server
    await server.stop()


def _kept(holder: str) -> dict[str, Any]:
    return {"metadata": {"namespace": "here", "name": NAME}, "spec": {"holderIdentity": holder}}


FAULTS = {
    "connections are cut": resets(),
    "it hangs": hangs(),
    "it answers 500": answer(status=500),
    "it answers 429": answer(status=429, headers=("retry-after: 30",)),
    "it answers 409": answer(status=409),
    "it answers 403": answer(status=403),
}


@pytest.mark.parametrize("case", FAULTS)
async def test_a_holder_that_cannot_renew_stops_before_another_may_begin(
    case: str, proxy: Upstream
) -> None:
    loop = asyncio.get_running_loop()
    proxy.choose = upstreams.choosing((answer(_kept("one")),))
    async with Client(Access(proxy.url, None)) as client:
        holder = _lease(client, "here", "one")
        async with _held(holder) as holding:
            proxy.choose = upstreams.choosing((FAULTS[case],))
            broken = loop.time()
            await asyncio.wait({holding}, timeout=WITHIN)
            stopped = loop.time() - broken

    with pytest.raises(LeaseLost, match="could not be renewed"):
        holding.result()
    assert stopped < 1.0  # the duration


@pytest.mark.parametrize("case", FAULTS)
async def test_a_holder_lives_through_a_fault_that_passes(case: str, proxy: Upstream) -> None:
    works = answer(_kept("one"))
    proxy.choose = upstreams.choosing((works,))
    async with (
        Client(Access(proxy.url, None)) as client,
        _held(_lease(client, "here", "one")) as holding,
    ):
        proxy.choose = upstreams.choosing((FAULTS[case], works))
        came = len(proxy.arrivals)
        await proxy.until(lambda it: len(it.arrivals) >= came + 8)

        assert not holding.done()


async def test_a_candidate_lives_through_every_fault(proxy: Upstream) -> None:
    proxy.choose = upstreams.choosing((*FAULTS.values(), answer(_kept(""))))
    async with Client(Access(proxy.url, None)) as client:
        await asyncio.wait_for(_lease(client, "here", "one").acquire(), WITHIN)
