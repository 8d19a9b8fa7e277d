"""The keys that an issuer publishes: they rotate, they go away, they come back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from issuers import Published, ec_key, rsa_key
from served import Start

from isthmus_runtime.callers.keyrings import Keyrings
from isthmus_runtime.faults import Fault

ONE, TWO = rsa_key("one"), ec_key("two")


@dataclass
class Clock:
    """A clock that a test sets; it begins like that of a machine that has just started."""

    now: float = 5.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def keyrings(clock: Clock) -> AsyncIterator[Keyrings]:
    made = Keyrings(clock=clock)
    yield made
    await made.keep(())


async def test_a_key_that_is_new_is_fetched_but_not_twice_a_minute(
    keyrings: Keyrings, clock: Clock, upstream: Start
) -> None:
    published = Published([ONE])
    ring = keyrings.of((await upstream(published)).url)

    assert ring.find("one", "RS256") is None
    assert await ring.fetched("one", "RS256") is not None
    assert ring.find("one", "RS256") is not None

    published.keys = [TWO]
    assert await ring.fetched("two", "ES256") is None  # it was looked at just now
    assert published.asked == 1

    clock.now += 61
    many = await asyncio.gather(*(ring.fetched("two", "ES256") for _ in range(20)))
    assert None not in many
    assert published.asked == 2
    assert ring.find("one", "RS256") is None  # the issuer has withdrawn it


async def test_strangers_ids_do_not_have_keys_fetched_again_and_again(
    keyrings: Keyrings, clock: Clock, upstream: Start
) -> None:
    published = Published([ONE])
    ring = keyrings.of((await upstream(published)).url)
    await ring.fetched("one", "RS256")
    clock.now += 61

    for number in range(50):
        assert await ring.fetched(f"x{number}", "RS256") is None

    assert published.asked == 2


async def test_old_keys_are_fetched_again_while_nobody_waits(
    keyrings: Keyrings, clock: Clock, upstream: Start
) -> None:
    published = Published([ONE])
    issuer = await upstream(published)
    ring = keyrings.of(issuer.url)
    await ring.fetched("one", "RS256")
    published.keys = [TWO]
    clock.now += 601

    assert ring.find("one", "RS256") is not None  # answered with what is known
    assert await ring.fetched("two", "ES256") is not None  # joins what that began
    assert ring.find("one", "RS256") is None
    assert published.asked == 2


WORTHLESS = {"no JSON": b"<html>", "no keys": b'{"keys":[]}', "no list": b'{"keys":{}}'}


@pytest.mark.parametrize("body", [None, *WORTHLESS.values()], ids=["an error", *WORTHLESS])
async def test_keys_stay_while_new_ones_cannot_be_had(
    keyrings: Keyrings, clock: Clock, upstream: Start, body: bytes | None
) -> None:
    published = Published([ONE])
    ring = keyrings.of((await upstream(published)).url)
    await ring.fetched("one", "RS256")
    published.fails, published.body = body is None, body
    clock.now += 601

    assert await ring.fetched("two", "ES256") is None
    assert published.asked == 2
    assert ring.find("one", "RS256") is not None


async def test_an_issuer_that_goes_away_and_comes_back(
    keyrings: Keyrings, clock: Clock, upstream: Start
) -> None:
    issuer = await upstream(Published([ONE]))
    await issuer.stop()
    ring = keyrings.of(issuer.url)

    for _ in range(2):
        with pytest.raises(Fault) as refused:
            await ring.fetched("one", "RS256")
        assert (refused.value.reason, refused.value.status) == ("KeysUnavailable", 503)

    await issuer.start()
    clock.now += 1.5  # without any keys it is tried again soon
    assert await ring.fetched("one", "RS256") is not None

    await issuer.stop()
    clock.now += 601
    assert ring.find("one", "RS256") is not None
    assert await ring.fetched("two", "ES256") is None
    assert ring.find("one", "RS256") is not None


async def test_a_caller_that_goes_away_takes_no_fetch_with_it(
    keyrings: Keyrings, upstream: Start
) -> None:
    published = Published([ONE], held=asyncio.Event())
    issuer = await upstream(published)
    ring = keyrings.of(issuer.url)
    first = asyncio.create_task(ring.fetched("one", "RS256"))
    second = asyncio.create_task(ring.fetched("one", "RS256"))
    await issuer.until(lambda it: len(it.arrivals) == 1)

    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert published.held is not None
    published.held.set()

    assert await second is not None
    assert published.asked == 1
