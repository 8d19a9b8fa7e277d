"""Exchange: one message on its way through a Route."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from isthmus_runtime.body import Body
from isthmus_runtime.faults import Rejected
from isthmus_runtime.http.messages import Head, Response
from isthmus_runtime.tracing import Trace

PLACE: Final = "#place"
"""A variable that no expression can name: which element of which splits a message is, as `.2.0`."""

IDENTITY: Final = "#identity"
"""Another one: what targets know the message, or the batch, by."""


class Exchange:
    """A message, the variables bound so far, and how it ends.

    `deadline` is in the event loop's time. Once `ended` is set no further step runs; `response` is
    then the answer, or nothing when the message was filtered out.
    """

    __slots__ = ("_learned", "body", "deadline", "ended", "response", "trace", "variables")

    def __init__(
        self, body: Body, *, variables: dict[str, Any], deadline: float, trace: Trace
    ) -> None:
        self.body = body
        self.variables = variables
        self.deadline = deadline
        self.trace = trace
        self.ended = False
        self.response: Response | None = None
        self._learned = body.large

    @property
    def large(self) -> frozenset[str]:
        """The digits of large integers met so far; a body knows its own once it is decoded."""
        return self._learned | self.body.large

    def bind(self, name: str, body: Body) -> None:
        """Make a result readable as `$name` and keep the body."""
        self.variables[name] = body.value
        if body.large:
            self.learn(body.large)

    def take(self, body: Body) -> None:
        """Make a result the body."""
        if self._learned or self.body.large:
            body.large = self._learned = self.large | body.large
        self.body = body

    def learn(self, large: frozenset[str]) -> None:
        """Remember the digits of large integers that a result holds."""
        if large:
            self._learned = self.body.large = self.large | large

    def view(self, names: tuple[str, ...]) -> dict[str, Any] | None:
        """The variables that an expression reads: the engine converts each one at every call."""
        if not names:
            return None
        variables = self.variables
        found = {}
        for name in names:
            if name in variables:
                found[name] = variables[name]
        return found

    def fork(self, body: Body, **variables: Any) -> "Exchange":
        """A message of its own for a branch that runs beside others."""
        body.large |= self.large
        bound = {**self.variables, **variables}
        return Exchange(body, variables=bound, deadline=self.deadline, trace=self.trace)

    def end(self, response: Response | None = None) -> None:
        """Let no further step run."""
        self.ended = True
        self.response = response


_MAX_PARAMETERS = 1000

_READERS: dict[str, Callable[[Head, dict[str, str]], Any]] = {
    "method": lambda head, _: head.method,
    "path": lambda head, _: head.path,
    "params": lambda _, params: params,
    "query": lambda head, _: _query(head),
    "headers": lambda head, _: _headers(head),
}
SENT_FIELDS = frozenset(_READERS)
REQUEST_FIELDS = SENT_FIELDS | {"caller"}
"""A request says nothing of who sent it: the guard of a Route does."""


def request_variable(
    head: Head, params: dict[str, str], fields: frozenset[str] = SENT_FIELDS
) -> dict[str, Any]:
    """What `$request` is: method, path, path variables, query and headers.

    Only the `fields` that some expression reads are made. A query parameter or header that comes
    several times is a list.
    """
    return {name: _READERS[name](head, params) for name in fields}


def _query(head: Head) -> dict[str, Any]:
    query = head.query
    if query.count("&") >= _MAX_PARAMETERS:
        detail = f"the query has more than {_MAX_PARAMETERS} parameters"
        raise Rejected("BadRequest", detail, 400)
    if "+" in query:
        query = query.replace("+", " ")
    pairs = []
    for pair in query.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            pairs.append((_decoded(name), _decoded(value)))
    return collected(pairs)


def _decoded(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "replace") if "%" in text else text


def _headers(head: Head) -> dict[str, Any]:
    return collected(
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers]
    )


def collected(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Names and values as an object; a name that comes several times has the list of its values."""
    found: dict[str, Any] = dict(pairs)
    if len(found) == len(pairs):
        return found
    found = {}
    for name, value in pairs:
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found
