"""The clerk: does what operators ask, at the desk of a journal."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from isthmus_runtime.desk import answers, requests
from isthmus_runtime.desk.manual import CannotRun, ManualRun
from isthmus_runtime.desk.requests import (
    Audit,
    Count,
    Find,
    NotUnderstood,
    Perform,
    Remembered,
    Send,
    Show,
)
from isthmus_runtime.desk.showing import NotRestorable, Window
from isthmus_runtime.journal.desk import Act, Body, Desk, Record
from isthmus_runtime.journal.journal import JournalError

Answer = dict[str, Any]
Windows = Callable[[str], Window | None]
"""By Route, as `namespace/name`: what may be seen of its messages; None where that is not known."""
Runs = Callable[[str], ManualRun]
"""By Route: what makes its messages; `CannotRun` where that is not known."""


class Clerk:
    """Answers requests about the messages of one namespace, or of all."""

    def __init__(
        self, desk: Desk, windows: Windows, runs: Runs, *, namespace: str | None = None
    ) -> None:
        self._desk = desk
        self._windows = windows
        self._runs = runs
        self._namespace = namespace

    async def answer(self, plain: Any) -> AsyncIterator[Answer]:
        """What a request is answered; an error is an answer, too."""
        try:
            async for answer in self._do(requests.read(plain)):
                yield answer
        except (JournalError, NotUnderstood, NotRestorable, CannotRun) as error:
            yield {"error": str(error)}

    def _do(self, request: requests.Request) -> AsyncIterator[Answer]:
        match request:
            case Find(do="find"):
                return self._find(request)
            case Find():
                return self._export(request)
            case Count(do="preview"):
                return self._preview(request)
            case Count():
                return self._groups(request)
            case Show():
                return self._show(request)
            case Audit():
                return self._audit(request)
            case Remembered():
                return self._remembered(request)
            case Perform():
                return self._perform(request)
            case Send():
                return self._send(request)

    async def _find(self, request: Find) -> AsyncIterator[Answer]:
        page = await self._desk.find(
            request.filter.within(self._namespace), limit=request.limit, cursor=request.cursor
        )
        for line in page.lines:
            yield {"message": answers.line(line)}
        yield {"end": {"cursor": page.cursor}}

    async def _export(self, request: Find) -> AsyncIterator[Answer]:
        page = await self._desk.find(
            request.filter.within(self._namespace), limit=request.limit, cursor=request.cursor
        )
        for line in page.lines:
            record = await self._desk.show(line.uid)
            if record:  # it may have been pruned since
                window = self._windows(line.route)
                yield {"message": answers.with_body(record, window)}
        yield {"end": {"cursor": page.cursor}}

    async def _preview(self, request: Count) -> AsyncIterator[Answer]:
        for standing in await self._desk.preview(request.filter.within(self._namespace)):
            yield {"standing": answers.standing(standing)}
        yield {"end": {}}

    async def _groups(self, request: Count) -> AsyncIterator[Answer]:
        for group in await self._desk.groups(request.filter.within(self._namespace)):
            yield {"group": answers.group(group)}
        yield {"end": {}}

    async def _show(self, request: Show) -> AsyncIterator[Answer]:
        record = await self._record(request.id)
        if record:
            yield {"shown": answers.record(record, self._windows(record.line.route))}
        yield {"end": {}}

    async def _audit(self, request: Audit) -> AsyncIterator[Answer]:
        found, cursor = await self._desk.audit(
            self._namespace, limit=request.limit, cursor=request.cursor
        )
        for each in found:
            yield {"act": answers.act(each)}
        yield {"end": {"cursor": cursor}}

    async def _remembered(self, request: Remembered) -> AsyncIterator[Answer]:
        if self._namespace in (None, request.namespace):
            async for memory in self._desk.remembered(request.namespace, request.store):
                yield {"memory": answers.memory(memory)}
        yield {"end": {}}

    async def _perform(self, request: Perform) -> AsyncIterator[Answer]:
        act = Act(name=request.act, who=request.who, why=request.why)
        chosen = request.filter.within(self._namespace)
        if request.do == "drop":
            steps = self._desk.drop(act, chosen)
        else:
            steps = self._desk.replay(act, chosen, body=await self._body(request))
        async for step in steps:
            yield {"done": list(step.uids)}
        yield {"end": {}}

    async def _send(self, request: Send) -> AsyncIterator[Answer]:
        run = self._runs(request.route)
        act = Act(name=request.act, who=request.who, why=request.why)
        if run.polls and request.body is None and not request.parameters:
            if not request.rehearsal:
                await self._desk.read_now(act, request.route)
            yield {"reads": request.route}
        elif request.rehearsal:
            draft = run.draft(request.body, request.parameters)
            yield {"draft": answers.draft(draft, self._windows(request.route))}
        else:
            step = await self._desk.send(act, run.draft(request.body, request.parameters))
            yield {"done": list(step.uids)}
        yield {"end": {}}

    async def _body(self, request: Perform) -> Body | None:
        """The edited body, with what is masked in it put back."""
        if request.body is None or len(request.filter.ids) != 1:
            return None if request.body is None else Body(request.body.encode())
        record = await self._record(request.filter.ids[0])
        if record is None:
            return Body(request.body.encode())
        window = self._windows(record.line.route) or Window()
        return Body(window.restored(request.body, record.body, record.content_type))

    async def _record(self, uid: str) -> Record | None:
        record = await self._desk.show(uid)
        if record is None or self._namespace is None:
            return record
        return record if record.line.route.startswith(f"{self._namespace}/") else None
