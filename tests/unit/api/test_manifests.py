"""Manifests: what is read, what is left alone, and what is wrong, with its place and its mend."""

import json
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus_api import manifests
from isthmus_api.connector import ConnectorSpec
from isthmus_api.manifests import Manifests
from isthmus_api.mapping import MappingSpec
from isthmus_api.problems import Code, Problem
from isthmus_api.resources import NOWHERE, ROUTE, Key, Resource
from isthmus_api.route import RouteSpec

HEAD = "apiVersion: isthmus.dev/v1alpha1\n"
ROUTE_HEAD = HEAD + "kind: Route\nmetadata: {name: r}\n"
SPEC = "spec:\n  source: {http: {path: /x}}\n  steps: [{respond: {}}]\n"
GOOD = ROUTE_HEAD + SPEC
MAPPING = HEAD + "kind: Mapping\nmetadata: {name: m}\nspec: {expression: $}\n"
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"


def read(text: str | bytes) -> Manifests:
    raw = text.encode() if isinstance(text, str) else text
    return manifests.read(raw, file="a.yaml")


def keys(found: Manifests) -> list[str]:
    assert found.problems == ()
    return [str(resource.key) for resource in found.resources]


def body(value: str) -> Any:
    """What a value written in YAML is read as."""
    text = ROUTE_HEAD + SPEC.replace("respond: {}", f"respond: {{body: [{value}]}}")
    found = read(text)
    assert found.problems == ()
    spec = found.resources[0].spec
    assert isinstance(spec, RouteSpec)
    assert spec.steps[0].respond is not None
    found_body = spec.steps[0].respond.body
    assert isinstance(found_body, list)
    return found_body[0]


# What is read


@pytest.mark.parametrize(
    ("text", "found", "others"),
    [
        pytest.param(GOOD, ["Route default/r"], 0, id="one object"),
        pytest.param(
            f"{GOOD}---\n{MAPPING}", ["Route default/r", "Mapping default/m"], 0, id="two documents"
        ),
        pytest.param(
            f"---\n# nothing here\n---\n{GOOD}---\n---\n...\n", ["Route default/r"], 0, id="gaps"
        ),
        pytest.param(f"{POD}---\n{GOOD}---\n{POD}", ["Route default/r"], 2, id="others between"),
        pytest.param("", [], 0, id="an empty file"),
        pytest.param("# a comment\n", [], 0, id="a file with comments only"),
        pytest.param("- 1\n- 2\n", [], 1, id="a list of anything"),
        pytest.param("hello", [], 1, id="a word"),
        pytest.param(
            "apiVersion: route.openshift.io/v1\nkind: Route\n", [], 1, id="a Route of another group"
        ),
        pytest.param(
            "apiVersion: v1\nkind: ConfigMap\ndata: {<<: {}, a: !Ref b, a: 1, 1: .inf}\n",
            [],
            1,
            id="oddities of other people's objects",
        ),
        pytest.param("\ufeff" + GOOD, ["Route default/r"], 0, id="a byte order mark"),
        pytest.param(GOOD.replace("\n", "\r\n"), ["Route default/r"], 0, id="lines end in CRLF"),
        pytest.param(GOOD.replace("\n", "\r"), ["Route default/r"], 0, id="lines end in CR"),
        pytest.param(
            GOOD.replace("{name: r}", "{name: r, namespace: shop, labels: , managedFields: [1]}"),
            ["Route shop/r"],
            0,
            id="metadata that is empty or not ours",
        ),
        pytest.param(GOOD + "status: {anything: 1}\n", ["Route default/r"], 0, id="a status"),
        pytest.param(
            json.dumps(yaml.safe_load(GOOD)), ["Route default/r"], 0, id="JSON on one line"
        ),
        pytest.param(
            json.dumps(yaml.safe_load(GOOD), indent="\t"), ["Route default/r"], 0, id="tabbed JSON"
        ),
        pytest.param(
            "apiVersion: v1\nkind: List\nitems:\n"
            + "".join(
                "- " + text.replace("\n", "\n  ").rstrip() + "\n" for text in (GOOD, POD, MAPPING)
            ),
            ["Route default/r", "Mapping default/m"],
            1,
            id="a List as kubectl get prints it",
        ),
        pytest.param(
            json.dumps(
                {
                    "apiVersion": "isthmus.dev/v1alpha1",
                    "kind": "RouteList",
                    "items": [{"kind": "List", "items": [yaml.safe_load(GOOD)]}],
                }
            ),
            ["Route default/r"],
            0,
            id="lists of our kinds, and lists in lists",
        ),
        pytest.param("kind: List\nitems:\n", [], 0, id="an empty List"),
        pytest.param("kind: List\nitems: [1, {}]\n", [], 2, id="a List of anything"),
    ],
)
def test_what_is_read(text: str, found: list[str], others: int) -> None:
    result = read(text)

    assert keys(result) == found
    assert result.others == others


