"""Poll: asks a Connector again and again; each record is a message.

One replica leads, the others wait to. When a run began is in the journal, so a replica that takes
over does not begin at once. The watermark of a run is committed by the journal, when all that was
read until then is settled; the next run of this process begins where the last one ended, for what
that read is safe.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from isthmus_api import cron
from isthmus_api.connector import HttpTransport
from isthmus_api.expressions.engine import ExpressionError
from isthmus_api.plan import RoutePlan, source_sites
from isthmus_api.poll import PollSource
from isthmus_runtime import answers, faults, logs, metrics, tracing
from isthmus_runtime.body import Body
from isthmus_runtime.connectors import backoff
from isthmus_runtime.delivery.absence import Absence
from isthmus_runtime.drafting import Drafter
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Fault
from isthmus_runtime.journal import tasks
from isthmus_runtime.journal.journal import Journal
from isthmus_runtime.sources import asking, marks
from isthmus_runtime.sources.asking import Taking
from isthmus_runtime.sources.known import Known
from isthmus_runtime.sources.pages import walk
from isthmus_runtime.sources.reading import Progress, Reading
from isthmus_runtime.sources.records import Records
from isthmus_runtime.sources.room import Room
from isthmus_runtime.sources.schedule import Clock, wall
from isthmus_runtime.sources.whole import Whole
from isthmus_runtime.steps.bound import Binder
from isthmus_runtime.steps.call import System

_LEASE: Final = 15.0


class Poll:
    """The poll of one Route."""

    def __init__(
        self,
        plan: RoutePlan,
        spec: PollSource,
        *,
        journal: Callable[[], Journal],
        system: System,
        binder: Binder,
        drafter: Drafter,
        variables: dict[str, Any],
        room: Room,
        owner: str,
        clock: Clock = wall,
        lease: float = _LEASE,
    ) -> None:
        self._route = f"{plan.namespace}/{plan.name}"
        self._labels = (plan.namespace, plan.name)
        self._spec = spec
        self._journal = journal
        self._base_url = _http(plan, spec).base_url
        self._param = source_sites.page_parameter(spec)
        self._records = Records(spec, binder=binder, drafter=drafter, variables=variables)
        self._asking = asking.of(plan, spec, system, binder, variables)
        self._answer = spec.call.answer or system.answer
        self._record_limit = _http(plan, spec).max_response_size.bytes
        watermark = spec.watermark
        self._initial = (
            binder.template(watermark.initial) if watermark and watermark.initial else None
        )
        self._overlap = timedelta(
            seconds=watermark.overlap.seconds if watermark and watermark.overlap else 0
        )
        self._cron = cron.parse(spec.cron, spec.time_zone or "UTC") if spec.cron else None
        self._every = timedelta(seconds=spec.every.seconds if spec.every else 0)
        self._room = room
        self._known = Known()
        self._owner = owner
        self._clock = clock
        self._lease = lease
        self._accepted = metrics.MESSAGES_ACCEPTED.labels(*self._labels)
        self._task: asyncio.Task[None] | None = None
        self._leads = False
        self._next: datetime | None = None
        self._reached: Any = None
        self._failures = 0
        self._trouble = ""
        self._progress: Progress | None = None

    @property
    def notes(self) -> bool:
        """Whether what was delivered for a key must be known."""
        return self._records.is_once

    def start(self) -> None:
        """Begin to wait for being the one that reads."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Read no more; a run under way is left as if its process had ended."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if self._leads:
            self._leads = False
            try:
                async with asyncio.timeout(1):
                    await self._journal().resign(self._name, self._owner)
            except Exception as failure:  # its lease ends
                logs.note("info", "a poll was not resigned", {"detail": type(failure).__name__})

    def status(self) -> dict[str, Any]:
        """Whether this replica reads, and how its last run went."""
        progress = self._progress
        return {
            "kind": "poll",
            "leads": self._leads,
            "next": self._next and self._next.isoformat(),
            "lastRun": progress
            and {
                "pages": progress.pages,
                "records": progress.records,
                "accepted": progress.accepted,
                **({"failure": self._trouble} if self._trouble else {}),
            },
        }

    @property
    def _name(self) -> str:
        return tasks.polling(self._route)

    async def _run(self) -> None:
        away = Absence("the poll cannot be led", route=self._route)
        while True:
            try:
                rest = await self._turn()
            except Exception as failure:
                rest = away.note(failure)
            else:
                away.over()
            await asyncio.sleep(rest)

    async def _turn(self) -> float:
        """Be the one that reads, and read where it is time; seconds to rest after that."""
        self._leads = await self._journal().lead(self._name, self._owner, self._lease)
        if not self._leads:
            self._next = None  # whoever leads now changes it
            return self._lease / 3
        rest = await self._until_next()
        if rest > 0 and not await self._journal().is_asked(self._name):
            return min(rest, self._lease / 3)
        await self._read_while_leading()
        return 0.0

    async def _until_next(self) -> float:
        """Seconds until the next run."""
        now = self._clock()
        if self._next is None:
            self._next = await self._first_time(now)
        rest = self._next - now
        # A clock that was set back must not keep a poll waiting for longer than it ever does.
        return (min(rest, self._every) if self._every else rest).total_seconds()

    async def _first_time(self, now: datetime) -> datetime:
        """When this replica reads first, by when a run began last."""
        last = await self._journal().last_fire(self._route)
        if self._cron is None:
            return now if last is None else last + self._every
        if last is None:
            await self._journal().fire(self._route, now, ())
            last = now
        return now if self._cron.missed(last, now) else self._cron.after(now) or _never(now)

    def _next_time(self, *, failed: bool) -> datetime:
        now = self._clock()
        following = self._cron.after(now) or _never(now) if self._cron else now + self._every
        if not failed:
            return following
        wait = backoff.wait(self._failures, self._asking.backoff)
        return min(following, now + timedelta(seconds=wait))

    async def _read_while_leading(self) -> None:
        """One run, which ends at once when another replica leads."""
        reading = asyncio.create_task(self._read())
        leading = asyncio.create_task(self._keep_leading())
        try:
            await asyncio.wait((reading, leading), return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                await reading
            else:
                logs.warning("a run ended early: another replica leads", route=self._route)
        finally:
            reading.cancel()
            leading.cancel()
            await asyncio.gather(reading, leading, return_exceptions=True)

    async def _keep_leading(self) -> None:
        """Lead until another replica does."""
        away = Absence("the poll cannot be led", route=self._route)
        while True:
            await asyncio.sleep(self._lease / 3)
            try:
                if not await self._journal().lead(self._name, self._owner, self._lease):
                    return
            except Exception as failure:
                away.note(failure)

    async def _read(self) -> None:
        """One run; how it failed, if it did, is told and tried again soon."""
        try:
            await self._read_all()
        except Fault as fault:
            self._failures += 1
            self._trouble = fault.outward
            self._next = self._next_time(failed=True)
            metrics.POLL_RUNS.labels(*self._labels, "failed").inc()
            logs.warning(
                "a run of a poll failed",
                route=self._route,
                reason=fault.reason,
                detail=fault.outward,
                again=self._next.isoformat(),
            )
        else:
            self._failures, self._trouble = 0, ""
            self._next = self._next_time(failed=False)
            metrics.POLL_RUNS.labels(*self._labels, "done").inc()

    async def _read_all(self) -> None:
        journal = self._journal()
        await journal.fire(self._route, self._clock(), ())
        run = await journal.begin_run(self._route)
        mark = marks.later(_read(await journal.watermark(self._route)), self._reached)
        reading = Reading(
            self._route,
            self._taking(run),
            walk(self._spec.pagination, self._base_url, param=self._param),
            journal=journal,
            room=self._room,
            known=self._known,
            max_pages=self._asking.max_pages,
            accepted=self._accepted.inc,
        )
        self._progress = reading.progress
        await reading.through(self._shown(mark))
        reached = marks.later(mark, reading.progress.mark)
        text = None if reached is None else orjson.dumps(reached).decode()
        await journal.end_run(self._route, run, text)
        self._reached = reached
        logs.info(
            "a run of a poll is done",
            route=self._route,
            pages=reading.progress.pages,
            records=reading.progress.records,
            accepted=reading.progress.accepted,
        )

    def _taking(self, run: int) -> Taking:
        """What takes the pages of a run."""
        document = self._spec.document
        if document is None:
            read = answers.reader(self._answer, self._asking.system.name)
            return Whole(self._asking, read, self._records, run=run)
        from isthmus_runtime.sources.streamed import Streamed  # most polls have no document

        return Streamed(
            self._asking,
            self._records,
            document,
            charset=self._answer.charset if self._answer else None,
            record_limit=self._record_limit,
            run=run,
        )

    def _shown(self, mark: Any) -> Any:
        """What `$watermark` is: the mark less the overlap, or what the first run reads."""
        if mark is not None:
            return marks.earlier_by(mark, self._overlap) if self._overlap else mark
        if self._initial is None:
            return None
        x = Exchange(
            Body(b""),
            variables=dict(self._asking.variables),
            deadline=float("inf"),
            trace=tracing.of([]),
        )
        try:
            return self._initial.value(x)
        except ExpressionError as error:
            raise faults.from_expression(error) from error


def _http(plan: RoutePlan, spec: PollSource) -> HttpTransport:
    http = plan.connectors[spec.call.connector].http
    if http is None:
        raise TypeError(f"the connector {spec.call.connector} has no transport")
    return http


def _read(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)


def _never(now: datetime) -> datetime:
    return now + timedelta(days=36_500)
