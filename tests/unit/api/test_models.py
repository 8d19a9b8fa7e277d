"""Models: what they refuse, what null means, what was written, and the one canonical form."""

from typing import Any

import pytest
from pydantic import ValidationError

from isthmus_api.connector import Backoff, ConnectorSpec, HttpTransport, Retry
from isthmus_api.mapping import MappingSpec, MappingTest
from isthmus_api.model import Model, ObjectMeta
from isthmus_api.quantities import Duration, Size
from isthmus_api.route import RouteSpec
from isthmus_api.source import HttpSource
from isthmus_api.step import OnError, Respond, Split, Step

CALL = {"connector": "erp"}


@pytest.mark.parametrize(
    ("model", "value"),
    [
        pytest.param(Respond, {"status": "200"}, id="a string is no whole number"),
        pytest.param(Respond, {"status": 200.0}, id="a fraction is no whole number"),
        pytest.param(Respond, {"status": True}, id="true is no whole number"),
        pytest.param(Step, {"call": {**CALL, "idempotent": 1}}, id="1 is not true"),
        pytest.param(Step, {"call": {**CALL, "idempotent": "true"}}, id="'true' is not true"),
        pytest.param(HttpSource, {"path": 1}, id="a number is no string"),
        pytest.param(HttpSource, {"path": "/", "timeout": 5}, id="a number is no duration"),
        pytest.param(Step, {"filter": b"{% $ %}"}, id="bytes are no string"),
        pytest.param(Step, {"scatter": {"branches": "one"}}, id="a string is no list"),
        pytest.param(Step, {"scatter": {"branches": {"a": 1}}}, id="an object is no list"),
        pytest.param(Step, {"validate": {"schema": []}}, id="a list is no object"),
        pytest.param(Step, {"call": [CALL]}, id="a list is no model"),
        pytest.param(Respond, {"status": 199}, id="below the range"),
        pytest.param(Respond, {"status": 600}, id="above the range"),
        pytest.param(Respond, {"sttus": 200}, id="an unknown field"),
        pytest.param(Step, {"on_error": {"use": 1}, "call": CALL}, id="a name in the Python way"),
        pytest.param(Step, {"validate_": {"schema": {}}}, id="the name of the attribute"),
        pytest.param(Respond, {"headers": {"A": None}}, id="null as a value of a map"),
        pytest.param(HttpSource, {"path": "/a\n"}, id="a line break after the end"),
    ],
)
def test_nothing_is_converted_and_nothing_unknown_is_taken(
    model: type[Model], value: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(value)


@pytest.mark.parametrize(
    ("model", "value", "without"),
    [
        pytest.param(
            HttpSource, {"path": "/", "method": None}, {"path": "/"}, id="a field with a default"
        ),
        pytest.param(
            Step, {"filter": "{% a %}", "into": None}, {"filter": "{% a %}"}, id="an optional field"
        ),
        pytest.param(
            Step, {"call": CALL, "map": None}, {"call": CALL}, id="a field that a rule counts"
        ),
        pytest.param(ObjectMeta, {"name": "a", "labels": None}, {"name": "a"}, id="metadata"),
        pytest.param(
            ObjectMeta, {"name": "a", "annotations": None, "uid": None}, {"name": "a"}, id="others"
        ),
    ],
)
def test_null_is_the_same_as_leaving_a_field_out(
    model: type[Model], value: dict[str, Any], without: dict[str, Any]
) -> None:
    assert model.model_validate(value) == model.model_validate(without)


def test_null_in_place_of_a_needed_field_is_a_missing_field() -> None:
    with pytest.raises(ValidationError) as refused:
        HttpSource.model_validate({"path": None})

    assert [error["type"] for error in refused.value.errors()] == ["missing"]


def test_null_is_a_value_of_its_own_in_free_json() -> None:
    assert "body" in Respond.model_validate({"body": None}).written()
    assert "body" not in Respond.model_validate({}).written()
    assert OnError.model_validate({"use": None}).use is None
    assert MappingTest.model_validate({"name": "a", "expect": None}).expect is None
    with pytest.raises(ValidationError):
        OnError.model_validate({})
    with pytest.raises(ValidationError):
        MappingTest.model_validate({"name": "a"})


def test_nulls_inside_free_json_stay() -> None:
    body = {"a": None, "b": [None, {"c": None}]}

    assert Respond.model_validate({"body": body}).canonical() == {"body": body}


def test_written_is_what_the_author_wrote_by_its_name_in_the_manifest() -> None:
    step = Step.model_validate(
        {"call": CALL, "onError": {"use": None}, "timeout": None, "name": "ask"}
    )

    assert set(step.written()) == {"call", "onError", "name"}


@pytest.mark.parametrize(
    ("model", "value", "canonical"),
    [
        pytest.param(
            HttpSource,
            {"path": "/", "method": "GET", "timeout": "10s", "maxBody": "1Mi"},
            {"path": "/"},
            id="what equals its default is left out",
        ),
        pytest.param(
            HttpSource,
            {"path": "/", "timeout": "10000ms"},
            {"path": "/", "timeout": "10000ms"},
            id="a duration keeps the text its author chose",
        ),
        pytest.param(Respond, {}, {}, id="nothing is nothing"),
        pytest.param(Respond, {"headers": {}}, {}, id="an empty map is nothing"),
        pytest.param(Respond, {"body": {}}, {"body": {}}, id="an empty body is a body"),
        pytest.param(Respond, {"body": None}, {"body": None}, id="and so is null"),
        pytest.param(Step, {"respond": {}}, {"respond": {}}, id="an empty verb is a verb"),
        pytest.param(
            Split, {"branch": "a", "items": "{% $ %}", "concurrency": 8}, {"branch": "a"}, id="all"
        ),
        pytest.param(
            HttpTransport,
            {"baseUrl": "https://a.b", "retry": {"attempts": 3, "backoff": {"max": "5s"}}},
            {"baseUrl": "https://a.b", "retry": {"backoff": {}}},
            id="defaults inside are left out, too",
        ),
        pytest.param(
            Step,
            {"validate": {"schema": {"type": "object"}}},
            {"validate": {"schema": {"type": "object"}}},
            id="names are those of the manifest",
        ),
    ],
)
def test_the_canonical_form(
    model: type[Model], value: dict[str, Any], canonical: dict[str, Any]
) -> None:
    assert model.model_validate(value).canonical() == canonical


def test_a_broken_rule_says_what_is_set() -> None:
    with pytest.raises(ValidationError) as refused:
        Step.model_validate({"call": CALL, "respond": {}, "name": "a"})

    (error,) = refused.value.errors()
    assert error["type"] == "rule"
    assert error["ctx"]["set"] == "call, respond"


def test_a_rule_is_only_looked_at_when_the_fields_are_right() -> None:
    with pytest.raises(ValidationError) as refused:
        Step.model_validate({"cal": CALL})

    assert [error["type"] for error in refused.value.errors()] == ["extra_forbidden"]


def test_an_object_does_not_change() -> None:
    spec = Step.model_validate({"scatter": {"branches": ["a", "b"]}})
    assert spec.scatter is not None

    assert spec.scatter.branches == ("a", "b")
    with pytest.raises(ValidationError):
        spec.into = "x"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("step", "verb"),
    [
        ({"call": CALL}, "call"),
        ({"validate": {"schema": {}}}, "validate"),
        ({"respond": {}, "name": "end"}, "respond"),
        ({"filter": "{% $ %}", "call": None}, "filter"),
    ],
)
def test_a_step_has_one_verb(step: dict[str, Any], verb: str) -> None:
    assert Step.model_validate(step).verb == verb


