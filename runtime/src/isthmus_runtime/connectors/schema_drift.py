"""Schema drift: answers of a Connector that are not as the vendor's document says.

A few answers a minute are looked at, in a thread, after the Route has got them. Each difference is
logged once and stays in the metrics and in `/status` until the document is another one. Names of
fields are told, values never. A Connector without a contract has none of this.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

import orjson

from isthmus_api.contracts import document
from isthmus_api.contracts.document import Unreadable
from isthmus_api.contracts.operations import Directory
from isthmus_api.contracts.shapes import Shape, type_of
from isthmus_runtime import logs
from isthmus_runtime.connectors.connector import Call, Send
from isthmus_runtime.http.messages import Response

Read = Callable[[], bytes]
"""The text of a document; raises OSError."""
Kind = Literal["new", "missing", "retyped"]

EVERY_SECONDS: Final = 2.0
"""Between two answers of one kind of call that are looked at."""
REREAD_SECONDS: Final = 60.0
MAX_CALLS: Final = 64
"""Kinds of calls that are told apart: by method and first part of the path."""
MAX_FINDINGS: Final = 100
MAX_BODY: Final = 1 << 20
MAX_VALUES: Final = 5_000
MAX_ITEMS: Final = 20
"""Of a list so many elements are looked at, from its beginning."""
MAX_NAME: Final = 64


class Drift(NamedTuple):
    """One difference; `path` is that of the field, without any value."""

    operation: str
    kind: Kind
    path: str


Differences = dict[tuple[Kind, str], str]
"""What each of the kinds and paths is told with: of what is retyped the types, else nothing."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What looking at one answer came to."""

    trouble: str
    """Why the document cannot be used, if it cannot."""
    operation: str = ""
    """The operation that was called; empty where the document says nothing of its answer."""
    differences: Differences = field(default_factory=dict)


@dataclass(slots=True)
class _Budget:
    left: int = MAX_VALUES


