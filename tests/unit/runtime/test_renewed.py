"""Renewed credentials: when they are fetched, and what holds when that fails."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from isthmus_runtime import logs
from isthmus_runtime.connectors.auth.record import Record
from isthmus_runtime.connectors.auth.renewed import Fetched, Renewed
from isthmus_runtime.connectors.auth.scheme import Credentials, SignInFailed

DEADLINE = 1e9


@pytest.fixture(autouse=True)
def logged() -> Iterator[None]:
    with logs.captured():
        yield


class Source:
    """Gives numbered credentials that live for 100 s, or fails as it is told."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked = 0
        self.failure: SignInFailed | None = None
        self.secrets = 1
        self.record = Record("default", "it")

    async def fetch(self, deadline: float) -> Fetched:
        self.asked += 1
        if self.failure:
            raise self.failure
        return Fetched(Credentials(query=str(self.asked)), 100.0)

    def renewed(self, jitter: float = 1.0) -> Renewed:
        return Renewed(
            self.fetch,
            asked="it",
            timeout=5.0,
            fingerprint=lambda: self.secrets,
            record=self.record,
            now=lambda: self.now,
            jitter=lambda: jitter,
        )

    async def asked_at(self, held: Renewed, *, until: float) -> list[float]:
        """When it is asked if a call is made every tenth of a second."""
        begun, moments = self.now, []
        while self.now < begun + until:
            asked = self.asked
            with pytest.raises(SignInFailed):
                await held.get(deadline=DEADLINE)
            if self.asked != asked:
                moments.append(round(self.now - begun, 1))
            self.now += 0.1
        return moments


async def test_what_is_good_is_not_fetched_again_until_a_tenth_of_its_life_is_left() -> None:
    source = Source()
    held = source.renewed()
    seen = []
    for now in (1000.0, 1089.9, 1090.0, 1179.9):
        source.now = now
        seen.append((await held.get(deadline=DEADLINE)).query)

    assert seen == ["1", "1", "2", "2"]


async def test_what_is_good_serves_on_when_a_renewal_fails_in_passing() -> None:
    source = Source()
    held = source.renewed()
    first = await held.get(deadline=DEADLINE)
    source.failure = SignInFailed("busy", passing=True)
    source.now = 1095.0

    assert await held.get(deadline=DEADLINE) is first
    assert await held.get(deadline=DEADLINE) is first
    assert source.asked == 2
    source.now = 1100.0
    with pytest.raises(SignInFailed, match="busy"):
        await held.get(deadline=DEADLINE)


async def test_a_renewal_that_is_refused_fails_at_once() -> None:
    source = Source()
    held = source.renewed()
    await held.get(deadline=DEADLINE)
    source.failure = SignInFailed("no")
    source.now = 1095.0

    with pytest.raises(SignInFailed, match="no"):
        await held.get(deadline=DEADLINE)


async def test_what_was_refused_is_replaced_unless_it_was_already() -> None:
    source = Source()
    held = source.renewed()
    first = await held.get(deadline=DEADLINE)

    assert held.drop(first)
    second = await held.get(deadline=DEADLINE)
    assert held.drop(first)

    assert await held.get(deadline=DEADLINE) is second
    assert source.asked == 2


async def test_what_fails_is_asked_less_and_less_often() -> None:
    source = Source()
    source.failure = SignInFailed("busy", passing=True)

    moments = await source.asked_at(source.renewed(), until=120)

    waits = [round(b - a, 1) for a, b in itertools.pairwise(moments)]
    assert moments[0] == 0.0
    assert [wait for wait in waits if wait < 5] == pytest.approx(
        [0.2, 0.4, 0.8, 1.6, 3.2], abs=0.11
    )
    assert waits[-1] == pytest.approx(30.0, abs=0.11)


async def test_what_is_refused_is_asked_for_far_less() -> None:
    source = Source()
    source.failure = SignInFailed("no", refused=True)

    moments = await source.asked_at(source.renewed(), until=1500)

    waits = [b - a for a, b in itertools.pairwise(moments)]
    assert source.record.is_refused
    assert waits[:3] == pytest.approx([5, 10, 20], abs=0.11)
    assert waits[-1] == pytest.approx(300, abs=0.11)


