"""Specs nobody wrote: made from the models themselves, so that a new field is tried, too."""

import json
import typing
from collections.abc import Iterable
from typing import Any, Literal, get_args, get_origin

import pytest
from annotated_types import Ge, Le, MaxLen, MinLen
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from isthmus_api import manifests
from isthmus_api.connector import ConnectorSpec
from isthmus_api.mapping import Expression, MappingSpec
from isthmus_api.model import ANY_JSON, Model, Name, ObjectMeta, Variable, WholeExpression
from isthmus_api.plan import RoutePlan, check, plan
from isthmus_api.problems import errors
from isthmus_api.quantities import Cpu, Duration, Size
from isthmus_api.resources import CONNECTOR, KINDS, MAPPING, ROUTE, Key, Resource, Resources
from isthmus_api.route import RouteSpec
from isthmus_api.source import HttpSource
from isthmus_api.step import BranchName

LIGHT = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
NAMES = st.sampled_from(["a", "b", "c"])
JSON: st.SearchStrategy[Any] = st.sampled_from(
    [None, 0, 1.5, True, "", "x", [], {}, {"a": None}, [1, {"b": "{% $a %}"}], "{% a & $b %}"]
)
TEXTS = st.sampled_from(
    [
        "",
        "x",
        "y",
        "{% a %}",
        "{% $a.b %} and {% $request.query %}",
        "{% $nope( %}",
        "{%",
        "{% %}",
        "😀",
    ]
)
EXPRESSIONS = st.sampled_from(
    [
        "$",
        "a",
        "b.c",
        "$string(a)",
        "$a & $b",
        "$table('t', a)",
        "$nope(a)",
        "(",
        "a ~> $sum",
        "{'a': [b.{'c': $c}]}",
    ]
)
PREDICATES = st.sampled_from(
    ["{% a %}", "{% a = 1 %}", "{% $index = 1 %}", "{% a %}{% b %}", "{% ( %}", "{% $ %}"]
)


def limits_of(annotation: Any) -> list[Any]:
    """The constraints of an annotated type, or of a field."""
    of_field = annotation if isinstance(annotation, FieldInfo) else annotation.__metadata__[0]
    return list(of_field.metadata)


def pattern_in(metadata: Iterable[Any]) -> str | None:
    return next((each.pattern for each in metadata if getattr(each, "pattern", None)), None)


BY_PATTERN = {
    pattern_in(limits_of(annotation)): strategy
    for annotation, strategy in [
        (Name, NAMES),
        (BranchName, NAMES),
        (Variable, st.sampled_from(["a", "b", "index", "request", "sum"])),
        (WholeExpression, PREDICATES),
        (HttpSource.model_fields["path"], st.sampled_from(["/x", "/{a}/b", "/{a}/{a}", "/b-{a}"])),
    ]
}


def specs(model: type[Model], *, without: frozenset[str] = frozenset()) -> st.SearchStrategy[Any]:
    """Plain objects that `model` takes."""

    @st.composite
    def made(draw: st.DrawFn) -> dict[str, Any]:
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        wanted = {
            name for name, field in fields.items()
            if name not in without and (field.is_required() or draw(st.booleans()))
        }  # fmt: skip
        for rule in model.rules:
            if not rule.holds(dict.fromkeys(wanted)):
                wanted -= set(rule.fields)
            if not rule.holds(dict.fromkeys(wanted)):
                wanted.add(draw(st.sampled_from([each for each in rule.fields if each in fields])))
        return {name: draw(values_of(fields[name])) for name in fields if name in wanted}

    def is_taken(value: dict[str, Any]) -> bool:
        try:
            model.model_validate(value)
        except ValidationError:
            return False
        return True

    return made().filter(is_taken)


def values_of(field: FieldInfo) -> st.SearchStrategy[Any]:
    return values(field.annotation, tuple(field.metadata))


