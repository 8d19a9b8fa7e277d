"""Planning: every promise between a Route and what it refers to, and the plan that comes out."""

import copy
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
import yaml

from isthmus_api import manifests
from isthmus_api.answer import Answer
from isthmus_api.auth import Session
from isthmus_api.auth.oauth2 import PasswordGrant
from isthmus_api.caller_limit import CallerLimit
from isthmus_api.circuit_breaker import CircuitBreaker
from isthmus_api.connector import ConnectorSpec, HttpTransport
from isthmus_api.cors import Cors
from isthmus_api.delivery import Batch, Delivery
from isthmus_api.hedge import Hedge
from isthmus_api.mapping import MappingSpec
from isthmus_api.message import Message
from isthmus_api.model import Model, ObjectMeta, SecretValue
from isthmus_api.multipart import Part
from isthmus_api.pagination import Pagination
from isthmus_api.plan import (
    Planned,
    RoutePlan,
    UnreadablePlan,
    branches,
    check,
    plan,
    planner,
    sites,
)
from isthmus_api.plan.routeplan import PLAN_VERSION
from isthmus_api.poll import (
    CsvDocument,
    Document,
    JsonLinesDocument,
    PollSource,
    Watermark,
    XmlDocument,
)
from isthmus_api.problems import Code, Problem, Severity
from isthmus_api.proofs import ClientCertificate, Hmac, Jwt
from isthmus_api.rate_limit import RateLimit
from isthmus_api.resources import CONNECTOR, MAPPING, ROUTE, Key, Kind, Resource, Resources
from isthmus_api.retention import Retention
from isthmus_api.route import RouteSpec
from isthmus_api.schedule import ScheduleSource
from isthmus_api.source import HttpSource
from isthmus_api.step import Cache, Call, Respond, Step
from isthmus_api.verification import Verification
from isthmus_api.webhook import Challenge, Reply, WebhookSource

RESPOND = "{respond: {}}"


def resource(kind: Kind, name: str, spec: Any, namespace: str = "default") -> Resource[Model]:
    value = yaml.safe_load(spec) if isinstance(spec, str) else spec
    metadata = ObjectMeta(name=name, namespace=namespace)
    return Resource(Key(kind.name, namespace, name), metadata, kind.spec.model_validate(value))


def connector(name: str = "erp", namespace: str = "default") -> Resource[Model]:
    return resource(CONNECTOR, name, "{http: {baseUrl: https://a.b}}", namespace)


def mapping(expression: str = "$", name: str = "m", **spec: Any) -> Resource[Model]:
    return resource(MAPPING, name, {"expression": expression, **spec})


def route(
    *steps: str, path: str = "/x", name: str = "r", namespace: str = "default", **spec: Any
) -> Resource[RouteSpec]:
    """A Route of steps in YAML; `branches` are lists of such steps."""
    written = {key: [yaml.safe_load(step) for step in found] for key, found in
               spec.pop("branches", {}).items()}  # fmt: skip
    value = {
        "source": {"http": {"path": path}},
        "steps": [yaml.safe_load(step) for step in steps or (RESPOND,)],
        "branches": written,
        **spec,
    }
    return cast(Resource[RouteSpec], resource(ROUTE, name, value, namespace))


def planned(made: Resource[RouteSpec], *others: Resource[Model]) -> Planned:
    return plan(made, Resources.of([made, *others]))


def told(problems: tuple[Problem, ...]) -> list[tuple[Code, str]]:
    return [(problem.code, problem.field) for problem in problems]


def to_branch(*names: str) -> str:
    """A choice of branches."""
    when = [{"condition": "{% a %}", "branch": name} for name in names]
    return json.dumps({"choice": {"when": when}})


def bound(name: str) -> str:
    return f"{{map: {{expression: a}}, into: {name}}}"


def reads(name: str) -> str:
    return f"{{map: {{expression: ${name}}}}}"


def test_a_route_and_what_it_refers_to_become_a_plan() -> None:
    made = route("{call: {connector: erp}, into: prices}", "{map: {mapping: m}}")
    vat = mapping("$lookup($prices, sku)", tables={"vat": {"NL": 21}})

    result = planned(made, connector(), vat, connector("unused"), mapping(name="unused"))

    assert result.problems == ()
    assert result.plan is not None
    assert (result.plan.namespace, result.plan.name) == ("default", "r")
    assert list(result.plan.connectors) == ["erp"]
    assert list(result.plan.mappings) == ["m"]
    assert result.plan.mappings["m"].tables == {"vat": {"NL": 21}}


def test_one_name_for_a_connector_and_a_mapping_is_two_things() -> None:
    result = planned(
        route("{call: {connector: a}}", "{map: {mapping: b}}"),
        connector("a"),
        mapping(name="a"),
        connector("b"),
        mapping(name="b"),
    )

    assert result.plan is not None
    assert (list(result.plan.connectors), list(result.plan.mappings)) == (["a"], ["b"])


# What is wrong


@dataclass(frozen=True)
class Wrong:
    """A Route that has one problem."""

    route: Resource[RouteSpec]
    code: Code
    field: str
    message: str
    hint: str
    others: tuple[Resource[Model], ...] = ()


