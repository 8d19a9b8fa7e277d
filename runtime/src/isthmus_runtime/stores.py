"""Stores: what `remember` writes and `lookup` reads, in the journal.

What a message remembers is written together with its end, so a failed attempt leaves nothing
behind that would change the next one. Until then the message itself, and only it, reads it.
"""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Final

from isthmus_api import json_text
from isthmus_api.store import Lookup, Remember
from isthmus_runtime.body import Body
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Broken, Fault
from isthmus_runtime.journal.entries import Memory
from isthmus_runtime.journal.journal import Store, Unavailable
from isthmus_runtime.steps.bound import Binder, Template
from isthmus_runtime.steps.verb import Plain, Run, Waiting

MAX_KEPT: Final = 1000
"""Entries that one message keeps at hand after it looked them up."""

_Name = tuple[str, str | None, str | None]


class Pending:
    """What one message has remembered and looked up so far."""

    def __init__(self) -> None:
        self._written: dict[tuple[str, str], Memory] = {}
        self._read: dict[_Name, Memory | None] = {}

    @property
    def written(self) -> tuple[Memory, ...]:
        """What is to be written with the message's end: the last of each key, in their order."""
        return tuple(self._written.values())

    def write(self, memory: Memory) -> None:
        """Remember."""
        self._written.pop((memory.store, memory.key), None)
        self._written[memory.store, memory.key] = memory

    def find(self, name: _Name) -> Memory | None:
        """What this message remembered itself."""
        store, key, reference = name
        if key is not None:
            return self._written.get((store, key))
        found = (m for m in self._written.values() if (m.store, m.reference) == (store, reference))
        return next(found, None)

    def is_overwritten(self, memory: Memory) -> bool:
        """Whether this message remembered something else for the entry's key."""
        return (memory.store, memory.key) in self._written

    def knows(self, name: _Name) -> bool:
        """Whether it was looked up before."""
        return name in self._read

    def recall(self, name: _Name) -> Memory | None:
        """What was found then."""
        return self._read[name]

    def keep(self, name: _Name, found: Memory | None) -> None:
        """Keep what was found, as long as there is room."""
        if len(self._read) < MAX_KEPT:
            self._read[name] = found


_PENDING: ContextVar[Pending | None] = ContextVar("pending", default=None)


def begin() -> Pending:
    """What this task, and those it starts, remember from here on."""
    pending = Pending()
    _PENDING.set(pending)
    return pending


class Stores:
    """The stores of a namespace, as the steps of one Route use them."""

    def __init__(self, namespace: str, journal: Callable[[], Store]) -> None:
        self._namespace = namespace
        self._journal = journal

    def remembering(self, spec: Remember, binder: Binder) -> Plain:
        """The verb of a remember step."""
        key = binder.template(spec.key)
        reference = binder.template(spec.reference) if spec.reference else None
        tree = binder.tree(spec.value) if "value" in spec.written() else None
        ttl = spec.ttl.seconds if spec.ttl else None

        def remember(x: Exchange) -> None:
            body = tree.body(x) if tree else x.body
            body.value  # noqa: B018 - what is no JSON fails here, not whoever looks it up
            memory = Memory(
                namespace=self._namespace,
                store=spec.store,
                key=_name(key, x, "key"),
                value=body.json(),
                reference=_name(reference, x, "reference") if reference else None,
                ttl=ttl,
            )
            (_PENDING.get() or begin()).write(memory)

        return remember

    def looking_up(self, spec: Lookup, binder: Binder) -> Waiting:
        """The verb of a lookup step."""
        key = binder.template(spec.key) if spec.key else None
        reference = binder.template(spec.reference) if spec.reference else None

        async def look_up(x: Exchange) -> Body:
            name = (
                spec.store,
                _name(key, x, "key") if key else None,
                _name(reference, x, "reference") if reference else None,
            )
            found = await self._find(name)
            return Body.of(None) if found is None else _entry(found)

        return look_up

    def written_before_the_answer(self, run: Run) -> Run:
        """The steps of a Route that answers its caller: what they remember is durable by then."""

        async def run_and_write(x: Exchange) -> None:
            pending = begin()
            waiting = run(x)
            if waiting is not None:
                await waiting
            if pending.written:
                await self._write(pending.written)

        return run_and_write

    async def _find(self, name: _Name) -> Memory | None:
        pending = _PENDING.get() or begin()
        own = pending.find(name)
        if own is not None:
            return own
        found = pending.recall(name) if pending.knows(name) else await self._read(name)
        pending.keep(name, found)
        return None if found is None or pending.is_overwritten(found) else found

    async def _read(self, name: _Name) -> Memory | None:
        store, key, reference = name
        try:
            return await self._journal().get(self._namespace, store, key=key, reference=reference)
        except Unavailable as error:
            raise _away() from error

    async def _write(self, memories: Sequence[Memory]) -> None:
        try:
            await self._journal().put(memories)
        except Unavailable as error:
            raise _away() from error


def _away() -> Fault:
    return Fault("JournalUnavailable", "the journal cannot be reached", 503)


def _name(template: Template, x: Exchange, what: str) -> str:
    text = template.text(x)
    if not text:
        raise Broken("KeyMissing", f"the {what} of the entry is empty")
    return text


def _entry(found: Memory) -> Body:
    decoded = json_text.decode(found.value)
    entry = {"key": found.key, "reference": found.reference, "value": decoded.value}
    return Body.of(entry, decoded.large)
