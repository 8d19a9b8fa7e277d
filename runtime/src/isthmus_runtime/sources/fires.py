"""Fires: the messages of a schedule, one for each time."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from isthmus_api.expressions.engine import ExpressionError
from isthmus_api.schedule import ScheduleSource
from isthmus_runtime import faults, tracing
from isthmus_runtime.body import Body
from isthmus_runtime.drafting import Drafter
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.journal.entries import Draft
from isthmus_runtime.steps.bound import Binder

KEY: Final = "schedule"
"""The key of all messages of a schedule that waits for its earlier ones."""


class Fires:
    """Drafts what a schedule accepts."""

    def __init__(
        self,
        spec: ScheduleSource,
        *,
        binder: Binder,
        drafter: Drafter,
        variables: Mapping[str, Any],
    ) -> None:
        self._zone = ZoneInfo(spec.time_zone)
        self._drafter = drafter
        self._tree = binder.tree(spec.body) if "body" in spec.written() else None
        self._variables = dict(variables)
        self._key = KEY if spec.overlap == "queue" else None

    def draft(self, at: datetime, body: Body | None = None) -> Draft:
        """The message of a time, with another body where one is given."""
        return self._drafter.draft(
            self.body(at) if body is None else body,
            trace=tracing.of([]),
            stored=orjson.dumps({"scheduledAt": at.astimezone(UTC).isoformat()}),
            key=self._key,
        )

    def body(self, at: datetime) -> Body:
        """What the message of a time says; a `Fault` where the manifest's body fails."""
        scheduled = at.astimezone(self._zone).isoformat()
        if self._tree is None:
            return Body.of({"scheduledAt": scheduled})
        x = Exchange(
            Body.of(None),
            variables={**self._variables, "scheduledAt": scheduled},
            deadline=float("inf"),
            trace=tracing.of([]),
        )
        try:
            return self._tree.body(x)
        except ExpressionError as error:
            raise faults.from_expression(error) from error