def test_each_kind_has_its_model() -> None:
    connector = (
        HEAD + "kind: Connector\nmetadata: {name: c}\nspec: {http: {baseUrl: https://a.b}}\n"
    )

    found = read(f"{GOOD}---\n{MAPPING}---\n{connector}")

    assert keys(found) == ["Route default/r", "Mapping default/m", "Connector default/c"]
    assert [type(each.spec) for each in found.resources] == [RouteSpec, MappingSpec, ConnectorSpec]


# From `sigs.k8s.io/yaml` v1.6.0, which kubectl reads with: what it makes of `a: <text>`.
SCALARS: dict[str, Any] = {
    **dict.fromkeys(["y", "Y", "yes", "On", "true", "TRUE", "!!bool yes"], True),
    **dict.fromkeys(["n", "N", "NO", "Off", "false"], False),
    **dict.fromkeys(["~", "null", "Null", "!!null ''"]),
    **{text: text for text in ["tRue", "nULL", "+y", "_1", "=", "+", ".", "0x", "0b", ".e5"]},
    **{text: text for text in ["2001-01-01", "2001-1-2T3:4:5Z", "1:30", "12:30:45", "1e400"]},
    **{text: text for text in ["1.2.3", "1e", "0o8", "--1", "1-2", "._5"]},
    "'y'": "y",
    '"5"': "5",
    "!!str 5": "5",
    "!!timestamp 2001-01-01": "2001-01-01",
    "0310": 200,
    "-0310": -200,
    "0o17": 15,
    "0x10": 16,
    "0X1f": 31,
    "0b11": 3,
    "-0b11": -3,
    "1_000": 1000,
    "1_": 1,
    "0_7": 7,
    "08": 8,
    "+1": 1,
    "-0": 0,
    '!!int "5"': 5,
    "1e3": 1000,
    "1E+3": 1000,
    "1.0": 1,
    "1.": 1,
    "!!float 5": 5,
    "1_0.5": 10.5,
    "09.5": 9.5,
    ".5": 0.5,
    "-.5": -0.5,
    "+.5": 0.5,
    "0.1": 0.1,
    "1.0e-7": 1e-7,
    "1e-400": 0,
    "1e21": 1e21,
    "9223372036854775807": 9223372036854775807,
    "18446744073709551615": 18446744073709551615,
    "18446744073709551616": 1.8446744073709552e19,
    "-9223372036854775809": -9.223372036854776e18,
}


@pytest.mark.parametrize("text", SCALARS)
def test_a_scalar_is_what_kubectl_reads(text: str) -> None:
    read_as = body(text)

    assert read_as == SCALARS[text]
    assert type(read_as) is type(SCALARS[text])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param(r"\ud83d\ude00", "😀", id="a pair of surrogates, as json.dumps writes it"),
        pytest.param(r"\\ud83d\\ude00", r"\ud83d\ude00", id="an escaped backslash before it"),
        pytest.param(r"\/ \u00e9 \n", "/ é \n", id="other escapes of JSON"),
    ],
)
def test_strings_of_json(written: str, meant: str) -> None:
    text = json.dumps(yaml.safe_load(MAPPING)).replace('"$"', f'"{written}"')

    (resource,) = read(text).resources

    assert isinstance(resource.spec, MappingSpec)
    assert resource.spec.expression == meant