class Watch:
    """Looks at answers of one Connector."""

    def __init__(self, namespace: str, name: str, base_url: str, read: Read) -> None:
        self.namespace = namespace
        self.name = name
        self.trouble = ""
        """Why the document cannot be used; empty while it can."""
        self.found: dict[Drift, str] = {}
        """With the types of what is retyped."""
        self.answers = 0
        """Those that were held against the document as it is now."""
        self._base_url = base_url
        self._read = read
        self._text: bytes | None = None
        self._directory: Directory | None = None
        self._read_again = 0.0
        self._next: dict[tuple[str, str], float] = {}
        self._looking: asyncio.Task[None] | None = None

    def around(self, send: Send) -> Send:
        """The same call, whose answers are looked at now and then."""

        async def watched(call: Call, deadline: float) -> Response:
            answer = await send(call, deadline)
            if self._looking is None:
                self._offer(call, answer)
            return answer

        return watched

    async def idle(self) -> None:
        """Return once no answer is being looked at."""
        if self._looking:
            await asyncio.wait({self._looking})

    def close(self) -> None:
        """Look at nothing any more."""
        if self._looking:
            self._looking.cancel()

    def status(self) -> dict[str, Any]:
        """What `/status` shows."""
        return {
            "namespace": self.namespace,
            "connector": self.name,
            **({"unreadable": self.trouble} if self.trouble else {}),
            "answers": self.answers,
            "schemaDrift": [
                {**each._asdict(), **({"types": types} if types else {})}
                for each, types in self.found.items()
            ],
        }

    def _offer(self, call: Call, answer: Response) -> None:
        sign = (call.method, call.target.partition("?")[0].split("/", 2)[1])
        now = time.monotonic()
        if now < self._next.get(sign, 0.0) or len(answer.body) > MAX_BODY:
            return
        if sign not in self._next and len(self._next) >= MAX_CALLS:
            return
        self._next[sign] = now + EVERY_SECONDS
        self._looking = asyncio.create_task(self._look(call, answer.body))

    async def _look(self, call: Call, body: bytes) -> None:
        try:
            look = await asyncio.to_thread(self._differences, call, body)
            if look.trouble and look.trouble != self.trouble:
                logs.warning("a contract cannot be read", connector=self.name, reason=look.trouble)
            self.trouble = look.trouble
            if look.operation:
                self.answers += 1
            for (kind, path), types in look.differences.items():
                self._note(Drift(look.operation, kind, path), types)
        except Exception as error:  # what looks at answers must never harm them
            logs.error("an answer could not be looked at", error, connector=self.name)
        finally:
            self._looking = None

    def _note(self, drift: Drift, types: str) -> None:
        if drift in self.found or len(self.found) >= MAX_FINDINGS:
            return
        self.found[drift] = types
        logs.warning(
            "an answer is not as the contract says",
            namespace=self.namespace,
            connector=self.name,
            operation=drift.operation,
            drift=drift.kind,
            field=drift.path,
            **({"types": types} if types else {}),
        )

    def _differences(self, call: Call, body: bytes) -> _Look:
        """In a thread: look at an answer."""
        trouble = self._renew()
        if self._directory is None:
            return _Look(trouble)
        path = call.target.partition("?")[0]
        operation = self._directory.find(call.method, path, base_url=self._base_url)
        if operation is None or operation.answer is None:
            return _Look(trouble)
        with contextlib.suppress(orjson.JSONDecodeError):
            differences = of_value(orjson.loads(body), operation.answer)
            return _Look(trouble, operation.name, differences)
        return _Look(trouble)

    def _renew(self) -> str:
        """Read the document when it was not read for a while; another one makes everything new."""
        now = time.monotonic()
        if now < self._read_again:
            return self.trouble
        self._read_again = now + REREAD_SECONDS
        try:
            text = self._read()
            if text == self._text:
                return self.trouble
            self._text, self._directory = text, None
            self.found, self.answers = {}, 0
            self._directory = Directory(document.read(text, name=self.name))
        except OSError as error:
            return error.strerror or type(error).__name__
        except Unreadable as fault:
            return fault.message
        return ""


def of_value(value: Any, shape: Shape) -> Differences:
    """The differences between a value and what is said of it, the first of each kind and path."""
    found: Differences = {}
    for kind, path, types in _compare(value, shape, "$", _Budget()):
        found.setdefault((kind, path), types)
    return found


def _compare(
    value: Any, shape: Shape, path: str, budget: _Budget
) -> Iterator[tuple[Kind, str, str]]:
    budget.left -= 1
    if budget.left < 0:
        return
    given = type_of(value)
    if not _is_of(given, shape.types):
        yield "retyped", path, f"{given}, not {' or '.join(sorted(shape.types))}"
    elif isinstance(value, list):
        items = shape.items
        for item in value[:MAX_ITEMS] if items else ():
            yield from _compare(item, items or shape, f"{path}[]", budget)
    elif isinstance(value, dict):
        yield from _compare_fields(value, shape, path, budget)


def _compare_fields(
    value: dict[str, Any], shape: Shape, path: str, budget: _Budget
) -> Iterator[tuple[Kind, str, str]]:
    names = frozenset(shape.names)
    for name in shape.required:
        if name not in value:
            yield "missing", f"{path}.{_shown(name)}", ""
    for name, inner in value.items():
        field = shape.field(name)
        # A key of a map is data; of a field that the document names, the name is told.
        at = f"{path}.{_shown(name) if name in names or field is None else '*'}"
        if field is None:
            yield "new", at, ""
        else:
            yield from _compare(inner, field, at, budget)


def _is_of(given: str, types: frozenset[str]) -> bool:
    return not types or given in types or (given in ("integer", "number") and "number" in types)


def _shown(name: str) -> str:
    printable = "".join(character if character.isprintable() else "?" for character in name)
    return printable if len(printable) <= MAX_NAME else f"{printable[:MAX_NAME]}…"
