"""Renewed credentials: when they are fetched, and what holds when that fails."""

import pytest

from isthmus_runtime.connectors.auth.renewed import Fetched, Renewed
from isthmus_runtime.connectors.auth.scheme import Credentials, SignInFailed

DEADLINE = 1e9


class Source:
    """Gives numbered credentials that live for 100 s, or fails as it is told."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked = 0
        self.failure: SignInFailed | None = None

    async def fetch(self, deadline: float) -> Fetched:
        self.asked += 1
        if self.failure:
            raise self.failure
        return Fetched(Credentials(query=str(self.asked)), 100.0)

    def renewed(self) -> Renewed:
        return Renewed(self.fetch, asked="it", timeout=5.0, now=lambda: self.now)


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