def test_an_alias_is_what_it_names() -> None:
    text = ROUTE_HEAD + SPEC.replace("respond: {}", "respond: {headers: &h {A: b}, body: *h}")

    (resource,) = read(text).resources

    assert isinstance(resource.spec, RouteSpec)
    assert resource.spec.steps[0].respond is not None
    assert resource.spec.steps[0].respond.body == {"A": "b"}


# What is wrong


def wrong(
    text: str | bytes, code: Code, at: str, field: str, message: str, hint: str, *, name: str
) -> Any:
    return pytest.param(text, code, at, field, message, hint, id=name)


def step(text: str) -> str:
    return ROUTE_HEAD + SPEC.replace("respond: {}", text)


def http(text: str) -> str:
    return ROUTE_HEAD + SPEC.replace("path: /x", text)


WRONG = [
    wrong(
        b"a: 1\nb: \xc3\xa9\xff\n",
        Code.UNREADABLE,
        "2:5",
        "",
        "the file is not UTF-8: byte 0xff",
        "save it as UTF-8",
        name="a byte that is not UTF-8",
    ),
    wrong(
        GOOD.encode("utf-16"),
        Code.UNREADABLE,
        "1:1",
        "",
        "the file is not UTF-8: byte 0xff",
        "save it as UTF-8",
        name="UTF-16, as PowerShell writes it",
    ),
    wrong(
        GOOD.replace("  source", "\tsource"),
        Code.INVALID_YAML,
        "5:1",
        "",
        "found character that cannot start any token",
        "indent with spaces, not with tabs",
        name="a tab",
    ),
    wrong(
        GOOD + "# é\x07\n",
        Code.INVALID_YAML,
        "7:4",
        "",
        "unacceptable character #x0007: control characters are not allowed",
        'remove it, or write it as an escape such as "\\0" in double quotes',
        name="a control character",
    ),
    wrong(
        step("respond: {body: *none}"),
        Code.INVALID_YAML,
        "6:28",
        "",
        "found undefined alias 'none'",
        "write the anchor (&name) before the alias (*name)",
        name="an alias of nothing",
    ),
    wrong(
        step("respond: {body: &a [*a]}"),
        Code.INVALID_YAML,
        "6:28",
        "",
        "the document nests deeper than 100 levels",
        "write it flatter; an alias must not stand inside what it names",
        name="an alias inside what it names",
    ),
    wrong(
        GOOD + "spec: {}\n",
        Code.DUPLICATE_KEY,
        "7:1",
        "spec",
        "the key 'spec' stands twice in one object",
        "remove one of the two",
        name="a key twice",
    ),
    wrong(
        ROUTE_HEAD.replace("name: r", "<<: {name: r}, name: r") + SPEC,
        Code.INVALID_VALUE,
        "3:12",
        "metadata",
        "merge keys (<<) are not read",
        "write the fields out",
        name="a merge key",
    ),
    wrong(
        GOOD + "  env: {NO: x}\n",
        Code.INVALID_VALUE,
        "7:9",
        "spec.env.NO",
        "the key NO is read as the boolean false, not as a string",
        'quote it: "NO"',
        name="the key of Norway",
    ),
    wrong(
        GOOD + "  env: {1: x}\n",
        Code.INVALID_VALUE,
        "7:9",
        "spec.env.1",
        "the key 1 is read as a number, not as a string",
        'quote it: "1"',
        name="a key that is a number",
    ),
    wrong(
        GOOD + "  env: {~: x}\n",
        Code.INVALID_VALUE,
        "7:9",
        "spec.env.~",
        "the key ~ is read as null, not as a string",
        'quote it: "~"',
        name="a key that is null",
    ),
    wrong(
        GOOD + "  env: {? [a] : x}\n",
        Code.INVALID_VALUE,
        "7:11",
        "spec.env",
        "a key must be a string",
        "write it as text, in quotes",
        name="a key that is a list",
    ),
    wrong(
        step("respond: {body: !!binary YQ==}"),
        Code.INVALID_VALUE,
        "6:28",
        "spec.steps[0].respond.body",
        "the tag !!binary is not read here",
        "remove the tag",
        name="a binary tag",
    ),
    wrong(
        step("respond: {body: !Ref [a]}"),
        Code.INVALID_VALUE,
        "6:28",
        "spec.steps[0].respond.body",
        "the tag !Ref is not read here",
        "remove the tag",
        name="a tag of another tool",
    ),
    wrong(
        step("respond: {body: !!int a}"),
        Code.INVALID_VALUE,
        "6:28",
        "spec.steps[0].respond.body",
        "the tag !!int is not read here",
        "remove the tag",
        name="a tag that does not fit its value",
    ),
    wrong(
        step("respond: {body: [1, -.inf]}"),
        Code.INVALID_VALUE,
        "6:32",
        "spec.steps[0].respond.body[1]",
        "JSON has no number -.inf",
        'quote it: "-.inf"',
        name="a number that JSON does not have",
    ),
    wrong(
        GOOD.replace("kind: Route", "kind: Rout"),
        Code.UNKNOWN_KIND,
        "2:7",
        "kind",
        "isthmus.dev/v1alpha1 has no kind Rout",
        "did you mean Route?",
        name="a kind that is misspelt",
    ),
    wrong(
        GOOD.replace("kind: Route", "kind: [Route]"),
        Code.UNKNOWN_KIND,
        "2:7",
        "kind",
        "isthmus.dev/v1alpha1 has no kind ['Route']",
        "did you mean Route?",
        name="a kind that is a list",
    ),
    wrong(
        GOOD.replace("kind: Route", "kind: Entity"),
        Code.UNKNOWN_KIND,
        "2:7",
        "kind",
        "isthmus.dev/v1alpha1 has no kind Entity",
        "the kinds are Connector, Mapping, Route",
        name="a kind that is none",
    ),
    wrong(
        GOOD.replace("kind: Route\n", ""),
        Code.MISSING_FIELD,
        "1:1",
        "kind",
        "kind is missing",
        "the kinds are Connector, Mapping, Route",
        name="no kind",
    ),
    wrong(
        GOOD.replace("v1alpha1", "v1"),
        Code.UNKNOWN_KIND,
        "1:13",
        "apiVersion",
        "there is no version isthmus.dev/v1",
        "write apiVersion: isthmus.dev/v1alpha1",
        name="a version that is none",
    ),
    wrong(
        GOOD.removeprefix(HEAD),
        Code.MISSING_FIELD,
        "1:1",
        "apiVersion",
        "apiVersion is missing",
        "write apiVersion: isthmus.dev/v1alpha1",
        name="no apiVersion, but a kind of ours",
    ),
    wrong(
        GOOD.replace("{name: r}", "{namespace: a}"),
        Code.MISSING_FIELD,
        "3:11",
        "metadata.name",
        "metadata.name is missing",
        "Name the object in small letters, digits and '-'.",
        name="metadata without a name",
    ),
    wrong(
        GOOD.replace("metadata: {name: r}\n", ""),
        Code.MISSING_FIELD,
        "1:1",
        "metadata.name",
        "metadata.name is missing",
        "Name the object in small letters, digits and '-'.",
        name="no metadata",
    ),
    wrong(
        GOOD.replace("{name: r}", "{name: n}"),
        Code.INVALID_VALUE,
        "3:18",
        "metadata.name",
        "this must be a string, not false",
        "put it in quotes: y, n, yes, no, on and off are booleans in YAML",
        name="a name that YAML reads as a boolean",
    ),
    wrong(
        GOOD.replace("{name: r}", "r"),
        Code.INVALID_VALUE,
        "3:11",
        "metadata",
        "this must be an object, not 'r'",
        "write it as an object, each field as 'name: value'",
        name="metadata that is a word",
    ),
    wrong(
        ROUTE_HEAD + "spec:\n  source: {http: {path: /x}}\n",
        Code.MISSING_FIELD,
        "5:3",
        "spec.steps",
        "spec.steps is missing",
        "The steps, in order.",
        name="a field that is missing",
    ),
    wrong(
        GOOD + "extra: 1\n",
        Code.UNKNOWN_FIELD,
        "7:1",
        "extra",
        "unknown field 'extra'",
        "the fields here are apiVersion, kind, metadata, spec",
        name="a field that no object has",
    ),
    wrong(
        ROUTE_HEAD + "spec:\n  source:\n    poll:\n      every: 1h\n      call: {connector: a}\n"
        "      document: {jsonLines: {a: 1}}\n"
        "  message: {key: '{% id %}'}\n  steps: [{call: {connector: a}}]\n",
        Code.UNKNOWN_FIELD,
        "9:30",
        "spec.source.poll.document.jsonLines.a",
        "unknown field 'a'",
        "there are none here: write {}",
        name="a field where there is none",
    ),
    wrong(
        step("repsond: {}"),
        Code.UNKNOWN_FIELD,
        "6:12",
        "spec.steps[0].repsond",
        "unknown field 'repsond'",
        "did you mean 'respond'?",
        name="a field that is misspelt",
    ),
    wrong(
        step("respond: {stat: 1}"),
        Code.UNKNOWN_FIELD,
        "6:22",
        "spec.steps[0].respond.stat",
        "unknown field 'stat'",
        "did you mean 'status'?",
        name="a field that is misspelt, further in",
    ),
    wrong(
        step("validate: {shema: {}}"),
        Code.MISSING_FIELD,
        "6:22",
        "spec.steps[0].validate.schema",
        "spec.steps[0].validate.schema is missing",
        "The JSON Schema, draft 2020-12 unless it names another.",
        name="a field whose name in Python is another",
    ),
    wrong(
        http("path: /x, timeout: 5"),
        Code.INVALID_VALUE,
        "5:38",
        "spec.source.http.timeout",
        "this must be a string, not the number 5",
        "write 5s for seconds, or 5ms for milliseconds",
        name="a duration that is a number",
    ),
    wrong(
        step("call: {connector: c}, timeout: 5"),
        Code.INVALID_VALUE,
        "6:43",
        "spec.steps[0].timeout",
        "this must be a string, not the number 5",
        "write 5s for seconds, or 5ms for milliseconds",
        name="an optional duration that is a number",
    ),
    wrong(
        http("path: /x, timeout: 5 sec"),
        Code.INVALID_VALUE,
        "5:38",
        "spec.source.http.timeout",
        "'5 sec' is not a duration",
        "write it like 300ms, 5s, 10m or 1h30m",
        name="a duration that is none",
    ),
    wrong(
        http("path: /x, maxBody: 1024"),
        Code.INVALID_VALUE,
        "5:38",
        "spec.source.http.maxBody",
        "this must be a string, not the number 1024",
        "put it in quotes",
        name="a size that is a number",
    ),
    wrong(
        step("respond: {status: '204'}"),
        Code.INVALID_VALUE,
        "6:30",
        "spec.steps[0].respond.status",
        "this must be a whole number, not '204'",
        "write it without quotes",
        name="a number in quotes",
    ),
    wrong(
        step("respond: {status: 99}"),
        Code.INVALID_VALUE,
        "6:30",
        "spec.steps[0].respond.status",
        "input should be greater than or equal to 200",
        "The HTTP status.",
        name="a number out of range",
    ),
    wrong(
        http("path: /x, method: get"),
        Code.INVALID_VALUE,
        "5:37",
        "spec.source.http.method",
        "'get' is not one of 'GET', 'HEAD', 'POST', 'PUT', 'PATCH' or 'DELETE'",
        "did you mean GET?",
        name="a method in small letters",
    ),
    wrong(
        http("path: x"),
        Code.INVALID_VALUE,
        "5:25",
        "spec.source.http.path",
        "'x' does not have the form ^(/([A-Za-z0-9._~-]|\\{[a-z][A-Za-z0-9]*\\})*)+$",
        "The path that callers use; a segment `{id}` is read as `$request.params.id`.",
        name="a path that is none",
    ),
    wrong(
        GOOD.replace("[{respond: {}}]", "{respond: {}}"),
        Code.INVALID_VALUE,
        "6:10",
        "spec.steps",
        "this must be a list, not an object",
        "write it as a list, each item after '- '",
        name="a list that is an object",
    ),
    wrong(
        GOOD.replace("[{respond: {}}]", "[]"),
        Code.INVALID_VALUE,
        "6:10",
        "spec.steps",
        "this must have at least 1 item, not 0",
        "The steps, in order.",
        name="an empty list",
    ),
    wrong(
        step("respond: {}, call: {connector: c}"),
        Code.INVALID_VALUE,
        "6:11",
        "spec.steps[0]",
        "exactly one of call, map, filter, choice, split, aggregate, scatter, validate, "
        "remember, lookup, respond "
        "must be set",
        "set here: call, respond",
        name="two verbs",
    ),
    wrong(
        step("name: a"),
        Code.INVALID_VALUE,
        "6:11",
        "spec.steps[0]",
        "exactly one of call, map, filter, choice, split, aggregate, scatter, validate, "
        "remember, lookup, respond "
        "must be set",
        "set here: none of them",
        name="no verb",
    ),
    wrong(
        GOOD + "  env: {A-B: x}\n",
        Code.INVALID_VALUE,
        "7:9",
        "spec.env.A-B",
        "the key 'A-B' is not allowed: 'A-B' does not have the form ^[a-z][A-Za-z0-9_]*$",
        "Values that differ from stage to stage, read as `$env.name`. Never secrets.",
        name="a key that is not allowed",
    ),
    wrong(
        MAPPING.replace("$", "a" * 5_000_000),
        Code.INVALID_VALUE,
        "4:20",
        "spec.expression",
        "this must have at most 262144 characters, not 5000000",
        "shorten it, or split it",
        name="an expression of 5 MB",
    ),
]


