"""Drafting: makes the messages that a Route is to accept, from what a source found.

Key and version are read here, once: a message keeps them. One that cannot be read is drafted
without; the delivery rejects it, so that it is seen, and can be mended and replayed.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from isthmus_api import message as language
from isthmus_api.expressions import templates
from isthmus_api.expressions.engine import ExpressionError
from isthmus_api.json_text import JsonTextError
from isthmus_runtime import identity
from isthmus_runtime.body import Body
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Fault
from isthmus_runtime.journal.entries import Draft, Message, new_uid
from isthmus_runtime.steps.bound import Binder
from isthmus_runtime.tracing import Trace

_NO_DEADLINE: Final = float("inf")
_UNREADABLE: Final = (Fault, ExpressionError, JsonTextError)


class Drafter:
    """Drafts messages for one Route, which is `namespace/name`."""

    def __init__(
        self,
        route: str,
        spec: language.Message | None,
        binder: Binder,
        variables: Mapping[str, Any],
    ) -> None:
        self.route = route
        self._variables = dict(variables)
        self._key = binder.template(spec.key) if spec and spec.key else None
        self._version = binder.template(spec.version) if spec and spec.version else None

    @property
    def is_keyed(self) -> bool:
        """Whether messages are known by a key."""
        return self._key is not None

    @property
    def is_versioned(self) -> bool:
        """Whether messages have a version."""
        return self._version is not None

    def draft(
        self,
        body: Body,
        *,
        trace: Trace,
        request: Mapping[str, Any] | None = None,
        stored: bytes = b"{}",
        compared: bytes | None = None,
        key: str | None = None,
        once: bool = False,
        run: int | None = None,
    ) -> Draft:
        """A message with this body.

        `request` is what key and version may read, `stored` the part of it that steps will.
        `compared` is what tells content apart, where that is not the version or the body; `key` is
        for Routes that name none.
        """
        x = self._exchange(body, trace, request or {})
        found, version = self._read_key(x) or key, self._read_version(x)
        uid, text = new_uid(), body.json()
        content = compared or (version.encode() if version else text)
        known = identity.of_content(self.route, found, content) if found else uid
        return Draft(
            route=self.route,
            uid=uid,
            identity=known,
            body=text,
            content_type=body.content_type.decode("latin-1"),
            request=stored,
            key=found,
            version=version,
            once=once,
            correlation_id=trace.correlation_id,
            trace=carried(trace),
            run=run,
        )

    def fed(self, body: Body, *, trace: Trace, parent: Message) -> Draft:
        """The message that `parent`, a message of another Route, leaves for this one."""
        draft = self.draft(body, trace=trace)
        known = draft.identity if draft.key else identity.of_fed(self.route, parent.identity)
        return replace(draft, identity=known, parent=parent.uid)

    def read(
        self, body: Body, trace: Trace, request: Mapping[str, Any]
    ) -> tuple[str | None, str | None]:
        """Key and version of a body."""
        x = self._exchange(body, trace, request)
        return self._read_key(x), self._read_version(x)

    def _exchange(self, body: Body, trace: Trace, request: Mapping[str, Any]) -> Exchange:
        variables = {**self._variables, "request": request}
        return Exchange(body, variables=variables, deadline=_NO_DEADLINE, trace=trace)

    def _read_key(self, x: Exchange) -> str | None:
        if self._key is None:
            return None
        try:
            return self._key.text(x) or None
        except _UNREADABLE:
            return None

    def _read_version(self, x: Exchange) -> str | None:
        if self._version is None:
            return None
        try:
            return templates.as_text(self._version.value(x)) or None
        except _UNREADABLE:
            return None


def carried(trace: Trace) -> str:
    """A trace as a message carries it: `traceparent`, and `tracestate` after a space."""
    parent = next(value for name, value in trace.headers() if name == b"traceparent")
    return b" ".join(part for part in (parent, trace.state) if part).decode("latin-1")