SHAPE = {
    "a Connector that is not there": Wrong(
        route("{call: {connector: erp}}"),
        Code.CONNECTOR_NOT_FOUND,
        "spec.steps[0].call.connector",
        "there is no Connector 'erp' in this namespace",
        "apply it, or name another one; there is none yet",
        (connector("erp", namespace="shop"), mapping(name="erp")),
    ),
    "a Connector that is not there, in a branch": Wrong(
        route(to_branch("b"), branches={"b": ["{call: {connector: erp}}"]}),
        Code.CONNECTOR_NOT_FOUND,
        "spec.branches.b[0].call.connector",
        "there is no Connector 'erp' in this namespace",
        "apply it, or name another one; there are: pim, shop",
        (connector("shop"), connector("pim"), connector("far", namespace="shop")),
    ),
    "a Mapping that is not there": Wrong(
        route("{map: {mapping: m}}"),
        Code.MAPPING_NOT_FOUND,
        "spec.steps[0].map.mapping",
        "there is no Mapping 'm' in this namespace",
        "apply it, or name another one; there are: other",
        (mapping(name="other"), connector("m")),
    ),
    "a branch that is not there": Wrong(
        route(to_branch("b", "c"), branches={"b": [RESPOND]}),
        Code.BRANCH_NOT_FOUND,
        "spec.steps[0].choice.when[1].branch",
        "there is no branch 'c'",
        "add it to spec.branches; there are: b",
    ),
    "an alternative that is not there": Wrong(
        route(
            "{choice: {when: [{condition: '{% a %}', branch: b}], otherwise: c}}",
            branches={"b": [RESPOND]},
        ),
        Code.BRANCH_NOT_FOUND,
        "spec.steps[0].choice.otherwise",
        "there is no branch 'c'",
        "add it to spec.branches; there are: b",
    ),
    "a split into nothing": Wrong(
        route("{split: {branch: b}}"),
        Code.BRANCH_NOT_FOUND,
        "spec.steps[0].split.branch",
        "there is no branch 'b'",
        "add it to spec.branches; there are: none yet",
    ),
    "a scatter into nothing": Wrong(
        route("{scatter: {branches: [a, b]}}", branches={"a": [bound("x")]}),
        Code.BRANCH_NOT_FOUND,
        "spec.steps[0].scatter.branches[1]",
        "there is no branch 'b'",
        "add it to spec.branches; there are: a",
    ),
    "a branch that nothing leads to": Wrong(
        route(branches={"b": [RESPOND]}),
        Code.BRANCH_UNUSED,
        "spec.branches.b",
        "no step leads to the branch 'b'",
        "name it in a choice, split or scatter, or remove it",
    ),
    "a step after the answer": Wrong(
        route(RESPOND, bound("x")),
        Code.STEP_UNREACHABLE,
        "spec.steps[1]",
        "no step is reached after respond, which ends the Route",
        "move respond to the end, or into a branch of a choice",
    ),
    "a step after the answer, in a branch": Wrong(
        route(to_branch("b"), branches={"b": [RESPOND, bound("x")]}),
        Code.STEP_UNREACHABLE,
        "spec.branches.b[1]",
        "no step is reached after respond, which ends the Route",
        "move respond to the end, or into a branch of a choice",
    ),
    "an answer in a split": Wrong(
        route("{split: {branch: b}}", branches={"b": [RESPOND]}),
        Code.STEP_UNREACHABLE,
        "spec.branches.b[0]",
        "the branch 'b' runs in parallel, so it cannot answer the caller",
        "bind the result, and respond after the split or scatter",
    ),
    "an answer in a choice in a scatter": Wrong(
        route("{scatter: {branches: [b]}}", branches={"b": [to_branch("c")], "c": [RESPOND]}),
        Code.STEP_UNREACHABLE,
        "spec.branches.c[0]",
        "the branch 'c' runs in parallel, so it cannot answer the caller",
        "bind the result, and respond after the split or scatter",
    ),
    "an answer to an error in a split": Wrong(
        route(
            "{split: {branch: b}}",
            branches={"b": ["{map: {expression: a}, onError: {respond: {}}}"]},
        ),
        Code.STEP_UNREACHABLE,
        "spec.branches.b[0]",
        "the branch 'b' runs in parallel, so it cannot answer the caller",
        "bind the result, and respond after the split or scatter",
    ),
    "a branch twice in a scatter": Wrong(
        route("{scatter: {branches: [b, b]}}", branches={"b": [bound("x")]}),
        Code.NAME_CLASH,
        "spec.steps[0].scatter.branches[1]",
        "the scatter names the branch 'b' twice",
        "name each branch once",
    ),
    **{
        f"a variable that would hide ${name}": Wrong(
            route(bound(name)),
            Code.NAME_CLASH,
            "spec.steps[0].into",
            f"the variable '{name}' would hide ${name}, which expressions know already",
            "choose another name",
        )
        for name in ("request", "message", "route", "env", "index", "failure", "sum", "lookup")
    },
    "a path segment of text and a variable": Wrong(
        route(path="/a/b-{id}"),
        Code.INVALID_VALUE,
        "spec.source.http.path",
        "'b-{id}' mixes text and a variable",
        "a variable takes a whole segment: /orders/{id}/lines",
    ),
    **{
        f"a source at {path} that the prefix {prefix} leads nobody to": Wrong(
            route(path=path, expose={"pathPrefix": prefix}),
            Code.INVALID_VALUE,
            "spec.expose.pathPrefix",
            f"nothing that begins with '{prefix}' reaches the source's path '{path}'",
            "write how the source's path begins, or leave it out",
        )
        for path, prefix in [("/search", "/api"), ("/a", "/a/b"), ("/search", "/sea")]
    },
    "a path segment of two variables": Wrong(
        route(path="/{a}{b}"),
        Code.INVALID_VALUE,
        "spec.source.http.path",
        "'{a}{b}' mixes text and a variable",
        "a variable takes a whole segment: /orders/{id}/lines",
    ),
    "a path with one variable twice": Wrong(
        route(path="/{id}/b/{id}"),
        Code.NAME_CLASH,
        "spec.source.http.path",
        "the path names {id} twice",
        "give each variable a name of its own",
    ),
    "a schema that is none": Wrong(
        route("{validate: {schema: {properties: {a: {type: text}}}}}"),
        Code.SCHEMA_INVALID,
        "spec.steps[0].validate.schema.properties.a.type",
        'this is no JSON Schema: "text" is not valid under any of the schemas listed in the '
        "'anyOf' keyword",
        "see json-schema.org; references may point inside the schema only",
    ),
    "a schema that points outside": Wrong(
        route(to_branch("b"), branches={"b": ["{validate: {schema: {$ref: 'https://a.b/c'}}}"]}),
        Code.SCHEMA_INVALID,
        "spec.branches.b[0].validate.schema",
        "this is no JSON Schema: Resource 'https://a.b/c' is not present in a registry and "
        "retrieving it failed: ValueError: https://a.b/c points outside the schema",
        "see json-schema.org; references may point inside the schema only",
    ),
    "a condition that is two expressions": Wrong(
        route("{filter: '{% a %} and {% b %}'}"),
        Code.EXPRESSION_INVALID,
        "spec.steps[0].filter",
        "this must be one {% … %} and nothing else: any text would count as a value",
        "join the expressions, as in {% a and b %}",
    ),
    "a template that does not end": Wrong(
        route("{respond: {body: {a: ['{% a']}}}"),
        Code.EXPRESSION_INVALID,
        "spec.steps[0].respond.body.a[0]",
        "the template opens an expression and does not close it",
        "end the expression with %}",
    ),
    "a Mapping that reads what nobody binds": Wrong(
        route("{map: {mapping: m}}"),
        Code.EXPRESSION_INVALID,
        "spec.steps[0].map.mapping",
        "the Mapping 'm' reads $prices, which no step before binds",
        "bind it with 'into: prices', or read one of $env, $message, $request, $route",
        (mapping("$lookup($prices, a)"),),
    ),
    "a table that is not there": Wrong(
        route("{map: {expression: \"$table('vat', a)\"}}"),
        Code.TABLE_NOT_FOUND,
        "spec.steps[0].map.expression",
        "there is no table 'vat'",
        "this expression has: none",
    ),
}


