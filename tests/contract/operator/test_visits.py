"""Visits to pods on real sockets: whom they ask, how often, and what a pod can do to them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
import upstreams
from upstreams import Arrival, Behave, Upstream

from isthmus_api.resources import Key
from isthmus_operator import sightings, visits
from isthmus_operator.live import Pod
from isthmus_operator.sightings import Account, Sightings
from isthmus_operator.visits import Visits

ROUTE = Key("Route", "shop", "it")
PAGE = {
    "routes": [{"namespace": "shop", "name": "it"}],
    "contracts": [{"connector": "pim", "answers": 1, "schemaDrift": []}],
}
SOON = 0.02


def pod(system: Upstream, uid: str = "a") -> Pod:
    return Pod(
        owner="it",
        plan="",
        missing=None,
        trouble="",
        refused=False,
        uid=uid,
        address=f"127.0.0.1:{system.port}",
        version=1,
    )


@contextlib.asynccontextmanager
async def running(
    pods: Callable[[Key], list[Pod]], *routes: Key, every: float = SOON
) -> AsyncIterator[tuple[Sightings, asyncio.Queue[Key]]]:
    """Visits to the pods of these Routes, what is known, and the Routes that they wake."""
    known, woken = Sightings(), asyncio.Queue[Key]()
    for route in routes:
        known.expect(route, has_contract=True)
    asking = asyncio.create_task(Visits(pods, known, wake=woken.put_nowait, every=every).run())
    try:
        yield known, woken
    finally:
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking


@contextlib.asynccontextmanager
async def system(choose: Callable[[Arrival], Behave]) -> AsyncIterator[Upstream]:
    found = Upstream(choose)
    await found.start()
    try:
        yield found
    finally:
        await found.stop()


async def test_a_pod_is_asked_for_its_status_and_wakes_its_route_once() -> None:
    async with (
        system(lambda _: upstreams.answer(PAGE)) as asked,
        running(lambda _: [pod(asked)], ROUTE) as (known, woken),
    ):
        assert await woken.get() == ROUTE
        await asked.until(lambda it: len(it.arrivals) >= 5)

        assert {each.target for each in asked.arrivals} == {"/status"}
        assert known.of(ROUTE, [pod(asked)]) == [Account(True, {})]
        assert woken.empty()


WRONG = {
    "a body without end": upstreams.Flood(64 << 20, chunked=True),
    "no HTTP": upstreams.says(b"nonsense\r\n\r\n"),
    "a broken connection": upstreams.resets(),
    "an error": upstreams.answer(PAGE, status=500),
    "the page of another Route": upstreams.answer({**PAGE, "routes": []}),
}


@pytest.mark.parametrize("behave", WRONG.values(), ids=WRONG)
async def test_what_is_no_answer_changes_nothing(behave: Behave) -> None:
    async with (
        system(lambda _: behave) as asked,
        running(lambda _: [pod(asked)], ROUTE) as (known, woken),
    ):
        await asked.until(lambda it: len(it.arrivals) >= 2)

        assert known.of(ROUTE, [pod(asked)]) == [None]
        assert woken.empty()


async def test_nobody_is_led_elsewhere() -> None:
    async with system(lambda _: upstreams.answer(PAGE)) as elsewhere:
        away = upstreams.answer(status=307, headers=(f"location: {elsewhere.url}/status",))
        async with system(lambda _: away) as asked, running(lambda _: [pod(asked)], ROUTE):
            await asked.until(lambda it: len(it.arrivals) >= 2)

        assert elsewhere.arrivals == []


async def test_pods_that_hang_do_not_keep_others_from_being_asked() -> None:
    other = Key("Route", "shop", "other")
    page = {**PAGE, "routes": [{"namespace": "shop", "name": "other"}]}
    async with (
        system(lambda _: upstreams.hangs()) as hanging,
        system(lambda _: upstreams.answer(page)) as well,
        running(lambda route: [pod(hanging if route == ROUTE else well)], ROUTE, other) as (
            _,
            woken,
        ),
    ):
        assert await woken.get() == other


async def test_many_are_asked_a_few_at_a_time_and_of_a_route_some_pods(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(visits, "PER_SECOND", 10_000)
    routes = [Key("Route", "shop", f"it-{number}") for number in range(60)]
    release = asyncio.Event()
    async with (
        system(lambda _: upstreams.answer(PAGE, when=release)) as asked,
        running(
            lambda _: [pod(asked, str(number)) for number in range(sightings.MAX_PODS + 10)],
            *routes,
            every=0.0,
        ),
    ):
        await asked.until(lambda it: it.under_way == visits.AT_ONCE)
        release.set()
        await asked.until(lambda it: len(it.arrivals) >= 60)

        assert asked.most_under_way <= visits.AT_ONCE
        assert asked.most_open <= visits.AT_ONCE + 1  # one may be about to close


async def test_a_visit_that_goes_wrong_ends_none_of_the_others() -> None:
    other = Key("Route", "shop", "other")

    def pods(route: Key) -> list[Pod]:
        return [pod(asked, uid="a")] if route == ROUTE else [pod(asked, uid=[])]  # type: ignore[arg-type] # no uid can be kept

    async with (
        system(lambda _: upstreams.answer(PAGE)) as asked,
        running(pods, other, ROUTE) as (_, woken),
    ):
        assert await woken.get() == ROUTE
