"""A journey as text: what is there, what is masked, what is left out."""

from typing import Any

import orjson

from isthmus_api.expressions.engine import EvaluationFault
from isthmus_runtime import faults, tracing
from isthmus_runtime.body import Body
from isthmus_runtime.delivery import transcript
from isthmus_runtime.delivery.journey import CallRecord, Journey, StepRecord
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.http.messages import Response

BODY = Body(b'{"customer":{"mail":"a@b.example"},"id":12345678901234567890}')


def journey(*steps: StepRecord) -> Journey:
    it = Journey()
    it.steps.extend(steps)
    return it


def told(
    it: Journey, body: Body = BODY, *, secrets: tuple[str, ...] = (), paths: tuple[str, ...] = ()
) -> Any:
    return orjson.loads(transcript.text(it, body, secrets=secrets, paths=paths))


def answered(body: bytes, *, status: int = 200, kind: bytes = b"application/json") -> CallRecord:
    answer = Response(status, [(b"content-type", kind)], body)
    return CallRecord("erp", "PUT", "/orders/a%40b.example", answer=answer)


def test_inputs_are_told_only_where_they_are_not_what_came_before() -> None:
    one, two = Body.of({"a": 1}), Body.of({"b": 2})
    it = journey(
        StepRecord("map-0", BODY, output=one),
        StepRecord("call-1", one, into="prices", output=Body.of([9])),
        StepRecord("map-2", one, output=two),
        StepRecord("in-a-branch", Body.of(7), output=Body.of(8)),
    )

    assert told(it)["steps"] == [
        {"step": "map-0", "ms": 0.0, "output": {"a": 1}},
        {"step": "call-1", "ms": 0.0, "into": "prices", "output": [9]},
        {"step": "map-2", "ms": 0.0, "output": {"b": 2}},
        {"step": "in-a-branch", "ms": 0.0, "input": 7, "output": 8},
    ]


def test_a_call_is_told_with_what_the_system_answered() -> None:
    failed = answered(b'{"why":"canary"}', status=422)
    failed.reason = "UnexpectedStatus"
    it = journey(StepRecord("call-0", BODY, calls=[failed], omitted_calls=2))

    assert told(it)["steps"] == [
        {
            "step": "call-0",
            "ms": 0.0,
            "calls": [
                {
                    "connector": "erp",
                    "method": "PUT",
                    "path": "/orders/a%40b.example",
                    "ms": 0.0,
                    "status": 422,
                    "answer": {"why": "canary"},
                    "reason": "UnexpectedStatus",
                }
            ],
            "omittedCalls": 2,
        }
    ]


def test_answers_that_are_no_json_are_text() -> None:
    step = StepRecord("call-0", BODY)
    step.calls = [
        answered(b"<html>\xff", kind=b"text/html"),
        answered(b"{broken"),
        answered(b""),
    ]

    calls = told(journey(step))["steps"][0]["calls"]

    assert [call.get("answer") for call in calls] == ["<html>\ufffd", "{broken", None]


def test_large_integers_stay_what_they_are() -> None:
    out = Body.of({"id": "12345678901234567890"}, frozenset({"12345678901234567890"}))
    text = transcript.text(journey(StepRecord("map-0", BODY, output=out)), BODY, secrets=())

    assert b'"output":{"id":12345678901234567890}' in text


def test_what_stands_at_a_masked_path_is_masked_wherever_it_went() -> None:
    step = StepRecord("map-0", Body.of({"customer": {"mail": "other@b.example"}}))
    step.output = Body.of({"buyer": "a@b.example", "text": "to a@b.example!"})
    step.calls = [answered(b'{"echo":"a@b.example","customer":{"mail":1}}')]

    it = told(journey(step), paths=("customer.mail",))

    assert "a@b.example" not in repr(it)
    assert it["steps"][0]["input"] == {"customer": {"mail": "***"}}
    assert it["steps"][0]["output"] == {"buyer": "***", "text": "to ***!"}
    assert it["steps"][0]["calls"][0]["path"] == "/orders/***"
    assert it["steps"][0]["calls"][0]["answer"] == {"echo": "***", "customer": {"mail": "***"}}


def test_a_wrong_content_type_unmasks_nothing() -> None:
    step = StepRecord("call-0", BODY)
    step.calls = [answered(b' {"customer":{"mail":"new@b.example"}}', kind=b"text/plain")]

    it = told(journey(step), paths=("customer.mail",))

    assert it["steps"][0]["calls"][0]["answer"] == {"customer": {"mail": "***"}}


def test_secrets_are_masked_wherever_they_are() -> None:
    step = StepRecord("call-0", Body.of({"token": "canary-1"}), output=Body.of("x canary-1 y"))

    assert "canary" not in repr(told(journey(step), secrets=("canary-1",)))


def test_what_is_large_is_told_by_its_size() -> None:
    large = Body.of("x" * transcript.MAX_BODY)
    step = StepRecord("call-0", large, output=Body.of(1))
    step.calls = [answered(b"y" * (transcript.MAX_BODY + 1), kind=b"text/plain")]

    (found,) = told(journey(step))["steps"]

    assert (found["inputSize"], found["output"]) == (transcript.MAX_BODY + 2, 1)
    assert found["calls"][0]["answerSize"] == transcript.MAX_BODY + 1


def test_all_bodies_together_are_bounded() -> None:
    body = "x" * (transcript.MAX_BODY - 2)
    it = journey(*(StepRecord(f"s{i}", BODY, output=Body.of(body)) for i in range(20)))

    text = transcript.text(it, BODY, secrets=())

    assert len(text) < transcript.MAX_BODIES + 5_000
    assert [step.get("outputSize") for step in orjson.loads(text)["steps"][-2:]] == [65536] * 2


def test_failures_are_told_without_values() -> None:
    error = EvaluationFault("the value 'canary' is no number", code="T2001", source="x", offset=0)
    failed = StepRecord("map-0", BODY, failure=faults.from_expression(error))
    handled = StepRecord("call-1", BODY, output=Body.of({}))
    handled.handled = {"reason": "Timeout", "message": "canary", "status": 504}

    first, second = told(journey(failed, handled))["steps"]

    assert first["failure"]["reason"] == "ExpressionFailed"
    assert second["failure"] == {"reason": "Timeout", "handled": True}
    assert "canary" not in repr((first, second))


def test_a_value_that_has_no_json_form_is_left_out() -> None:
    (step,) = told(journey(StepRecord("map-0", BODY, output=Body.of(float("nan")))))["steps"]
    assert "output" in step  # NaN is null in JSON

    (step,) = told(journey(StepRecord("map-0", BODY, output=Body.of("\ud800"))))["steps"]
    assert "output" not in step


def test_steps_beyond_the_bound_are_counted() -> None:
    it = Journey()
    x = Exchange(BODY, variables={}, deadline=0, trace=tracing.of([]))
    for _ in range(205):
        it.begin("split-0", x, into=None)

    assert len(told(it)["steps"]) == 200
    assert told(it)["omittedSteps"] == 5
