"""Schedule: one message at each set time, however many replicas there are.

Every replica waits for the time and says so to the journal, which lets one of them accept the
message. What time was the last is in the journal, too, so times that pass while nothing runs are
noticed; the wall's clock is looked at again and again, so it may jump.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from isthmus_api import cron
from isthmus_api.schedule import ScheduleSource
from isthmus_runtime import logs, metrics
from isthmus_runtime.delivery.absence import Absence
from isthmus_runtime.drafting import Drafter
from isthmus_runtime.journal.journal import Journal
from isthmus_runtime.sources.fires import Fires
from isthmus_runtime.sources.moments import made_up_for
from isthmus_runtime.steps.bound import Binder

_LOOK_AGAIN: Final = 30.0
"""Seconds after which the clock is looked at, should it have jumped."""

Clock = Callable[[], datetime]


def wall() -> datetime:
    """The wall's time."""
    return datetime.now(UTC)


class Schedule:
    """The schedule of one Route."""

    def __init__(
        self,
        namespace: str,
        name: str,
        spec: ScheduleSource,
        *,
        journal: Callable[[], Journal],
        binder: Binder,
        drafter: Drafter,
        variables: dict[str, Any],
        clock: Clock = wall,
    ) -> None:
        self._spec = spec
        self._cron = cron.parse(spec.cron, spec.time_zone)
        self._journal = journal
        self._fires = Fires(spec, binder=binder, drafter=drafter, variables=variables)
        self._route = f"{namespace}/{name}"
        self._clock = clock
        self._late = (
            timedelta(seconds=spec.starting_deadline.seconds) if spec.starting_deadline else None
        )
        self._labels = (namespace, name)
        self._last: datetime | None = None
        self._next: datetime | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to wait for times."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Fire no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def status(self) -> dict[str, Any]:
        """When it fired last, as far as this replica knows, and when it will next."""
        return {
            "kind": "schedule",
            "cron": self._spec.cron,
            "timeZone": self._spec.time_zone,
            "last": self._last and self._last.isoformat(),
            "next": self._next and self._next.isoformat(),
        }

    async def _run(self) -> None:
        away = Absence("the schedule cannot fire", route=self._route)
        while True:
            try:
                await self.look()
            except Exception as failure:
                await asyncio.sleep(away.note(failure))
                continue
            away.over()
            await asyncio.sleep(self._rest())

    def _rest(self) -> float:
        """Seconds until the next time, or until the clock is looked at again."""
        now = self._clock()
        since = now if self._last is None else max(now, self._last)
        self._next = self._cron.after(since)
        if self._next is None:
            return _LOOK_AGAIN
        return min(max((self._next - now).total_seconds(), 0.001), _LOOK_AGAIN)

    async def look(self) -> None:
        """Look at the clock, and fire for what has passed since the last time."""
        now = self._clock()
        last = await self._last_fire(now)
        passed = self._cron.missed(last, now)
        if not passed:
            return
        wanted = made_up_for(passed, now=now, missed=self._spec.missed, deadline=self._late)
        for at in wanted:
            await self._fire(at)
        if not wanted:
            self._count("missed")
            if self._spec.overlap != "replace":  # there it would give up what nothing replaces
                await self._journal().fire(self._route, passed[-1], ())
        self._last = passed[-1]

    async def _last_fire(self, now: datetime) -> datetime:
        """The last time that is done with. A Route that is new begins now, and says so: times that
        pass from here on are missed, should it not run."""
        if self._last is None:
            self._last = await self._journal().last_fire(self._route)
        if self._last is None:
            await self._journal().fire(self._route, now, ())
            self._last = now
        return self._last

    async def _fire(self, at: datetime) -> None:
        """Accept its message. Where that cannot be made the time is not done with."""
        journal = self._journal()
        if self._spec.overlap == "skip" and await journal.backlog(self._route):
            if await journal.fire(self._route, at, ()):
                self._count("skipped")
                logs.info(
                    "a time passed without a message: the one before is under way",
                    route=self._route,
                    at=at.isoformat(),
                )
            return
        if await journal.fire(self._route, at, (self._fires.draft(at),)):
            self._count("fired")
            metrics.MESSAGES_ACCEPTED.labels(*self._labels).inc()

    def _count(self, result: str) -> None:
        metrics.SCHEDULE_TIMES.labels(*self._labels, result).inc()