@pytest.mark.parametrize("case", SHAPE.values(), ids=SHAPE)
def test_what_is_wrong_with_a_route(case: Wrong) -> None:
    result = planned(case.route, *case.others)

    assert result.plan is None
    (problem,) = result.problems
    assert (problem.code, problem.field) == (case.code, case.field)
    assert (problem.message, problem.hint) == (case.message, case.hint)
    assert problem.subject == "Route default/r"
    assert problem.severity is Severity.ERROR


MAPPINGS = {
    "an expression that is none": (
        mapping("a +"), Code.EXPRESSION_INVALID, "spec.expression",
    ),
    "a function that is none": (
        mapping("$lookpu($request, a)"), Code.EXPRESSION_INVALID, "spec.expression",
    ),
    "a table that is misspelt": (
        mapping("a.$table('vta', b)", tables={"vat": {}}), Code.TABLE_NOT_FOUND, "spec.expression",
    ),
    "an input schema that is none": (
        mapping(input={"schema": {"type": 1}}), Code.SCHEMA_INVALID, "spec.input.schema.type",
    ),
    "an output schema that is none": (
        mapping(output={"schema": {"required": "a"}}), Code.SCHEMA_INVALID,
        "spec.output.schema.required",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("made", "code", "field"), MAPPINGS.values(), ids=MAPPINGS)
def test_what_is_wrong_with_a_mapping(made: Resource[Model], code: Code, field: str) -> None:
    problems = check(Resources.of([made]))

    assert told(problems) == [(code, field)]
    assert problems[0].subject == "Mapping default/m"
    assert problems[0].hint


def test_a_mapping_that_is_wrong_is_told_once_however_often_it_is_used() -> None:
    made = route("{map: {mapping: m}}", "{map: {mapping: m}}")
    broken = mapping("$lookpu(a, b)")

    assert [problem.subject for problem in planned(made, broken).problems] == ["Mapping default/m"]
    assert len(check(Resources.of([made, broken]))) == 1


def test_a_misspelt_table_is_corrected() -> None:
    (problem,) = check(Resources.of([mapping("$table('vta', a)", tables={"vat": {}, "x": {}})]))

    assert problem.hint == "did you mean 'vat'?"


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("$table('vat', a)", id="a table that is there"),
        pytest.param("$table(name, a)", id="a table whose name is data"),
        pytest.param("'vat' ~> $table('NL')", id="a name that comes through a chain"),
        pytest.param("$map(a, function($x) { $table('vat', $x) })", id="a table in a function"),
        pytest.param("($f := function($x) { $x }; $f(a))", id="a function of its own"),
    ],
)
def test_what_is_right_in_a_mapping(expression: str) -> None:
    assert check(Resources.of([mapping(expression, tables={"vat": {}})])) == ()


def test_a_warning_keeps_no_route_from_running() -> None:
    result = planned(route("{map: {mapping: m}}"), mapping("price * 1.21"))

    assert [problem.severity for problem in result.problems] == [Severity.WARNING]
    assert result.plan is not None


def test_expressions_of_a_plan_that_passed_are_not_looked_at_again() -> None:
    made = route("map: {mapping: m}")
    warned = planned(made, mapping("$map([1], $uppercas)"))
    sound = planned(made, mapping("a.b"))
    assert warned.problems
    assert sound.plan is not None

    again = plan(made, Resources.of([mapping("a.b")]), passed=sound.plan.hash)
    other = plan(made, Resources.of([mapping("$map([1], $uppercas)")]), passed=sound.plan.hash)

    assert again == sound
    assert other.problems == warned.problems


def test_what_is_no_part_of_a_plan_is_looked_at_even_when_it_passed() -> None:
    made = route("map: {mapping: m}")
    sound = planned(made, mapping("a.b"))
    assert sound.plan is not None

    assert plan(made, Resources.of([]), passed=sound.plan.hash).plan is None


def test_all_problems_are_told_at_once() -> None:
    made = route(
        "{call: {connector: erp}, into: sum}",
        "{map: {mapping: m}}",
        to_branch("nowhere"),
        "{filter: '{% $b %}'}",
        RESPOND,
        RESPOND,
        branches={"unused": [RESPOND]},
        path="/{a}{b}",
    )

    assert set(told(planned(made).problems)) == {
        (Code.CONNECTOR_NOT_FOUND, "spec.steps[0].call.connector"),
        (Code.NAME_CLASH, "spec.steps[0].into"),
        (Code.MAPPING_NOT_FOUND, "spec.steps[1].map.mapping"),
        (Code.BRANCH_NOT_FOUND, "spec.steps[2].choice.when[0].branch"),
        (Code.EXPRESSION_INVALID, "spec.steps[3].filter"),
        (Code.STEP_UNREACHABLE, "spec.steps[5]"),
        (Code.BRANCH_UNUSED, "spec.branches.unused"),
        (Code.INVALID_VALUE, "spec.source.http.path"),
    }


def test_problems_of_a_file_have_their_place_in_it() -> None:
    text = (
        "apiVersion: isthmus.dev/v1alpha1\nkind: Route\nmetadata: {name: r}\nspec:\n"
        "  source: {http: {path: /x}}\n  steps:\n    - call: {connector: erp}\n      into: sum\n"
    )
    read = manifests.read(text.encode(), file="a.yaml")

    problems = check(Resources.of(read.resources))

    assert [(problem.code, str(problem.location)) for problem in problems] == [
        (Code.CONNECTOR_NOT_FOUND, "a.yaml:7:25"),
        (Code.NAME_CLASH, "a.yaml:8:13"),
    ]


# Branches


def cycles(made: Resource[RouteSpec]) -> list[tuple[str, str]]:
    found = planned(made).problems
    return [(p.message.partition(": ")[2], p.field) for p in found if p.code is Code.BRANCH_CYCLE]


@pytest.mark.parametrize(
    ("written", "circles"),
    [
        pytest.param({"a": "a"}, ["a -> a"], id="a branch leads to itself"),
        pytest.param({"a": "b", "b": "a"}, ["a -> b -> a"], id="two lead to each other"),
        pytest.param(
            {f"b{n}": f"b{(n + 1) % 32}" for n in range(32)},
            [" -> ".join([*(f"b{n}" for n in range(32)), "b0"])],
            id="a long way round",
        ),
        pytest.param({"a": "b", "b": "c", "c": "b"}, ["b -> c -> b"], id="a way into a circle"),
        pytest.param(
            {"a": "ab", "b": "b"}, ["a -> a", "b -> b"], id="two circles, and both are told"
        ),
        pytest.param({"a": "bc", "b": "d", "c": "d", "d": ""}, [], id="two ways to one branch"),
        pytest.param({"a": "x"}, [], id="a branch that is not there"),
    ],
)
def test_circles_of_branches(written: dict[str, str], circles: list[str]) -> None:
    named = {
        name: [to] if to.startswith("b") and len(to) > 1 and to[1:].isdigit() else list(to)
        for name, to in written.items()
    }
    made = route(
        to_branch(next(iter(named))),
        branches={name: [to_branch(*to)] if to else [bound("x")] for name, to in named.items()},
    )

    assert [circle for circle, _ in cycles(made)] == circles


