"""isthmus test, as a person at a terminal sees it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from xml.etree import ElementTree

import pytest

Isthmus = Callable[..., CompletedProcess[str]]
Folder = Callable[[Mapping[str, str | bytes]], Path]

EXAMPLE = Path(__file__).parents[3] / "examples" / "search-with-prices"
HEAD = "apiVersion: isthmus.dev/v1alpha1\n"
LARGE = 12345678901234567890123
RETRY = {"attempts": 3, "backoff": {"initial": "10s", "max": "20s"}}
ERP = {"http": {"baseUrl": "https://erp.example.com/api", "timeout": "60s", "retry": RETRY}}


def manifest(kind: str, name: str, spec: Mapping[str, Any]) -> str:
    """An object; JSON is YAML."""
    return f"{HEAD}kind: {kind}\nmetadata: {{name: {name}}}\nspec: {json.dumps(spec)}\n"


def mapping(expression: str, test: Mapping[str, Any], **spec: Any) -> str:
    tests = [{"name": "the case", **test}]
    return manifest("Mapping", "m", {"expression": expression, "tests": tests, **spec})


def route(steps: list[Any], test: Mapping[str, Any], *, erp: Mapping[str, Any] = ERP) -> str:
    source = {"http": {"method": "POST", "path": "/orders/{id}", "timeout": "120s"}}
    tests = [{"name": "the case", "request": {"params": {"id": "a/b"}}, **test}]
    spec = {"source": source, "steps": steps, "tests": tests}
    return f"{manifest('Connector', 'erp', erp)}---\n{manifest('Route', 'r', spec)}"


PUT = {"call": {"connector": "erp", "method": "PUT", "path": "/orders/{% $request.params.id %}"}}
OAUTH = {
    "http": {
        "baseUrl": "https://erp.example.com",
        "auth": {
            "oauth2": {
                "tokenUrl": "https://erp.example.com/token",
                "clientId": {"secretKeyRef": {"name": "erp", "key": "id"}},
                "clientSecret": {"secretKeyRef": {"name": "erp", "key": "secret"}},
            }
        },
    }
}

PASSING = [
    pytest.param(
        mapping("{'id': id}", {"input": {"id": LARGE}, "expect": {"id": LARGE}}),
        id="large integers stay in a Mapping",
    ),
    pytest.param(
        mapping(
            "$table('vat', $country)",
            {"variables": {"country": "NL"}, "expect": "0.21"},
            tables={"vat": {"NL": "0.21"}},
        ),
        id="a Mapping reads its tables and variables",
    ),
    pytest.param(
        route(
            [{"map": {"expression": "{'id': id}"}}],
            {
                "request": {"params": {"id": "1"}, "body": {"id": LARGE}},
                "expect": {"body": {"id": LARGE}},
            },
        ),
        id="large integers stay in a Route",
    ),
    pytest.param(
        route(
            [
                {"call": {"connector": "erp"}, "into": "stock"},
                {"map": {"expression": "{'ids': [items.id], 'stock': $stock.id}"}},
            ],
            {
                "request": {"params": {"id": "1"}, "body": {"items": [{"id": LARGE}, {"id": 7}]}},
                "answers": [{"connector": "erp", "body": {"id": LARGE + 1}}],
                "expect": {"body": {"ids": [LARGE, 7], "stock": LARGE + 1}},
            },
        ),
        id="large integers of a body and of a variable stay beside each other",
    ),
    pytest.param(
        route(
            [PUT],
            {
                "answers": [{"connector": "erp", "body": {"ok": True}}],
                "expect": {
                    "calls": [{"connector": "erp", "method": "PUT", "path": "/orders/a%2Fb"}],
                    "status": 200,
                    "headers": {"Content-Type": "application/json"},
                    "body": {"ok": True},
                },
            },
        ),
        id="a call is below the base URL and its values are encoded",
    ),
    pytest.param(
        route(
            [PUT],
            {
                "answers": [
                    {"connector": "erp", "fail": "connect"},
                    {"connector": "erp", "status": 503},
                    {"connector": "erp", "body": {}},
                ],
                "expect": {"calls": [{"connector": "erp"}] * 3, "status": 200},
            },
        ),
        id="retries happen, and their waits cost no time",
    ),
    pytest.param(
        route(
            [PUT],
            {
                "answers": [{"connector": "erp", "fail": "timeout"}],
                "expect": {"calls": [{"connector": "erp"}], "status": 504},
            },
        ),
        id="a time-out uses up the time that a retry would need",
    ),
    pytest.param(
        route(
            [PUT],
            {
                "answers": [{"connector": "erp"}],
                "expect": {
                    "calls": [
                        {"connector": "erp", "headers": {"Authorization": "Bearer placeholder"}}
                    ]
                },
            },
            erp=OAUTH,
        ),
        id="signing in needs no answer",
    ),
]


@pytest.mark.parametrize("content", PASSING)
def test_passing(isthmus: Isthmus, folder: Folder, content: str) -> None:
    folder({"a.yaml": content})

    ended = isthmus("test", "manifests")

    assert ended.stdout.endswith("  ok    the case\n\n1 passed, 0 failed\n")
    assert (ended.stderr, ended.returncode) == ("", 0)


FAILING = [
    pytest.param(
        mapping("{'a': 1, 'b': [1]}", {"expect": {"a": 2, "b": [1, 2], "c": None}}),
        [
            "the result differs:",
            "$.a: expected 2, got 1",
            "$.b[1]: expected 2, got nothing",
            "$.c: expected null, got nothing",
        ],
        id="the result of a Mapping differs",
    ),
    pytest.param(
        mapping(
            "{'a': 'x'}",
            {"expect": {"a": "x"}},
            output={"schema": {"properties": {"a": {"type": "integer"}}}},
        ),
        ['the result does not fit output.schema at $.a: "x" is not of type "integer"'],
        id="the result of a Mapping does not fit its schema",
    ),
    pytest.param(
        mapping("($f := function($n) { $f($n + 1) }; $f(0))", {"expect": 1}),
        ["the expression failed:", "exceeded its budget of 5000000 steps"],
        id="an endless expression ends by its guard",
    ),
    pytest.param(
        mapping("$number(a)", {"input": {"a": "x"}, "expect": 1}),
        ["the expression failed:", "line 1, column 1"],
        id="an expression fails on its input",
    ),
    pytest.param(
        route([PUT], {"expect": {"status": 200}}),
        ["the call PUT /orders/a%2Fb of the Connector erp had no answer left; add one"],
        id="a call has no answer",
    ),
    pytest.param(
        route([PUT], {"request": {}, "expect": {"status": 200}}),
        ["the path /orders/{id} needs a value for id; write request: {params: {id: …}}"],
        id="the request lacks a path variable",
    ),
    pytest.param(
        route(
            [PUT],
            {
                "answers": [{"connector": "erp", "status": 404}, {"connector": "erp"}],
                "expect": {"status": 200},
            },
        ),
        [
            "the status differs: expected 200, got 502",
            "note: the Route failed in the step call-0: UnexpectedStatus: erp answered 404",
            "note: an answer of the Connector erp was not asked for",
        ],
        id="a Route fails where it should answer",
    ),
    pytest.param(
        route(
            [PUT],
            {
                "answers": [{"connector": "erp", "body": 1}],
                "expect": {
                    "calls": [
                        {"connector": "erp", "method": "POST", "query": {"q": "x"}},
                        {"connector": "erp", "path": "/more"},
                    ],
                    "headers": {"x-shop": "1"},
                },
            },
        ),
        [
            'call 1 (PUT /orders/a%2Fb): the method differs: expected "POST", got "PUT"',
            '$.q: expected "x", got nothing',
            "call 2 was not made: /more of the Connector erp",
            'the answer: the header x-shop differs: expected "1", got nothing',
        ],
        id="calls differ",
    ),
    pytest.param(
        route([PUT], {"answers": [{"connector": "erp"}], "expect": {"calls": []}}),
        ["call 1 was not expected: PUT /orders/a%2Fb of the Connector erp"],
        id="a call is made that should not be",
    ),
]


@pytest.mark.parametrize(("content", "said"), FAILING)
def test_failing(isthmus: Isthmus, folder: Folder, content: str, said: list[str]) -> None:
    folder({"a.yaml": content})

    ended = isthmus("test", "manifests")

    assert [part for part in ("  FAIL  the case\n", *said) if part not in ended.stdout] == []
    assert ended.stdout.endswith("\n0 passed, 1 failed\n")
    assert (ended.stderr, ended.returncode) == ("", 1)


def test_the_examples_tests_pass(isthmus: Isthmus) -> None:
    ended = isthmus("test", EXAMPLE)

    assert ended.stdout.endswith("\n7 passed, 0 failed\n")
    assert ended.returncode == 0


def test_a_filter_and_a_junit_file(isthmus: Isthmus, folder: Folder, tmp_path: Path) -> None:
    folder(
        {
            "a.yaml": mapping("1", {"name": "one is one", "expect": 1}),
            "b.yaml": mapping("1", {"name": "\x07ne is two", "expect": 2}).replace("m}", "other}"),
        }
    )

    ended = isthmus("test", "manifests", "-k", "IS TWO", "--junit", "junit.xml")

    assert ended.stdout.endswith("0 passed, 1 failed\n")
    suites = ElementTree.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - our own
    [suite] = suites
    [found] = suite
    failure = found.find("failure")
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == (
        "Mapping default/other",
        "1",
        "1",
    )
    assert found.get("name") == "\ufffdne is two"
    assert failure is not None
    assert failure.text == "the result differs: expected 2, got 1"


def test_results_as_json(isthmus: Isthmus, folder: Folder) -> None:
    untested = manifest("Mapping", "untested", {"expression": "$"})
    folder({"a.yaml": mapping("{'a': 1}", {"expect": {"a": 2}}), "b.yaml": untested})

    told = json.loads(isthmus("test", "manifests", "-o", "json").stdout)

    [found] = told["tests"]
    assert (found["object"], found["name"], found["outcome"]) == (
        "Mapping default/m",
        "the case",
        "failed",
    )
    assert found["failures"] == [
        {
            "message": "the result differs",
            "differences": [{"path": "$.a", "expected": 2, "actual": 1}],
        }
    ]
    assert told["summary"] == {
        "passed": 0,
        "failed": 1,
        "withoutTests": ["Mapping default/untested"],
    }


def test_objects_without_tests_are_named(isthmus: Isthmus, folder: Folder) -> None:
    folder(
        {
            "a.yaml": mapping("1", {"expect": 1}),
            "b.yaml": manifest("Mapping", "two", {"expression": "$"}),
            "c.yaml": manifest("Mapping", "three", {"expression": "$"}),
        }
    )

    ended = isthmus("test", "manifests")

    assert ended.stdout.endswith("2 Mappings have no tests: two, three\n1 passed, 0 failed\n")


def test_manifests_with_errors_are_told_as_lint_tells_them(
    isthmus: Isthmus, folder: Folder
) -> None:
    folder({"a.yaml": mapping("1 +", {"expect": 1})})

    ended = isthmus("test", "manifests")

    assert "error  ExpressionInvalid  Mapping default/m spec.expression" in ended.stdout
    assert ended.stdout.endswith("1 error, 0 warnings in 1 object\n")
    assert ended.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["nowhere"], "'nowhere' does not exist", id="there is no such folder"),
        pytest.param(["manifests"], "no Mapping or Route in manifests has tests", id="no tests"),
        pytest.param(
            ["manifests", "-k", "zzz"], "no test in manifests has 'zzz'", id="no test fits"
        ),
    ],
)
def test_nothing_to_run_is_a_wrong_use(
    isthmus: Isthmus, folder: Folder, arguments: list[str], said: str
) -> None:
    folder({"a.yaml": manifest("Mapping", "m", {"expression": "$"})})

    ended = isthmus("test", *arguments)

    assert said in ended.stderr
    assert (ended.stdout, ended.returncode) == ("", 2)