def test_defaults_are_what_the_reference_says() -> None:
    transport = HttpTransport.model_validate({"baseUrl": "https://a.b"})

    assert (transport.timeout, transport.connect_timeout) == (Duration("10s"), Duration("2s"))
    assert (transport.max_response_size, transport.max_connections) == (Size("10Mi"), 64)
    assert (Retry().attempts, Backoff().initial, Backoff().max) == (3, "200ms", "5s")


@pytest.mark.parametrize(
    ("model", "credential"),
    [
        (ConnectorSpec, {"bearer": {"token": "hunter2"}}),
        (ConnectorSpec, {"basic": {"username": "a", "password": "hunter2"}}),
        (ConnectorSpec, {"apiKey": {"header": "X-Key", "value": "hunter2"}}),
        (ConnectorSpec, {"bearer": {"token": {"value": "hunter2"}}}),
    ],
)
def test_there_is_no_field_for_a_credential_in_plain_text(
    model: type[Model], credential: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        model.model_validate({"http": {"baseUrl": "https://a.b", "auth": credential}})


def test_limits_are_those_of_the_definitions() -> None:
    step: dict[str, Any] = {"respond": {}}
    source = {"http": {"path": "/"}}

    RouteSpec.model_validate({"source": source, "steps": [step] * 64})
    MappingSpec.model_validate({"expression": "a" * 262_144})
    with pytest.raises(ValidationError):
        RouteSpec.model_validate({"source": source, "steps": [step] * 65})
    with pytest.raises(ValidationError):
        MappingSpec.model_validate({"expression": "a" * 262_145})