@pytest.mark.parametrize("verb", ["{split: {branch: b}}", "{scatter: {branches: [b]}}"])
def test_a_circle_through_any_verb(verb: str) -> None:
    assert [circle for circle, _ in cycles(route(verb, branches={"b": [verb]}))] == ["b -> b"]


def test_ways_that_double_with_every_branch_are_looked_at_once() -> None:
    """Two alternatives in each of 32 branches make 2^32 ways to the last one."""
    made = route(
        to_branch("b0"),
        branches={
            f"b{n}": [to_branch(f"b{n + 1}"), bound(f"v{n}"), to_branch(f"b{n + 1}")]
            if n < 31 else [reads("nope")]
            for n in range(32)
        },
    )  # fmt: skip
    started = time.process_time()

    problems = planned(made).problems

    assert told(problems) == [(Code.EXPRESSION_INVALID, "spec.branches.b31[0].map.expression")]
    assert time.process_time() - started < 2


@pytest.mark.parametrize("is_circle", [True, False])
def test_a_thousand_branches_need_no_deep_stack(is_circle: bool) -> None:
    """More than the API server takes, and still nothing recurses."""
    template = route(to_branch("b0"), branches={"b0": [to_branch("b1")]}).spec
    steps = {f"b{n}": route(to_branch(f"b{(n + 1) % 1000}")).spec.steps for n in range(1000)}
    if not is_circle:
        steps["b999"] = route(bound("x")).spec.steps
    spec = RouteSpec.model_construct(**{**dict(template), "branches": steps})
    started = time.process_time()

    codes = [problem.code for problem in branches.check(spec)]

    assert codes == ([Code.BRANCH_CYCLE] if is_circle else [])
    if not is_circle:
        assert len(list(sites.sites(spec))) == 1001
    assert time.process_time() - started < 5


# The variables that an expression may read

