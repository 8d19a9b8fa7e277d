"""Transcript: a journey as text, masked and bounded.

    {"steps": [{"step": "call-0", "ms": 12.1, "input": …, "output": …, "into": "prices",
                "calls": [{"connector": "erp", "method": "PUT", "path": "/orders/1", "ms": 11.8,
                           "status": 200, "answer": …, "reason": "…"}],
                "failure": {"reason": "…", "detail": "…", "handled": true}}],
     "omittedSteps": 3}

`input` is left out where it is what the step before gave, or the message's own body. What is too
large is told by its size: `inputSize`, `outputSize`, `answerSize`, in bytes.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson

from isthmus_api import json_text
from isthmus_api.masking import Mask
from isthmus_runtime.body import Body, is_json
from isthmus_runtime.delivery.journey import CallRecord, Journey, StepRecord
from isthmus_runtime.faults import Fault
from isthmus_runtime.http.messages import header

MAX_BODY: Final = 64 * 1024
MAX_BODIES: Final = 512 * 1024

Fields = dict[str, Any]


def text(
    journey: Journey, body: Body, *, secrets: Iterable[str], paths: Sequence[str] = ()
) -> bytes:
    """What happened to a message with `body`, as JSON.

    What stands at `paths` of the body is masked like a secret, whatever a mapping made of it.
    """
    personal = Mask(paths).texts(_decoded(body).value) if paths else ()
    mask = Mask(paths, {*secrets, *personal})
    return orjson.dumps(_Transcript(mask).of(journey, body), default=str)


class _Transcript:
    """Writes one journey. `_room` is what bodies may still take."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._room = MAX_BODIES

    def of(self, journey: Journey, body: Body) -> Fields:
        steps, given = [], body
        for record in journey.steps:
            steps.append(self._step(record, given))
            given = record.input if record.into or record.output is None else record.output
        more = {"omittedSteps": journey.omitted_steps} if journey.omitted_steps else {}
        return {"steps": steps, **more}

    def _step(self, record: StepRecord, given: Body) -> Fields:
        fields: Fields = {"step": record.step, "ms": _ms(record.seconds)}
        if record.input is not given:
            fields |= self._body("input", record.input)
        if record.calls:
            fields["calls"] = [self._call(call) for call in record.calls]
        if record.omitted_calls:
            fields["omittedCalls"] = record.omitted_calls
        if record.failure is not None:
            fields["failure"] = _failure(record.failure)
        elif record.handled is not None:
            fields["failure"] = {"reason": record.handled["reason"], "handled": True}
        if record.output is not None and record.output is not record.input:
            fields |= self._body("output", record.output)
        if record.into:
            fields["into"] = record.into
        return fields

    def _call(self, record: CallRecord) -> Fields:
        fields: Fields = {
            "connector": record.connector,
            "method": record.method,
            "path": self._mask.text(record.path),
            "ms": _ms(record.seconds),
        }
        if record.answer is not None:
            answer = record.answer
            kind = header(answer.headers, b"content-type") or b""
            fields["status"] = answer.status
            fields |= self._body("answer", Body(answer.body, content_type=kind))
        if record.reason:
            fields["reason"] = record.reason
        return fields

    def _body(self, name: str, body: Body) -> Fields:
        """A body, or its size; nothing where there is none."""
        size = _size(body)
        if not size:
            return {}
        if size > min(MAX_BODY, self._room):
            return {f"{name}Size": size}
        self._room -= size
        decoded = _decoded(body)
        return {name: _restored(self._mask.value(decoded.value), decoded.large)}


def _size(body: Body) -> int:
    try:
        return len(body.json())
    except Fault:  # no JSON form; the step that meets it says so
        return 0


def _decoded(body: Body) -> json_text.Decoded:
    """A body as a value, or as text where it is no JSON."""
    if body.text is None:
        return json_text.Decoded(body.value, body.large)
    # Whatever it is called: a field to be masked must not be told because of a wrong content type.
    if is_json(body.content_type) or body.text.lstrip()[:1] in (b"{", b"["):
        try:
            return json_text.decode(body.text)
        except json_text.InvalidJson:
            pass
    return json_text.Decoded(body.text.decode("utf-8", "replace"))


def _restored(value: Any, large: frozenset[str]) -> Any:
    """Large integers are numbers again, as they are in the body."""
    return orjson.Fragment(json_text.encode(value, large)) if large else value


def _failure(fault: Fault) -> Fields:
    known = {
        "reason": fault.reason,
        "detail": fault.outward,
        "step": fault.step,
        "connector": fault.connector,
    }
    return {name: said for name, said in known.items() if said} | fault.extra


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
