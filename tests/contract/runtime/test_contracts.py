"""Schemas of a Mapping in the runtime: what is refused, and what is warned of."""

from typing import Any

import pytest
from manifests_text import connector, mapping, route
from served import Serve, Start
from upstreams import answer

STEPS = "- map: {mapping: m}\n- respond: {}"
WHOLE = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
LARGE = 9007199254740993123


def held(side: str, policy: str | None, expression: str = "$") -> str:
    on_mismatch = {"onMismatch": policy} if policy else {}
    return mapping(expression, name="m", **{side: {"schema": WHOLE, **on_mismatch}})


async def test_an_input_that_does_not_fit_is_refused_with_its_place(serve: Serve) -> None:
    served = await serve(held("input", "reject"), route(STEPS, method="POST"))

    refused = await served.post("/it", json={"n": "canary"})
    taken = await served.post("/it", content=b'{"n": %d}' % LARGE)

    assert refused.status_code == 422
    problem = refused.json()
    assert problem["type"] == "urn:isthmus:problem:SchemaMismatch"
    assert problem["errors"] == [{"path": "$.n", "rule": "type"}]
    assert "canary" not in refused.text
    assert taken.text == f'{{"n":{LARGE}}}'


async def test_a_result_that_does_not_fit_is_our_own_fault(
    serve: Serve, logged: list[dict[str, Any]]
) -> None:
    served = await serve(held("output", "reject", "{'n': name}"), route(STEPS, method="POST"))

    failed = await served.post("/it", json={"name": "canary"})

    assert failed.status_code == 500
    assert failed.json()["type"] == "urn:isthmus:problem:ResultMismatch"
    assert "$.n (type)" in failed.text
    assert "canary" not in failed.text + str(logged)


@pytest.mark.parametrize("side", ["input", "output"])
async def test_a_warning_is_counted_and_logged_and_the_message_goes_on(
    serve: Serve, logged: list[dict[str, Any]], side: str
) -> None:
    name = f"warned-{side}"
    served = await serve(held(side, "warn"), route(STEPS, method="POST", name=name))

    taken = await served.post("/it", json={"n": "canary"})
    metrics = (await served.admin.get("/metrics")).text

    assert (taken.status_code, taken.json()) == (200, {"n": "canary"})
    [line] = [each for each in logged if each["event"] == "a message does not fit a schema"]
    assert (line["mapping"], line["side"], line["misfits"]) == ("m", side, "$.n (type)")
    assert line["route"] == f"default/{name}"
    assert line["correlationId"]
    assert "canary" not in str(logged)
    assert (
        'isthmus_schema_mismatches_total{mapping="m",namespace="default",policy="warn",'
        f'route="{name}",side="{side}",step="map-0"}} 1.0'
    ) in metrics


async def test_a_schema_without_a_policy_lets_all_pass(serve: Serve) -> None:
    served = await serve(held("input", None), route(STEPS, method="POST"))

    assert (await served.post("/it", json={"n": "x"})).status_code == 200


LINES = mapping("[items.$mapping('line', $)]", name="m")
LINE = {"type": "object", "properties": {"n": {"type": "integer"}}}


def line(side: str, policy: str, expression: str = "$") -> str:
    return mapping(expression, name="line", **{side: {"schema": LINE, "onMismatch": policy}})


def items(*values: Any) -> dict[str, Any]:
    return {"items": [{"n": value} for value in values]}


@pytest.mark.parametrize(
    ("side", "status", "reason", "metric"),
    [
        ("input", 422, "SchemaMismatch", "called-in"),
        ("output", 500, "ResultMismatch", "called-out"),
    ],
)
async def test_a_called_mapping_refuses_what_does_not_fit(
    serve: Serve,
    logged: list[dict[str, Any]],
    side: str,
    status: int,
    reason: str,
    metric: str,
) -> None:
    served = await serve(LINES, line(side, "reject"), route(STEPS, method="POST", name=metric))

    refused = await served.post("/it", json=items(1, "canary", "canary"))
    taken = await served.post("/it", json=items(1, 2))
    metrics = (await served.admin.get("/metrics")).text

    assert refused.status_code == status
    assert refused.json()["type"] == f"urn:isthmus:problem:{reason}"
    assert f"does not fit {side}.schema of the Mapping 'line' at $.n (type)" in refused.text
    assert "canary" not in refused.text + str(logged)
    assert taken.json() == [{"n": 1}, {"n": 2}]
    assert (
        'isthmus_schema_mismatches_total{mapping="line",namespace="default",policy="reject",'
        f'route="{metric}",side="{side}",step="map-0"}} 1.0'
    ) in metrics


@pytest.mark.parametrize("side", ["input", "output"])
async def test_a_called_mapping_warns_once_of_a_message_with_many_lines(
    serve: Serve, logged: list[dict[str, Any]], side: str
) -> None:
    name = f"lines-{side}"
    served = await serve(LINES, line(side, "warn"), route(STEPS, method="POST", name=name))

    for _ in range(2):
        taken = await served.post("/it", json=items(1, *["canary"] * 200))
        assert len(taken.json()) == 201
    metrics = (await served.admin.get("/metrics")).text

    told = [each for each in logged if each["event"] == "a message does not fit a schema"]
    assert [(each["mapping"], each["side"], each["times"]) for each in told] == [
        ("line", side, 200)
    ] * 2
    assert {each["misfits"] for each in told} == {"$.n (type)"}
    assert all(each["correlationId"] for each in told)
    assert "canary" not in str(logged)
    assert (
        'isthmus_schema_mismatches_total{mapping="line",namespace="default",policy="warn",'
        f'route="{name}",side="{side}",step="map-0"}} 2.0'
    ) in metrics


async def test_a_called_mapping_knows_large_integers(serve: Serve) -> None:
    served = await serve(LINES, line("input", "reject"), route(STEPS, method="POST"))

    taken = await served.post("/it", content=b'{"items": [{"n": %d}]}' % LARGE)
    refused = await served.post("/it", content=b'{"items": [{"n": "%d"}, {"m": 1}]}' % LARGE)

    assert taken.text == f'[{{"n":{LARGE}}}]'
    assert refused.status_code == 422


async def test_a_mapping_far_below_tells_on_error_its_reason(serve: Serve) -> None:
    steps = "- map: {mapping: top}\n  onError: {use: '{% $failure.reason %}'}\n- respond: {}"
    served = await serve(
        mapping("$mapping('m', $)", name="top"),
        LINES,
        line("output", "reject", "{'n': 'x'}"),
        route(steps, method="POST"),
    )

    assert (await served.post("/it", json=items(1))).json() == "ResultMismatch"


async def test_a_called_mapping_whose_schema_has_no_policy_lets_all_pass(serve: Serve) -> None:
    described = mapping("$", name="line", input={"schema": LINE})
    served = await serve(LINES, described, route(STEPS, method="POST"))

    assert (await served.post("/it", json=items("x"))).status_code == 200


async def test_on_error_takes_over(serve: Serve) -> None:
    steps = "- map: {mapping: m}\n  onError: {use: '{% $failure.reason %}'}\n- respond: {}"
    served = await serve(held("output", "reject"), route(steps, method="POST"))

    assert (await served.post("/it", json={})).json() == "ResultMismatch"


async def test_an_answer_that_does_not_fit_calls_nothing_more(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({"ok": True}))
    steps = "- map: {mapping: m}\n- call: {connector: erp, method: PUT}"
    served = await serve(connector(erp.url), held("output", "reject"), route(steps, method="POST"))

    assert (await served.post("/it", json={})).status_code == 500
    assert erp.arrivals == []