CHOICE = "{choice: {when: [{condition: '{% a %}', branch: b}], otherwise: c}}"
SCOPES = {
    "what a step binds is there after it": (route(bound("x"), reads("x")), set()),
    "what a step binds is not there before it": (
        route(reads("x"), bound("x")), {"spec.steps[0].map.expression"},
    ),
    "a step does not see what it binds": (
        route("{map: {expression: $x}, into: x}"), {"spec.steps[0].map.expression"},
    ),
    "always there": (
        route("{map: {expression: '[$request, $message, $route, $env]'}}"), set(),
    ),
    "a failure is known where it is handled": (
        route("{map: {expression: a}, onError: {use: '{% $failure.reason %}'}}"), set(),
    ),
    "a failure is known nowhere else": (
        route(reads("failure")), {"spec.steps[0].map.expression"},
    ),
    "a branch of a choice sees what was bound before": (
        route(bound("x"), to_branch("b"), branches={"b": [reads("x")]}), set(),
    ),
    "what a branch of a choice binds is there after it": (
        route(to_branch("b"), reads("x"), branches={"b": [bound("x")]}), set(),
    ),
    "what one alternative binds is not there in the other": (
        route(CHOICE, branches={"b": [bound("x")], "c": [reads("x")]}),
        {"spec.branches.c[0].map.expression"},
    ),
    "a branch of a choice with into still runs on the message itself": (
        route("{choice: {when: [{condition: '{% a %}', branch: b}]}, into: y}", reads("x"),
              reads("y"), branches={"b": [bound("x")]}),
        set(),
    ),
    "a condition does not see what a branch binds": (
        route("{choice: {when: [{condition: '{% a %}', branch: b}, "
              "{condition: '{% $x %}', branch: b}]}}", branches={"b": [bound("x")]}),
        {"spec.steps[0].choice.when[1].condition"},
    ),
    "a branch of a split sees what was bound before, and its index": (
        route(bound("x"), "{split: {branch: b}}", branches={"b": [reads("x"), reads("index")]}),
        set(),
    ),
    "the index is known in the branch only": (
        route("{split: {branch: b}}", reads("index"), branches={"b": [bound("x")]}),
        {"spec.steps[1].map.expression"},
    ),
    "a choice in a split knows the index": (
        route("{split: {branch: b}}", branches={"b": [to_branch("c")], "c": [reads("index")]}),
        set(),
    ),
    "what a branch of a split binds stays in it": (
        route("{split: {branch: b}}", reads("x"), branches={"b": [bound("x")]}),
        {"spec.steps[1].map.expression"},
    ),
    "what a branch of a scatter binds stays in it": (
        route("{scatter: {branches: [b, c]}}", reads("x"),
              branches={"b": [bound("x")], "c": [reads("x")]}),
        {"spec.steps[1].map.expression", "spec.branches.c[0].map.expression"},
    ),
    "a branch on two ways sees what is bound on both": (
        route(to_branch("b"), bound("x"), to_branch("b"), branches={"b": [reads("x")]}),
        {"spec.branches.b[0].map.expression"},
    ),
    "the index is not known where a branch is also reached without a split": (
        route("{split: {branch: b}}", to_branch("b"), branches={"b": [reads("index")]}),
        {"spec.branches.b[0].map.expression"},
    ),
    "every place of a call": (
        route("{call: {connector: erp, path: '/{% $a %}', query: {q: '{% $b %}'}, "
              "headers: {H: '{% $c %}'}, body: {d: ['{% $d %}']}}, cache: {ttl: 1s, "
              "key: '{% $e %}'}, onError: {respond: {headers: {H: '{% $f %}'}, "
              "body: '{% $g %}'}}}"),
        {
            "spec.steps[0].call.path", "spec.steps[0].call.query.q",
            "spec.steps[0].call.headers.H", "spec.steps[0].call.body.d[0]",
            "spec.steps[0].cache.key", "spec.steps[0].onError.respond.headers.H",
            "spec.steps[0].onError.respond.body",
        },
    ),
    "every place of the other verbs": (
        route("{filter: '{% $a %}'}", "{split: {items: '{% $a %}', branch: b}}",
              "{aggregate: {expression: '{% $a %}'}}", "{respond: {headers: {H: '{% $a %}'}}}",
              branches={"b": [bound("x")]}),
        {
            "spec.steps[0].filter", "spec.steps[1].split.items",
            "spec.steps[2].aggregate.expression", "spec.steps[3].respond.headers.H",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize(("made", "unknown"), SCOPES.values(), ids=SCOPES)
def test_variables(made: Resource[RouteSpec], unknown: set[str]) -> None:
    found = planned(made, connector())

    assert {problem.field for problem in found.problems} == unknown
    assert all(each.message.startswith("nothing binds the variable $") for each in found.problems)


def test_a_mapping_gets_the_variables_of_the_step_that_uses_it() -> None:
    made = route(bound("prices"), "{map: {mapping: m}}")

    assert planned(made, mapping("$lookup($prices, a)")).problems == ()


# Routes side by side


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        pytest.param({"path": "/a"}, {"path": "/a"}, True, id="one path"),
        pytest.param({"path": "/a/{id}"}, {"path": "/a/{key}"}, True, id="one path, other names"),
        pytest.param({"path": "/a"}, {"path": "/b"}, False, id="two paths"),
        pytest.param({"path": "/a/{id}"}, {"path": "/a/b"}, False, id="a variable beside a word"),
        pytest.param({"path": "/a"}, {"path": "/a/"}, False, id="a slash at the end"),
        pytest.param(
            {"path": "/a"}, {"path": "/a", "method": "POST"}, False, id="one path, two methods"
        ),
    ],
)
def test_routes_that_would_take_the_same_requests(
    first: dict[str, Any], second: dict[str, Any], clash: bool
) -> None:
    routes = [
        resource(ROUTE, name, {"source": {"http": http}, "steps": [{"respond": {}}]})
        for name, http in (("r", first), ("s", second))
    ]

    problems = check(Resources.of(routes))

    assert [problem.code for problem in problems] == ([Code.PATH_CLASH] if clash else [])
    assert [problem.subject for problem in problems] == (["Route default/s"] if clash else [])
    assert plan(cast(Resource[RouteSpec], routes[1]), Resources.of(routes)).plan is not None


def test_a_missing_name_is_told_with_twenty_of_those_there_are() -> None:
    there = [connector(f"c{number:02}") for number in range(23)]

    [problem] = planned(route("{call: {connector: erp}}"), *there).problems

    assert problem.hint.endswith("; there are: " + ", ".join(f"c{n:02}" for n in range(20))
                                 + " and 3 more")  # fmt: skip


class _Counted(dict[Key, Resource[Model]]):
    """Counts how often somebody goes through all of it."""

    walks = 0

    def __iter__(self) -> Iterator[Key]:
        self.walks += 1
        return super().__iter__()


def test_a_namespace_is_gone_through_only_when_a_name_is_missing() -> None:
    """5,000 Routes in one namespace are planned one by one, each with a few references."""
    made = route("{call: {connector: erp}}", "{map: {mapping: m}}")
    found = _Counted({each.key: each for each in (made, connector(), mapping())})
    missing = _Counted({each.key: each for each in (made, connector())})

    assert plan(made, Resources(found)).plan is not None
    assert plan(made, Resources(missing)).plan is None
    assert (found.walks, missing.walks) == (0, 1)


@pytest.mark.parametrize(
    ("path", "prefix"),
    [("/search", "/"), ("/search", "/search"), ("/a/{id}/b", "/a"), ("/a/{id}/b", "/a/7")],
)
def test_a_prefix_may_be_as_wide_as_one_likes(path: str, prefix: str) -> None:
    assert planned(route(path=path, expose={"pathPrefix": prefix})).problems == ()


# The plan and its hash

FULL: dict[str, Any] = yaml.safe_load("""
route:
  source:
    http:
      method: POST
      path: "/a/{id}"
      timeout: 3s
      maxBody: 2Mi
      auth:
        jwt:
          issuer: https://id.example.com
          audience: [shop]
          algorithms: [ES256]
          jwksUrl: https://id.example.com/keys
          claims: {scope: [orders]}
          leeway: 1m
        allowFrom: [203.0.113.0/24]
      open: false
      trustedProxies: [10.0.0.0/8]
      limits: {requests: 10, per: 1s, by: caller}
      cors:
        origins: [https://shop.example.com]
        headers: [X-A]
        exposeHeaders: [X-B]
        credentials: true
        maxAge: 1h
  env: {shop: nl}
  steps:
    - name: ask
      call: {connector: erp, method: POST, path: /b, query: {q: x}, headers: {A: b}, body: {a: 1},
             idempotent: true}
      into: prices
      timeout: 1s
      cache: {ttl: 1m, key: x, maxEntries: 10, maxSize: 1Mi}
      onError: {use: {}}
    - {map: {mapping: m}, onError: {respond: {status: 502, headers: {A: b}, body: sorry}}}
    - {map: {expression: a}}
    - {filter: "{% a %}"}
    - {call: {connector: erp}, cache: {mode: http, ttl: 0s}}
    - {choice: {when: [{condition: "{% a %}", branch: one}], otherwise: two}}
    - {split: {items: "{% a %}", branch: one, concurrency: 4}}
    - {aggregate: {expression: "{% a %}"}}
    - {scatter: {branches: [one, two]}}
    - {validate: {schema: {type: object}}}
    - {remember: {store: orders, key: a, value: {a: 1}, reference: b, ttl: 1h}}
    - {lookup: {store: orders, key: a}, into: found}
    - {lookup: {store: orders, reference: a}, into: other}
    - {respond: {status: 201, headers: {A: b}, body: {a: 1}}}
  branches: {one: [{map: {expression: b}}], two: [{filter: "{% c %}"}], three: [{respond: {}}]}
  privacy: {mask: [a.b, "**.c"]}
  replicas: 1
  autoscaling: {minReplicas: 2, maxReplicas: 3, cpu: 70, requestsInFlight: 20}
  paused: true
  resources: {requests: {cpu: 100m}, limits: {memory: 1Gi}}
  podTemplate:
    labels: {team: search}
    annotations: {example.com/note: a}
    nodeSelector: {disk: fast}
    tolerations: [{key: spot}]
    topologySpread: false
    priorityClassName: important
    imagePullSecrets: [{name: registry}]
    env: [{name: A, value: b}]
  expose: {host: shop.example.com, pathPrefix: /a, annotations: {a: b}, gateway: {name: public}}
  tests: [{name: t, expect: {status: 200}}]
mapping:
  expression: a
  tables: {vat: {NL: "21"}}
  sharedTables:
    prices:
      {configMaps: [{name: p, key: a.csv}], format: csv, key: sku, value: net, separator: ";"}
  input: {schema: {type: object}, onMismatch: warn}
  output: {schema: {type: object}, onMismatch: reject}
  tests: [{name: t, expect: 1}]
connector:
  http:
    baseUrl: https://a.b
    auth:
      oauth2:
        tokenUrl: https://a.b/token
        clientId: {secretKeyRef: {name: a, key: id}}
        clientSecret: {secretKeyRef: {name: a, key: secret}}
        scopes: [read]
        audience: x
        clientAuthentication: body
    tls: {serverName: erp.local}
    proxy: {url: "http://proxy:3128"}
    headers: {A: b}
    timeout: 2s
    connectTimeout: 1s
    maxConnectionAge: 1m
    maxConnections: 8
    maxResponseSize: 1Mi
    rateLimit:
      {requests: 300, per: 1m, burst: 20, concurrency: 4, maxWaiting: 50, learn: false,
       maxPause: 5m}
    circuitBreaker:
      {failureRate: 30, window: 1m, minCalls: 5, patience: 1s, pause: 2s, maxPause: 2m,
       probes: 3}
    retry: {attempts: 2, backoff: {initial: 100ms, max: 1s}}
    idempotencyKey: {header: X-Key}
    hedge: {after: 200ms, budget: 5}
    contract: {openapi: {configMapKeyRef: {name: erp, key: openapi.yaml}}}
    answer: {as: json, charset: utf-8, failWhen: "{% errors %}"}
""")
FULL["route"]["steps"].insert(
    4, {"choice": {"when": [{"condition": "{% a %}", "branch": "three"}]}}
)
CALLS: list[dict[str, Any]] = yaml.safe_load("""
- {connector: erp, text: a, answer: {as: text, charset: windows-1252, failWhen: "{% $ = 'no' %}"}}
- {connector: erp, form: {a: b}}
- connector: erp
  multipart: [{name: a, value: b, encoding: base64, fileName: c, contentType: d/e}]
""")
"""Calls with what no other call has beside it."""
FULL["route"]["steps"][-1:-1] = [{"call": call} for call in CALLS]
DELIVERING: dict[str, dict[str, Any]] = yaml.safe_load("""
webhook:
  method: PUT
  path: /hooks/{id}
  body: form
  maxBody: 2Mi
  verify:
    hmac:
      header: X-Signature
      algorithm: sha512
      encoding: base64
      prefix: v1=
      signed: "{% $timestamp %}.{% $body %}"
      timestamp: "{% $request.headers.t %}"
      tolerance: 1m
      secret: {secretKeyRef: {name: a, key: hmac}}
      secondSecret: {secretKeyRef: {name: a, key: next}}
      secretEncoding: base64
    basic:
      users:
        - name: shop
          username: {secretKeyRef: {name: a, key: username}}
          password: {secretKeyRef: {name: a, key: password}}
    apiKey:
      header: X-Api-Key
      keys: [{name: shop, value: {secretKeyRef: {name: a, key: key}}}]
    clientCertificate:
      header: X-Subject
      ingress: [10.0.0.0/8]
      verified: {header: X-Verified, value: SUCCESS}
      certificates: [{name: shop, value: CN=shop}]
    allowFrom: [203.0.113.0/24, "2001:db8::/32"]
  trustedProxies: [10.0.0.0/8]
  limits: {requests: 10, per: 1s, by: caller}
  split: "{% lines %}"
  reply: {status: 200, headers: {A: b}, body: {a: 1}}
  challenge: {method: GET, when: "{% a %}", respond: {status: 201, headers: {A: b}, body: a}}
open: {path: /hooks, open: true}
tokens:
  path: /hooks
  verify: {bearer: {tokens: [{name: shop, value: {secretKeyRef: {name: a, key: token}}}]}}
keys:
  path: /hooks
  verify: {jwt: {issuer: a, audience: [b], keys: [{kty: RSA, n: a, e: AQAB}]}}
schedule:
  cron: 0 2 * * *
  timeZone: Europe/Amsterdam
  overlap: queue
  missed: all
  startingDeadline: 1h
  body: {a: 1}
poll:
  cron: 0 2 * * *
  timeZone: Europe/Amsterdam
  call: {connector: erp, path: /products, query: {since: "{% $watermark %}"}}
  timeout: 3s
  pagination: {page: {param: p, start: 0, size: 10}, maxPages: 7}
  records: "{% items %}"
  watermark: {value: "{% updated %}", initial: "2020", overlap: 1m}
  changeDetection: {fields: "{% price %}"}
offset:
  every: 1m
  call: {connector: erp}
  pagination: {offset: {param: o, size: 10}, more: "{% more %}", total: "{% total %}"}
cursor:
  every: 1m
  call: {connector: erp}
  pagination: {cursor: {param: c, value: "{% next %}"}}
keyset:
  every: 1m
  call: {connector: erp}
  pagination: {keyset: {param: k, id: "{% sku %}", size: 10}}
connection:
  every: 1m
  call: {connector: erp, method: POST, body: {after: "{% $cursor %}"}}
  pagination: {connection: {pageInfo: "{% data.pageInfo %}"}}
linkHeader:
  every: 1m
  call: {connector: erp}
  pagination: {linkHeader: {rel: more}}
bodyLink:
  every: 1m
  call: {connector: erp}
  pagination: {bodyLink: {url: "{% next %}"}}
csv:
  every: 1m
  call: {connector: erp}
  document: {csv: {separator: ";", header: false}, maxSize: 2Gi}
xml:
  every: 1m
  call: {connector: erp}
  document: {xml: {element: shop/product, required: false}}
jsonLines:
  every: 1m
  call: {connector: erp}
  document: {jsonLines: {}}
route: {name: orders-in}
""")
KINDS_OF_SOURCE = {**dict.fromkeys(("open", "tokens", "keys"), "webhook"), **dict.fromkeys(
    ("offset", "cursor", "keyset", "connection", "linkHeader", "bodyLink", "csv", "xml",
     "jsonLines"), "poll"
)}  # fmt: skip
DELIVERY = yaml.safe_load("""
message: {key: "{% id %}", version: "{% updated %}"}
delivery:
  order: key
  concurrency: 4
  retry: {attempts: 7, backoff: {initial: 1s, max: 1m}}
  onFailure: park
  timeout: 5s
  deadline: 2h
  skipIfDelivered: true
  batch: {count: 10, size: 2Mi, wait: 2s, failures: "{% failed %}"}
  maxBacklog: 10
retention: {age: 24h, count: 10}
""")


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    match value:
        case dict() if value:
            for key, inner in value.items():
                yield from leaves(inner, (*path, key))
        case list() if value:
            for index, inner in enumerate(value):
                yield from leaves(inner, (*path, index))
        case _:
            yield path


def full(name: str) -> dict[str, Any]:
    """All that is written for a Route with a source of that name."""
    if name == "http":
        return FULL
    source = {KINDS_OF_SOURCE.get(name, name): DELIVERING[name]}
    steps = [{"call": {"connector": "erp", "method": "POST"}}]
    made = {"source": source, "steps": steps, "replicas": 3, **DELIVERY}
    return {**FULL, "route": made, "mapping": {"expression": "a"}}


VERIFIED = [DELIVERING[name]["verify"] for name in ("webhook", "tokens", "keys")]
# What is not verified can only be open, what is scaled has no count of its own, and JSON Lines have
# nothing to say.
LEAVES = [
    (name, path)
    for name in ("http", *DELIVERING)
    for path in leaves(full(name))
    if path[-1] not in ("open", "jsonLines") and (name, path) != ("http", ("route", "replicas"))
]
NOT_BEHAVIOUR = (
    ("route", "replicas"),
    ("route", "autoscaling"),
    ("route", "paused"),
    ("route", "resources"),
    ("route", "podTemplate"),
    ("route", "expose"),
    ("route", "tests"),
    ("mapping", "tests"),
)


def plan_of(values: dict[str, Any]) -> RoutePlan:
    """The plan of these values, whether or not what they name is there."""
    return RoutePlan.of(
        RouteSpec.model_validate(values["route"]),
        namespace="default",
        name="r",
        connectors={"erp": ConnectorSpec.model_validate(values["connector"])},
        mappings={"m": planner.planned(MappingSpec.model_validate(values["mapping"]))},
    )


def changed(written: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any] | None:
    """The values with another one at `path`, that the models take."""
    old: Any = written
    for part in path:
        old = old[part]
    for new in (other for other in _others(old) if other != old):
        values = copy.deepcopy(written)
        at: Any = values
        for part in path[:-1]:
            at = at[part]
        at[path[-1]] = new
        try:
            plan_of(values)
        except ValueError:
            continue
        return values
    return None


OTHER_TEXTS = (
    *("5s", "6s", "3Mi", "{% changed %}", "PUT", "PATCH", "basic", "three", "/changed", "2"),
    *("sha1", "hex", "10.0.0.1", "all", "skip", "none", "block", "@daily", "text", "warn"),
    *("reject", "json", "RS512", "https://c.example.com", "address", "utf-16", "a/b", "ttl"),
)
"""One of them is taken in the place of any text."""


def _others(old: Any) -> list[Any]:
    if isinstance(old, bool):
        return [not old]
    if isinstance(old, int):
        return [old + 1]
    if isinstance(old, str):
        return [f"{old}x", *OTHER_TEXTS]
    return [{"changed": 1}, {"status": 202}]


@pytest.mark.parametrize(
    ("name", "path"), LEAVES, ids=[f"{name} {'.'.join(map(str, path))}" for name, path in LEAVES]
)
def test_the_hash_changes_with_behaviour_and_nothing_else(name: str, path: tuple[Any, ...]) -> None:
    written = full(name)
    values = changed(written, path)

    assert values is not None, "nothing else is taken here"
    is_behaviour = path[:2] not in NOT_BEHAVIOUR
    assert (plan_of(values).hash != plan_of(written).hash) is is_behaviour


def test_a_schema_that_only_describes_is_no_behaviour() -> None:
    described = {"expression": "a", "input": {"schema": {"type": "object"}}}
    plain = {"expression": "a"}

    made = [planner.planned(MappingSpec.model_validate(each)) for each in (described, plain)]
    assert made[0] == made[1]


def test_the_full_values_make_a_plan() -> None:
    made = planned(
        cast(Resource[RouteSpec], resource(ROUTE, "r", FULL["route"])),
        resource(CONNECTOR, "erp", FULL["connector"]),
        resource(MAPPING, "m", FULL["mapping"]),
    )

    assert made == Planned(plan_of(FULL))


@pytest.mark.parametrize(
    ("model", "written"),
    [
        (RouteSpec, FULL["route"] | DELIVERY),
        (HttpSource, FULL["route"]["source"]["http"]),
        (
            Call,
            {name: None for call in (FULL["route"]["steps"][0]["call"], *CALLS) for name in call},
        ),
        (Answer, FULL["connector"]["http"]["answer"]),
        (Part, CALLS[-1]["multipart"][0]),
        (Cache, FULL["route"]["steps"][0]["cache"] | {"mode": "http"}),
        (Respond, FULL["route"]["steps"][-1]["respond"]),
        (Step, {name: None for step in FULL["route"]["steps"] for name in step}),
        (MappingSpec, FULL["mapping"]),
        (HttpTransport, FULL["connector"]["http"]),
        (RateLimit, FULL["connector"]["http"]["rateLimit"]),
        (Hedge, FULL["connector"]["http"]["hedge"]),
        (CircuitBreaker, FULL["connector"]["http"]["circuitBreaker"] | {"calls": 9}),
        (WebhookSource, DELIVERING["webhook"] | DELIVERING["open"]),
        (
            Verification,
            {
                name: None
                for each in (FULL["route"]["source"]["http"]["auth"], *VERIFIED)
                for name in each
            },
        ),
        (Jwt, FULL["route"]["source"]["http"]["auth"]["jwt"] | DELIVERING["keys"]["verify"]["jwt"]),
        (Cors, FULL["route"]["source"]["http"]["cors"]),
        (CallerLimit, FULL["route"]["source"]["http"]["limits"]),
        (ClientCertificate, DELIVERING["webhook"]["verify"]["clientCertificate"]),
        (Hmac, DELIVERING["webhook"]["verify"]["hmac"]),
        (Reply, DELIVERING["webhook"]["reply"]),
        (Challenge, DELIVERING["webhook"]["challenge"]),
        (ScheduleSource, DELIVERING["schedule"]),
        (PollSource, DELIVERING["poll"] | DELIVERING["offset"] | DELIVERING["csv"]),
        (
            Document,
            {name: None for each in DELIVERING.values() for name in each.get("document", {})},
        ),
        (CsvDocument, DELIVERING["csv"]["document"]["csv"]),
        (XmlDocument, DELIVERING["xml"]["document"]["xml"]),
        (JsonLinesDocument, DELIVERING["jsonLines"]["document"]["jsonLines"]),
        (Watermark, DELIVERING["poll"]["watermark"]),
        (
            Pagination,
            {name: None for each in DELIVERING.values() for name in each.get("pagination", {})},
        ),
        (Message, DELIVERY["message"]),
        (Delivery, DELIVERY["delivery"]),
        (Batch, DELIVERY["delivery"]["batch"]),
        (Retention, DELIVERY["retention"]),
    ],
)
def test_the_full_values_have_all_fields(model: type[Model], written: dict[str, Any]) -> None:
    """Whoever adds a field adds it to them, and then it is tried whether it changes the hash."""
    assert {field.alias or name for name, field in model.model_fields.items()} == set(written)


def test_the_hash_is_short_and_stays() -> None:
    """A new version of the operator must roll no Route: this value is kept."""
    made = planned(route("{call: {connector: erp}}"), connector()).plan
    assert made is not None

    assert made.to_json() == (
        b'{"connectors":{"erp":{"http":{"baseUrl":"https://a.b"}}},"name":"r",'
        b'"namespace":"default","source":{"http":{"path":"/x"}},'
        b'"steps":[{"call":{"connector":"erp"}}],"version":1}'
    )
    assert made.hash == "89bb664b7eec7e79"


def test_the_order_of_everything_in_the_manifests_leaves_the_hash() -> None:
    made = plan_of({name: _reversed(value) for name, value in FULL.items()})

    assert made.to_json() == plan_of(FULL).to_json()


def _reversed(value: Any) -> Any:
    match value:
        case dict():
            return {key: _reversed(value[key]) for key in reversed(value)}
        case list():
            return [_reversed(item) for item in value]
        case _:
            return value


def test_what_else_there_is_leaves_the_hash() -> None:
    made = route("{call: {connector: erp}}")
    alone = plan(made, Resources.of([made, connector()])).plan
    beside = plan(
        made, Resources.of([mapping(), route(name="s"), connector("a"), connector(), made])
    ).plan
    assert alone is not None
    assert beside is not None

    assert alone.hash == beside.hash


@pytest.mark.parametrize(("namespace", "name"), [("shop", "r"), ("default", "s")])
def test_the_hash_knows_whose_plan_it_is(namespace: str, name: str) -> None:
    first, second = planned(route()).plan, planned(route(name=name, namespace=namespace)).plan
    assert first is not None
    assert second is not None

    assert first.hash != second.hash


def test_a_plan_comes_back_from_its_json() -> None:
    made = plan_of(FULL)

    read = RoutePlan.from_json(made.to_json())

    assert read.hash == made.hash
    assert read.canonical() == made.canonical()
    assert read.steps == made.steps
    assert read.connectors == made.connectors


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(b"", "the plan is not JSON", id="nothing"),
        pytest.param(b"{", "the plan is not JSON", id="half a plan"),
        pytest.param(b"\xff", "the plan is not JSON", id="bytes that are not UTF-8"),
        pytest.param(b"[" * 100_000, "the plan is not JSON", id="JSON that nests without end"),
        pytest.param(b"null", "the plan is not valid", id="null"),
        pytest.param(b"[]", "the plan is not valid", id="a list"),
        pytest.param(b"{}", "the plan is not valid", id="an empty plan"),
        pytest.param(b'{"version": true}', "the plan is not valid", id="a version that is true"),
        pytest.param(b'{"version": "2"}', "the plan is not valid", id="a version that is text"),
        pytest.param(b'{"version": 0}', "the plan is not valid", id="a version before the first"),
    ],
)
def test_what_is_no_plan(text: bytes, message: str) -> None:
    with pytest.raises(UnreadablePlan, match=message):
        RoutePlan.from_json(text)