@pytest.mark.parametrize(("text", "code", "at", "field", "message", "hint"), WRONG)
def test_what_is_wrong(
    text: str | bytes, code: Code, at: str, field: str, message: str, hint: str
) -> None:
    found = read(text)
    first = found.problems[0]

    assert found.resources == ()
    assert (first.message, first.hint) == (message, hint)
    assert (first.code, str(first.location), first.field) == (code, f"a.yaml:{at}", field)
    assert all(problem.hint for problem in found.problems), found.problems


def test_a_problem_names_its_object() -> None:
    found = read(step("repsond: {}").replace("name: r", "name: r, namespace: shop"))

    assert [problem.subject for problem in found.problems] == ["Route shop/r"]


def test_a_problem_in_the_text_names_its_object_too() -> None:
    found = read(GOOD + "spec: {}\n")

    assert [problem.subject for problem in found.problems] == ["Route default/r"]


def test_all_that_is_wrong_is_told_at_once() -> None:
    found = read(step("respond: {status: a, body: {a: 1, a: 2}, x: 1}") + "  replicas: '1'\n")

    assert [(problem.code, problem.field) for problem in found.problems] == [
        (Code.DUPLICATE_KEY, "spec.steps[0].respond.body.a"),
        (Code.INVALID_VALUE, "spec.steps[0].respond.status"),
        (Code.UNKNOWN_FIELD, "spec.steps[0].respond.x"),
        (Code.INVALID_VALUE, "spec.replicas"),
    ]


