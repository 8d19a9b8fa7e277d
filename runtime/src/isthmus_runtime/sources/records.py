"""Records: what the pages of a poll hold, as messages to accept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from isthmus_api.expressions import templates
from isthmus_api.poll import PollSource
from isthmus_runtime import tracing
from isthmus_runtime.body import Body
from isthmus_runtime.drafting import Drafter
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.http.messages import Response
from isthmus_runtime.journal.entries import Draft
from isthmus_runtime.sources import marks, raw, signs
from isthmus_runtime.sources.pages import Page
from isthmus_runtime.sources.signs import Signs
from isthmus_runtime.steps import flow
from isthmus_runtime.steps.bound import Binder, Template


@dataclass(frozen=True, slots=True)
class Found:
    """What a page held: messages, how far it was read, and what leads to the next page."""

    drafts: list[Draft]
    mark: Any
    page: Page


class Records:
    """Reads the pages of one Route's poll."""

    def __init__(
        self,
        spec: PollSource,
        *,
        binder: Binder,
        drafter: Drafter,
        variables: Mapping[str, Any],
    ) -> None:
        self._records = binder.template(spec.records)
        self._raw = _raw(spec.records, binder)
        self._mark = binder.template(spec.watermark.value) if spec.watermark else None
        self._signs = Signs(spec.pagination, binder)
        changes = spec.change_detection
        self._compared = binder.template(changes.fields) if changes else None
        # A record that is read again because of the watermark is no news.
        self._once = changes is not None or (spec.watermark is not None and drafter.is_keyed)
        self._drafter = drafter
        self._variables = dict(variables)

    @property
    def is_once(self) -> bool:
        """Whether what was delivered for a key must be known, so that it is not delivered again."""
        return self._once

    def read(self, target: str, answer: Response, body: Body, *, run: int) -> Found:
        """Read the page that was answered; a `Fault` where it cannot be."""
        x = self._exchange(body)
        records = flow.as_list(signs.value(self._records, x))
        raw_records = records if self._raw is None else flow.as_list(signs.value(self._raw, x))
        page = self._signs.page(target, answer.headers, raw_records, x)
        read = [self.one(Body.of(record, x.large), run=run) for record in records]
        furthest = None
        for _, its_mark in read:
            furthest = marks.later(furthest, its_mark)
        return Found([draft for draft, _ in read], furthest, page)

    def one(self, body: Body, *, run: int) -> tuple[Draft, Any]:
        """The message of a record, and how far it was read with it; a `Fault` where that fails."""
        x = self._exchange(body)
        compared = None
        if self._compared is not None:
            fields = signs.value(self._compared, x)
            compared = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
        draft = self._drafter.draft(
            body, trace=tracing.of([]), compared=compared, once=self._once, run=run
        )
        return draft, signs.value(self._mark, x) if self._mark else None

    def _exchange(self, body: Body) -> Exchange:
        return Exchange(
            body,
            variables=dict(self._variables),
            deadline=float("inf"),
            trace=tracing.of([]),
        )


def _raw(records: str, binder: Binder) -> Template | None:
    """What pages are counted by, where that is not the records themselves."""
    (hole,) = templates.parse(records).holes
    path = raw.of(hole.source)
    if path is None or path == hole.source.strip():
        return None
    return binder.template("{% " + path + " %}")