def test_a_newer_plan_is_refused_with_what_to_do() -> None:
    """Whatever else is in it: its fields are not ours to judge."""
    newer = json.dumps({"version": PLAN_VERSION + 1, "flow": {}}).encode()

    with pytest.raises(UnreadablePlan) as refused:
        RoutePlan.from_json(newer)

    assert str(refused.value) == (
        f"the plan has version {PLAN_VERSION + 1}; this runtime reads version {PLAN_VERSION} and "
        "older. Use a newer runtime image, or an older operator."
    )


def test_a_plan_with_a_field_that_nobody_knows_is_refused() -> None:
    plain = {**json.loads(plan_of(FULL).to_json()), "flow": 1}

    with pytest.raises(UnreadablePlan, match="flow"):
        RoutePlan.from_json(json.dumps(plain).encode())


AUTH = {
    "bearer": "{bearer: {token: SECRET}}",
    "basic": "{basic: {username: SECRET, password: SECRET}}",
    "apiKey": "{apiKey: {header: X-Key, value: SECRET}}",
    "oauth2": "{oauth2: {tokenUrl: https://a.b, clientId: SECRET, clientSecret: SECRET}}",
    "oauth1": "{oauth1: {consumerKey: SECRET, consumerSecret: SECRET, token: SECRET, "
    "tokenSecret: SECRET}}",
    "awsSigV4": "{awsSigV4: {accessKeyId: SECRET, secretAccessKey: SECRET, sessionToken: SECRET, "
    "region: eu-west-1, service: es}}",
}


