"""How far the delivery of a Route is behind."""

from journals import ROUTE, accepted, ended, one, until

from isthmus_runtime.journal.entries import State
from isthmus_runtime.journal.journal import Journal


async def test_what_waits_for_a_worker_is_overdue_and_what_waits_for_its_time_is_not(
    journal: Journal,
) -> None:
    async def is_overdue() -> bool:
        return await journal.overdue(ROUTE) > 0.05

    assert await journal.overdue(ROUTE) == 0
    await accepted(journal, "first", "second")
    await until(is_overdue)

    first = await one(journal, limit=1)
    await until(is_overdue)  # the second one waits still
    await journal.settle(ended(first, State.RETRY, delay=60.0))
    await journal.settle(ended(await one(journal)))

    assert await journal.overdue(ROUTE) == 0
    assert await journal.overdue("shop/other") == 0