def values(annotation: Any, metadata: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    """Values of a type, by the constraints of it that are in `metadata`."""
    if ANY_JSON in metadata:
        return JSON
    if get_origin(annotation) is typing.Annotated:
        inner, *more = get_args(annotation)
        return values(inner, (*metadata, *_flat(more)))
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return st.sampled_from(arguments)
    if type(None) in arguments:
        inner = next(each for each in arguments if each is not type(None))
        return values(inner, metadata)
    low = next((each.min_length for each in metadata if isinstance(each, MinLen)), 0)
    if origin is tuple:
        return st.lists(values(arguments[0]), min_size=low, max_size=max(low, 3))
    if origin is dict:
        kept = values(arguments[1]) if arguments[1] is not typing.Any else JSON
        return st.dictionaries(values(arguments[0]), kept, min_size=low, max_size=2)
    if annotation is str:
        return _strings(metadata)
    if annotation is int:
        least = next((each.ge for each in metadata if isinstance(each, Ge)), 0)
        most = next((each.le for each in metadata if isinstance(each, Le)), 10)
        return st.integers(typing.cast(int, least), typing.cast(int, most))
    if annotation is bool:
        return st.booleans()
    if annotation is Duration:
        return st.sampled_from(["300ms", "10s", "1h30m", "0s"])
    if annotation is Size:
        return st.sampled_from(["0", "1Mi", "64Ki"])
    if annotation is Cpu:
        return st.sampled_from(["0", "100m", "1.5"])
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return specs(annotation)
    return JSON


def _flat(metadata: list[Any]) -> list[Any]:
    return [
        inner
        for each in metadata
        for inner in (each.metadata if isinstance(each, FieldInfo) else [each])
    ]


def _strings(metadata: tuple[Any, ...]) -> st.SearchStrategy[str]:
    pattern = pattern_in(metadata)
    limits = [each.max_length for each in metadata if isinstance(each, MaxLen)]
    if pattern is not None:
        found = BY_PATTERN.get(pattern)
        any_fit = st.from_regex(pattern, fullmatch=True, alphabet=ASCII).filter(is_short)
        return any_fit if found is None else found
    if EXPRESSION_LIMIT in limits:
        return EXPRESSIONS
    return TEXTS if any(limit > 1000 for limit in limits) else st.sampled_from(["a", "b c"])


ASCII = st.characters(min_codepoint=33, max_codepoint=126)


def is_short(text: str) -> bool:
    return len(text) <= 120


EXPRESSION_LIMIT = next(
    each.max_length for each in limits_of(Expression) if isinstance(each, MaxLen)
)
ANY_SPEC = st.one_of(*(st.tuples(st.just(kind), specs(kind.spec)) for kind in KINDS.values()))


def with_defaults(model: type[Model], value: dict[str, Any]) -> dict[str, Any]:
    """As the API server stores it: with every default that is a scalar."""
    stored = dict(value)
    for name, field in model.model_fields.items():
        alias = field.alias or name
        inner = _model_of(field.annotation)
        if alias in stored and inner:
            stored[alias] = _in_items(inner, stored[alias], field)
        if alias not in stored and isinstance(field.default, str | int):
            stored[alias] = field.default
    return stored


def _in_items(model: type[Model], value: Any, field: FieldInfo) -> Any:
    if isinstance(value, list):
        return [_in_items(model, item, field) for item in value]
    is_map = isinstance(value, dict) and get_origin(field.annotation) is dict
    if is_map:
        return {key: _each_with_defaults(model, inner) for key, inner in value.items()}
    return with_defaults(model, value)


def _each_with_defaults(model: type[Model], value: Any) -> Any:
    """A value of a map: an object, or a list of them."""
    if isinstance(value, list):
        return [with_defaults(model, each) for each in value]
    return with_defaults(model, value)


def _model_of(annotation: Any) -> type[Model] | None:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation
    return next((found for each in get_args(annotation) if (found := _model_of(each))), None)


@LIGHT
@given(ANY_SPEC)
def test_a_file_and_what_the_server_stores_have_one_canonical_form(made: Any) -> None:
    kind, value = made
    stored = with_defaults(kind.spec, value)

    canonical = kind.spec.model_validate(value).canonical()

    assert kind.spec.model_validate(stored).canonical() == canonical
    assert kind.spec.model_validate(canonical).canonical() == canonical


@LIGHT
@given(ANY_SPEC)
def test_the_canonical_form_is_json_that_holds_no_default(made: Any) -> None:
    kind, value = made
    spec = kind.spec.model_validate(value)
    canonical = spec.canonical()

    assert json.loads(json.dumps(canonical)) == canonical
    assert len(json.dumps(canonical)) <= len(json.dumps(value))
    assert kind.spec.model_validate(canonical).canonical() == canonical


@LIGHT
@given(ANY_SPEC, st.data())
def test_an_unknown_field_is_refused_wherever_it_stands(made: Any, data: st.DataObject) -> None:
    kind, value = made
    places = list(_objects(kind.spec, value))
    data.draw(st.sampled_from(places))["unknownField"] = 1

    with pytest.raises(ValidationError):
        kind.spec.model_validate(value)


def _objects(model: type[Model], value: dict[str, Any]) -> typing.Iterator[dict[str, Any]]:
    """All objects in `value` that a model describes."""
    yield value
    for name, field in model.model_fields.items():
        inner, found = _model_of(field.annotation), value.get(field.alias or name)
        ahead = [found] if inner else []
        while inner and ahead:
            each = ahead.pop()
            if isinstance(each, list):
                ahead += each
            elif isinstance(each, dict) and get_origin(field.annotation) is dict:
                ahead += [item for items in each.values() for item in items]
            elif isinstance(each, dict):
                yield from _objects(inner, each)


ROUTES = specs(RouteSpec, without=frozenset({"tests"}))
MAPPINGS = st.tuples(st.just(MAPPING), NAMES, specs(MappingSpec))
CONNECTORS = [(CONNECTOR, name, {"http": {"baseUrl": "https://a.b"}}) for name in "abc"]
OTHERS = st.tuples(st.lists(MAPPINGS, max_size=3), st.sampled_from([CONNECTORS, []])).map(
    lambda found: [*found[0], *found[1]]
)


@LIGHT
@given(ROUTES, OTHERS)
def test_any_route_gives_a_plan_or_problems(value: dict[str, Any], others: list[Any]) -> None:
    route: Any = _resource(ROUTE, "r", value)
    resources = Resources.of([route, *(_resource(*each) for each in others)])

    planned = plan(route, resources)
    found = check(resources)

    assert plan(route, resources) == planned
    assert (planned.plan is None) is bool(errors(planned.problems))
    assert {problem for problem in planned.problems if problem.subject == str(route.key)} <= set(
        found
    )
    for problem in (*planned.problems, *found):
        assert problem.message
        assert problem.hint
        assert problem.subject
        assert problem.path
        assert hash(problem)


def _resource(kind: Any, name: str, spec: dict[str, Any]) -> Resource[Model]:
    return Resource(
        key=Key(kind.name, "default", name),
        metadata=ObjectMeta(name=name),
        spec=kind.spec.model_validate(spec),
    )


@LIGHT
@given(ROUTES, st.lists(specs(ConnectorSpec), min_size=3, max_size=3))
def test_a_plan_is_what_its_json_says(value: dict[str, Any], connectors: list[Any]) -> None:
    spec = RouteSpec.model_validate(value)
    made = RoutePlan.of(
        spec,
        namespace="default",
        name="r",
        connectors={
            name: ConnectorSpec.model_validate(each)
            for name, each in zip("abc", connectors, strict=True)
        },
        mappings={},
    )

    read = RoutePlan.from_json(made.to_json())

    assert read.canonical() == made.canonical()
    assert read.hash == made.hash
    assert read.to_json() == made.to_json()


@LIGHT
@given(ANY_SPEC, st.data())
def test_any_change_to_a_manifest_is_read_or_told(made: Any, data: st.DataObject) -> None:
    """Values of the wrong type in the place of right ones: problems, and never an exception."""
    kind, value = made
    place = data.draw(
        st.sampled_from([each for each in _objects(kind.spec, value) if each] or [{}])
    )
    assume(place)
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(JSON)
    document = {
        "apiVersion": "isthmus.dev/v1alpha1",
        "kind": kind.name,
        "metadata": {"name": "a"},
        "spec": value,
    }

    found = manifests.read(json.dumps(document).encode(), file="a.json")

    assert len(found.resources) == (0 if found.problems else 1)
    assert all(problem.message and problem.location for problem in found.problems)
    assert all(problem.hint for problem in found.problems)