def test_a_key_is_refused_once() -> None:
    found = read(GOOD + "  env: {NO: x}\n")

    assert [problem.field for problem in found.problems] == ["spec.env.NO"]


def test_what_is_wrong_in_one_document_keeps_no_other_from_being_read() -> None:
    found = read(f"{step('repsond: {}')}---\n{MAPPING}")

    assert [str(resource.key) for resource in found.resources] == ["Mapping default/m"]
    assert len(found.problems) == 1


def test_problems_in_a_list_have_their_place_in_the_file_and_their_path_in_the_object() -> None:
    broken = step("repsond: {}, respond: {body: {a: 1, a: 2}}")
    items = "- " + broken.replace("\n", "\n  ").rstrip()

    found = read(f"apiVersion: v1\nkind: List\nitems:\n- {{kind: Pod}}\n{items}\n")

    assert [(str(each.location), each.field) for each in found.problems] == [
        ("a.yaml:10:50", "spec.steps[0].respond.body.a"),
        ("a.yaml:10:14", "spec.steps[0].repsond"),
    ]
    assert {problem.subject for problem in found.problems} == {"Route default/r"}
    assert found.others == 1


def test_an_object_without_a_file_is_checked_alike() -> None:
    """As the operator does, with what the API server sends."""
    value = yaml.safe_load(GOOD)

    taken = manifests.check(value, kind=ROUTE, origin=NOWHERE)
    refused = manifests.check({**value, "spec": {}}, kind=ROUTE, origin=NOWHERE)

    assert isinstance(taken, Resource)
    assert taken.key == Key("Route", "default", "r")
    assert isinstance(refused, list)
    assert [(problem.field, problem.location) for problem in refused] == [
        ("spec.source", None),
        ("spec.steps", None),
    ]