@pytest.mark.parametrize("auth", AUTH.values(), ids=AUTH)
def test_a_plan_names_secrets_and_holds_none(auth: str) -> None:
    secret = "{secretKeyRef: {name: erp, key: token}}"
    text = f"{{http: {{baseUrl: https://a.b, auth: {auth.replace('SECRET', secret)}}}}}"

    made = planned(route("{call: {connector: erp}}"), resource(CONNECTOR, "erp", text)).plan

    assert made is not None
    held = made.canonical()["connectors"]["erp"]["http"]["auth"]
    values = {path[-1] for path in leaves(held) if path[-2] == "secretKeyRef"}
    assert values == {"name", "key"}
    assert auth.count("SECRET") == json.dumps(held).count('"secretKeyRef"')


def test_every_credential_in_the_models_is_a_reference() -> None:
    """A field that sounds like a credential is a `SecretValue`, all through the connector.

    The token of a session is where to find one.
    """
    words = {"password", "secret", "token", "username", "value", "clientId", "clientSecret"}
    words |= {"consumerKey", "consumerSecret", "tokenSecret"}
    words |= {"accessKeyId", "secretAccessKey", "sessionToken"}
    ahead: list[Any] = [ConnectorSpec]
    found = set()
    while ahead:
        each = ahead.pop()
        ahead += getattr(each, "__args__", ())
        if isinstance(each, type) and issubclass(each, Model) and each is not SecretValue:
            for name, field in each.model_fields.items():
                ahead.append(field.annotation)
                if (field.alias or name) in words and each is not Session:
                    found.add((each.__name__, name, field.annotation))

    grant = PasswordGrant | None  # named after what it holds
    assert {kind for _, _, kind in found} == {SecretValue, SecretValue | None, grant}
    assert len(found) == 18


def test_planning_is_deterministic() -> None:
    made = route(
        "{call: {connector: b}}", "{call: {connector: a}}", "{map: {mapping: m}}",
        "{scatter: {branches: [x, y]}}",
        branches={"x": [RESPOND], "y": [RESPOND], "z": [RESPOND]}, path="/{a}/{b}/{a}/{b}",
    )  # fmt: skip
    broken = mapping("$b & $a & $nope($c)")

    first = planned(made, broken)

    assert first.problems == planned(made, broken).problems
    assert len(first.problems) > 8
