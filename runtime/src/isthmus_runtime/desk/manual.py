"""Manual runs: messages that a person has a Route deliver, whatever its source is.

A message is made as the source makes one: its key and version are what the Route says. Parameters
are fields of its body. Where the Route has a schedule and no body is given, the body is that of a
time that is now; where it has a poll, that is what reads.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from isthmus_api import json_text
from isthmus_api.expressions.engine import ExpressionError
from isthmus_api.plan import RoutePlan
from isthmus_runtime import tracing
from isthmus_runtime.body import Body
from isthmus_runtime.drafting import Drafter
from isthmus_runtime.faults import Fault
from isthmus_runtime.journal.entries import Draft
from isthmus_runtime.sources.fires import Fires
from isthmus_runtime.steps.bound import Binder


class CannotRun(ValueError):
    """No message can be made of what was given; the message says what to give instead."""


class ManualRun:
    """Makes messages of one Route."""

    def __init__(self, plan: RoutePlan, *, clock: Callable[[], datetime] | None = None) -> None:
        """`CannotRun` where the Route answers its callers, and keeps no messages."""
        self.route = f"{plan.namespace}/{plan.name}"
        if not plan.source.is_asynchronous:
            raise CannotRun(
                f"{self.route} answers its callers, so there is no message to run: send it a "
                "request, as with curl"
            )
        binder, route = Binder(), {"name": plan.name, "namespace": plan.namespace}
        variables: dict[str, Any] = {"route": route, "env": plan.env}
        self._clock = clock or (lambda: datetime.now(UTC))
        self._drafter = Drafter(self.route, plan.message, binder, variables)
        self.polls = plan.source.poll is not None
        schedule = plan.source.schedule
        self._fires = (
            Fires(schedule, binder=binder, drafter=self._drafter, variables=variables)
            if schedule
            else None
        )

    def draft(self, text: str | None, parameters: Mapping[str, Any]) -> Draft:
        """A message with this body, JSON or else plain text, and with these fields set in it."""
        now = self._clock()
        try:
            body = _with(self._body(text, parameters, now), parameters)
            if self._fires:
                return self._fires.draft(now, body)
            return self._drafter.draft(body, trace=tracing.of([]))
        except (Fault, ExpressionError, json_text.JsonTextError) as error:
            raise CannotRun(f"the body of {self.route} cannot be made: {error}") from error

    def _body(self, text: str | None, parameters: Mapping[str, Any], now: datetime) -> Body:
        if text is not None:
            return _read(text)
        if self._fires:
            return self._fires.body(now)
        if parameters:
            return Body.of({})
        raise CannotRun(
            f"{self.route} has no schedule, which would say what the message is: give a body, or "
            "parameters, which are its fields"
        )


def _read(text: str) -> Body:
    body = Body(text.encode())
    try:
        json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return Body(text.encode(), content_type=b"text/plain; charset=utf-8")
    return body


def _with(body: Body, parameters: Mapping[str, Any]) -> Body:
    """The body with these fields; byte for byte where there are none."""
    if not parameters:
        return body
    value = body.value if body.content_type.startswith(b"application/json") else None
    if not isinstance(value, dict):
        raise CannotRun("parameters are fields of the body, which is no object")
    return Body.of({**value, **parameters}, body.large)