async def test_processes_that_failed_together_do_not_come_back_together() -> None:
    early, late = Source(), Source()
    early.failure = late.failure = SignInFailed("no", refused=True)

    moments = [
        await source.asked_at(source.renewed(jitter), until=6)
        for source, jitter in ((early, 0.0), (late, 1.0))
    ]

    assert moments == [[0.0, pytest.approx(2.5, abs=0.11)], [0.0, pytest.approx(5.0, abs=0.11)]]


async def test_a_call_that_nobody_is_asked_for_fails_as_the_last_one_did() -> None:
    source = Source()
    source.failure = SignInFailed("no", status=504, passing=True, retry_after=60.0)
    held = source.renewed()
    seen: list[Any] = []
    for now in (1000.0, 1020.0, 1059.9):
        source.now = now
        with pytest.raises(SignInFailed) as told:
            await held.get(deadline=DEADLINE)
        error = told.value
        seen.append((str(error), error.status, error.passing, error.retry_after))

    assert seen == [("no", 504, True, pytest.approx(wait, abs=0.011)) for wait in (60.0, 40.0, 0.1)]
    assert source.asked == 1
    source.now = 1060.0
    source.failure = None
    assert (await held.get(deadline=DEADLINE)).query == "2"
    assert not source.record.is_refused


async def test_another_secret_is_tried_at_once_and_its_failures_count_anew() -> None:
    source = Source()
    source.failure = SignInFailed("no", refused=True)
    held = source.renewed()
    await source.asked_at(held, until=40)
    asked = source.asked
    source.secrets = 2

    moments = await source.asked_at(held, until=6)

    assert moments == [0.0, pytest.approx(5.0, abs=0.11)]
    source.secrets, source.failure = 3, None
    assert (await held.get(deadline=DEADLINE)).query == str(asked + 3)


async def test_a_secret_that_changes_while_it_is_asked_is_tried_next() -> None:
    source = Source()
    held = source.renewed()
    fetch = source.fetch

    async def slow(deadline: float) -> Fetched:
        source.secrets = 2
        return await fetch(deadline)

    held._fetch = slow
    source.failure = SignInFailed("no", refused=True)
    with pytest.raises(SignInFailed):
        await held.get(deadline=DEADLINE)
    source.failure = None

    assert (await held.get(deadline=DEADLINE)).query == "2"


async def test_after_what_worked_waits_are_short_again() -> None:
    source = Source()
    source.failure = SignInFailed("busy", passing=True)
    held = source.renewed()
    await source.asked_at(held, until=40)
    source.now += 30
    source.failure = None
    used = await held.get(deadline=DEADLINE)
    held.drop(used)
    source.failure = SignInFailed("busy", passing=True)

    assert (await source.asked_at(held, until=0.5))[:2] == pytest.approx([0.0, 0.2], abs=0.11)


async def test_what_is_good_serves_on_while_less_and_less_is_asked() -> None:
    source = Source()
    held = source.renewed()
    first = await held.get(deadline=DEADLINE)
    source.failure = SignInFailed("busy", passing=True)
    source.now = 1090.0
    while source.now < 1099.9:
        assert await held.get(deadline=DEADLINE) is first
        source.now += 0.1

    assert source.asked == 1 + 6


async def test_when_new_ones_are_refused_too_they_are_kept_for_longer_each_time() -> None:
    source = Source()
    held = source.renewed()
    moments = []
    while source.now < 1100.0:
        used = await held.get(deadline=DEADLINE)
        if held.drop(used):
            moments.append(round(source.now - 1000, 1))
            for _ in range(3):  # calls that were under way together
                held.in_vain(await held.get(deadline=DEADLINE))
        source.now += 0.1

    assert moments == pytest.approx([0, 2, 6, 14, 30, 60, 90], abs=0.8)


async def test_with_another_secret_new_ones_are_fetched_at_once() -> None:
    source = Source()
    held = source.renewed()
    held.in_vain(await held.get(deadline=DEADLINE))
    assert not held.drop(await held.get(deadline=DEADLINE))
    source.secrets = 2

    assert held.drop(await held.get(deadline=DEADLINE))


async def test_refusals_that_lie_further_back_do_not_count() -> None:
    source = Source()
    held = source.renewed()
    for _ in range(6):
        held.in_vain(await held.get(deadline=DEADLINE))
        source.now += 61
        assert held.drop(await held.get(deadline=DEADLINE))
    held.in_vain(await held.get(deadline=DEADLINE))
    source.now += 2.1

    assert held.drop(await held.get(deadline=DEADLINE))