# What nobody should be able to do to us


def bomb(head: str) -> str:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 30))
    return f"{head}l0: &l0 [x]\n{levels}"


HUGE = {
    "aliases that unfold to 10^29 values": bomb(GOOD),
    "a bomb in an object of others": bomb(POD),
    "a bomb that only looks like ours": bomb("kind: &k [Route]\n"),
    "100,000 open brackets": "[" * 100_000,
    "100,000 open braces": '{"a":' * 100_000,
    "100,000 lists in one line": "- " * 100_000 + "a",
    "10,000 indentations": "\n".join(" " * depth + "a:" for depth in range(3_000)),
    "100,000 brackets in ours": step("respond: {body: " + "[" * 100_000 + "]" * 100_000 + "}"),
    "100,000 documents": "---\n- 1\n" * 50_000,
    "a million values": "[" + "1," * 500_000 + "]",
    "a number of a million digits": step(f"respond: {{status: {'9' * 1_000_000}}}"),
    "a key of a million characters": GOOD + f"? {'a' * 1_000_000}\n: 1\n",
}


def test_nothing_ends_the_process_or_takes_long() -> None:
    """In a process of its own: what goes wrong here would take the tests with it."""
    code = (
        "import sys, json, time; from isthmus_api import manifests\n"
        "for name, text in json.load(sys.stdin).items():\n"
        "    start = time.process_time()\n"
        "    found = manifests.read(text.encode(), file='a')\n"
        "    assert not found.resources, name\n"
        "    assert all(len(problem.message) < 1000 for problem in found.problems), name\n"
        "    print(round(time.process_time() - start, 2), name)\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(HUGE), capture_output=True, text=True
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert [line for line in ended.stdout.splitlines() if float(line.split()[0]) > 4] == []


def test_a_large_file_is_not_even_parsed() -> None:
    started = time.process_time()

    (problem,) = read(b"[" * (16 * 1024 * 1024 + 1)).problems

    assert problem.code is Code.UNREADABLE
    assert time.process_time() - started < 1


def test_as_many_values_as_an_object_can_have_are_read() -> None:
    found = read(step(f"respond: {{body: [{'1,' * 100_000}]}}"))

    assert keys(found) == ["Route default/r"]


PIECES = st.sampled_from(
    [
        *(GOOD, HEAD, "kind: Route\n", "metadata:\n", "  name: r\n", "spec:\n", "  steps:\n"),
        *(
            "  - ",
            "respond: {}",
            "\n",
            "\t",
            ": ",
            "- ",
            "{",
            "}",
            "[",
            "]",
            "&a ",
            "*a",
            "!!",
            "? ",
        ),
        *("|\n", ">-\n", "'", '"', "#", "---\n", "...\n", "%YAML 1.3\n", "<<: ", "~", "!x "),
        *(
            "\ufeff",
            "\x00",
            "List",
            "items:\n",
            "\u2028",
            "\\ud83d\\ude00",
            "0x",
            ".inf",
            "1e9",
            "😀",
        ),
    ]
)


def is_sound(problems: Iterable[Problem]) -> bool:
    return all(problem.message and problem.hint and hash(problem) for problem in problems)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_give_problems_at_most(raw: bytes) -> None:
    assert is_sound(read(raw).problems)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_any_text_like_yaml_gives_problems_at_most(text: str) -> None:
    assert is_sound(read(text).problems)


NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(JSON, st.booleans())
def test_json_is_read_as_json(value: Any, ascii_only: bool) -> None:
    object_ = yaml.safe_load(step("respond: {}"))
    object_["spec"]["steps"][0]["respond"]["body"] = value

    found = read(json.dumps(object_, ensure_ascii=ascii_only))

    assert keys(found) == ["Route default/r"]
    spec = found.resources[0].spec
    assert isinstance(spec, RouteSpec)
    assert spec.steps[0].respond is not None
    assert spec.steps[0].respond.body == value
