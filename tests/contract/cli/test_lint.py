"""isthmus lint, as a person at a terminal sees it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Isthmus = Callable[..., CompletedProcess[str]]
Folder = Callable[[Mapping[str, str | bytes]], Path]

EXAMPLE = Path(__file__).parents[3] / "examples" / "search-with-prices"
HEAD = "apiVersion: isthmus.dev/v1alpha1\n"
MAPPING = HEAD + "kind: Mapping\nmetadata: {name: m}\n"
ROUTE = HEAD + "kind: Route\nmetadata: {name: r}\n"


def bomb() -> str:
    """A kilobyte that unfolds to ten to the ninth values."""
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 10))
    return f"{MAPPING}l0: &l0 [x]\n{levels}"


BROKEN = [
    pytest.param(
        f"{MAPPING}spec:\n  expression: a\n  expression: b\n",
        [
            "manifests/a.yaml:6:3  error  DuplicateKey",
            "the key 'expression' stands twice in one object",
            "  6 |   expression: b\n    |   ^\n",
        ],
        id="a key stands twice",
    ),
    pytest.param(
        bomb(),
        ["error  InvalidYaml", "unfolds to more than 200000 values; aliases repeat what they name"],
        id="aliases unfold to more than there is memory",
    ),
    pytest.param(
        f"{MAPPING}spec: {{expression: {'[' * 5000}".encode(),
        ["error  InvalidYaml"],
        id="brackets nest without an end",
    ),
    pytest.param(
        b"a: \xff\n",
        ["manifests/a.yaml:1:4  error  Unreadable", "not UTF-8: byte 0xff", "save it as UTF-8"],
        id="the file is not UTF-8",
    ),
    pytest.param(
        f'{MAPPING}spec: {{expression: "{"a" * 5_000_000}"}}\n',
        ["Mapping default/m spec.expression", "at most 262144 characters"],
        id="a mapping has five megabytes",
    ),
    pytest.param(
        "x: '" + "a" * 17 * 1024 * 1024,
        ["error  Unreadable", "at most 16777216 are read", "help: split it"],
        id="a file has more bytes than are read",
    ),
    pytest.param(
        f"{ROUTE}spec:\n"
        "  source: {http: {path: /x}}\n"
        '  steps: [{choice: {when: [{condition: "{% true %}", branch: a}]}}]\n'
        "  branches:\n"
        '    a: [{choice: {when: [{condition: "{% true %}", branch: b}]}}]\n'
        '    b: [{choice: {when: [{condition: "{% true %}", branch: a}]}}]\n',
        [
            "a.yaml:9:60  error  BranchCycle  Route default/r spec.branches.b[0].choice.when[0]",
            "the branches lead back to themselves: a -> b -> a",
        ],
        id="a choice leads back to itself",
    ),
    pytest.param(
        f"{ROUTE.replace('{name: r}', '{name: 2-search}')}spec:\n"
        "  source: {http: {path: /x}}\n  steps: [{respond: {}}]\n",
        [
            "manifests/a.yaml:3:18  error  InvalidValue  Route default/2-search metadata.name",
            "the name becomes that of a Service: small letters, digits and '-', a letter first",
            "help: choose another name",
        ],
        id="a Route has a name that no Service can have",
    ),
    pytest.param(
        f"{ROUTE}spec:\n  source: {{http: {{path: /x}}}}\n  steps: [{{respond: {{}}}}]\n"
        "  podTemplate:\n    labels: {app.kubernetes.io/instance: shop}\n",
        [
            "error  InvalidValue  Route default/r spec.podTemplate.labels",
            "keys may not begin with isthmus.dev/, app.kubernetes.io/component,",
            "help: remove the key: the operator and deployment tools know by it what is theirs",
        ],
        id="a label by which a deployment tool would take the pods for its own",
    ),
    pytest.param(
        f"{ROUTE}spec:\n  source: {{http: {{path: /x}}}}\n  steps: [{{respond: {{}}}}]\n"
        "  resources: {requests: {memory: 1Gi}, limits: {memory: 1G}}\n",
        [
            "error  InvalidValue  Route default/r spec.resources",
            "requests.memory may not be more than limits.memory",
        ],
        id="more memory is asked for than is allowed",
    ),
    pytest.param(
        f"{MAPPING}spec:\n  expresion: a\n",
        ["UnknownField", "unknown field 'expresion'", "help: did you mean 'expression'?"],
        id="a field is misspelt",
    ),
    pytest.param(
        f'{MAPPING}spec:\n  expression: |\n    {{\n      "a": 1 +,\n      "b": 2\n    }}\n',
        [
            "manifests/a.yaml:7:15  error  ExpressionInvalid  Mapping default/m spec.expression",
            '  7 |       "a": 1 +,\n    |               ^\n',
        ],
        id="an expression is broken inside a block",
    ),
    pytest.param(
        f"{ROUTE}spec:\n  source: {{http: {{path: /x}}}}\n  steps: [{{call: {{connector: erb}}}}]\n"
        f"---\n{HEAD}kind: Connector\nmetadata: {{name: erp}}\n"
        "spec: {http: {baseUrl: https://erp.example.com}}\n",
        [
            "a.yaml:6:30  error  ConnectorNotFound  Route default/r spec.steps[0].call.connector",
            "help: apply it, or name another one; there are: erp",
        ],
        id="a Connector is not there",
    ),
    pytest.param(
        f"{HEAD}kind: Rout\n",
        ["error  UnknownKind", "has no kind Rout", "did you mean Route?"],
        id="a kind is misspelt",
    ),
    pytest.param(
        f'{MAPPING}spec:\n  "\\e[31m": a\n',
        ["unknown field '\\x1b[31m'"],
        id="a field would paint the terminal",
    ),
]


@pytest.mark.parametrize(("content", "said"), BROKEN)
def test_what_is_wrong_is_told_with_its_place(
    isthmus: Isthmus, folder: Folder, content: str | bytes, said: list[str]
) -> None:
    folder({"a.yaml": content})

    ended = isthmus("lint", "manifests")

    assert [part for part in said if part not in ended.stdout] == []
    assert "\x1b" not in ended.stdout
    assert ended.returncode == 1


def test_the_example_has_no_problems(isthmus: Isthmus) -> None:
    ended = isthmus("lint", EXAMPLE)

    told = (
        "open to anybody: Route default/product-search\n"
        "0 errors, 0 warnings in 4 objects (1 other object left alone)\n"
    )
    assert (ended.stdout, ended.returncode) == (told, 0)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param([], 0, id="a warning alone is no failure"),
        pytest.param(["--strict"], 1, id="with --strict it is one"),
    ],
)
def test_warnings(isthmus: Isthmus, folder: Folder, arguments: list[str], code: int) -> None:
    folder({"a.yaml": f"{MAPPING}spec: {{expression: 'price * 1.21'}}\n"})

    ended = isthmus("lint", "manifests", *arguments)

    assert "warning  ExpressionWarning" in ended.stdout
    assert ended.stdout.endswith("0 errors, 1 warning in 1 object\n")
    assert ended.returncode == code


def test_problems_as_json(isthmus: Isthmus, folder: Folder) -> None:
    folder({"a.yaml": f"{MAPPING}spec:\n  expression: '1 +'\n", "b.yaml": "kind: Secret\n"})

    ended = isthmus("lint", "manifests", "-o", "json")

    told = json.loads(ended.stdout)
    [problem] = told["problems"]
    assert (problem["code"], problem["object"]) == ("ExpressionInvalid", "Mapping default/m")
    assert (problem["file"], problem["line"]) == ("manifests/a.yaml", 5)
    assert told["summary"] == {"errors": 1, "warnings": 0, "objects": 1, "others": 1}
    assert ended.returncode == 1


@pytest.mark.parametrize(
    ("files", "arguments", "said"),
    [
        pytest.param({}, ["nowhere"], "'nowhere' does not exist", id="there is no such folder"),
        pytest.param({}, [], "Missing argument 'DIR'", id="no folder is given"),
        pytest.param(
            {"a.yaml": "kind: Secret\n"},
            ["manifests"],
            "there is no Connector, Mapping or Route in manifests (1 other object)",
            id="the folder holds nothing of ours",
        ),
        pytest.param({}, ["manifests", "--strikt"], "No such option", id="an option is misspelt"),
    ],
)
def test_wrong_use(
    isthmus: Isthmus, folder: Folder, files: dict[str, str], arguments: list[str], said: str
) -> None:
    folder(files)

    ended = isthmus("lint", *arguments)

    assert said in ended.stderr
    assert (ended.stdout, ended.returncode) == ("", 2)


OPEN_AND_NOT = f"""{HEAD}kind: Route
metadata: {{name: by-accident}}
spec: {{source: {{http: {{path: /a}}}}, steps: [{{respond: {{}}}}]}}
---
{HEAD}kind: Route
metadata: {{name: meant}}
spec: {{source: {{http: {{path: /b, open: true}}}}, steps: [{{respond: {{}}}}]}}
---
{HEAD}kind: Route
metadata: {{name: guarded}}
spec:
  source: {{http: {{path: /c, auth: {{allowFrom: [10.0.0.0/8]}}}}}}
  steps: [{{respond: {{}}}}]
"""


def test_routes_that_anybody_may_call_are_listed_and_warned_of_where_it_is_not_meant(
    isthmus: Isthmus, folder: Folder
) -> None:
    manifests = folder({"a.yaml": OPEN_AND_NOT})

    ended = isthmus("lint", manifests)

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("warning  RouteOpen") == 1
    assert "a.yaml:4:23  warning  RouteOpen  Route default/by-accident spec.source.http" in (
        ended.stdout
    )
    assert "help: write auth: … for who may, or open: true where that is meant" in ended.stdout
    assert "open to anybody: Route default/by-accident, Route default/meant\n" in ended.stdout
    assert isthmus("lint", "--strict", manifests).returncode == 1


def test_the_routes_that_are_open_are_there_for_machines_too(
    isthmus: Isthmus, folder: Folder
) -> None:
    ended = isthmus("lint", "--output", "json", folder({"a.yaml": OPEN_AND_NOT}))

    told = json.loads(ended.stdout)
    assert told["openToAnybody"] == ["Route default/by-accident", "Route default/meant"]
