"""Places inside strings: however an expression is written, its faults are found in the file.

In each text `§` marks the place; it stands in the expression itself.
"""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus_api import documents, manifests
from isthmus_api.documents import Document
from isthmus_api.mapping import MappingSpec
from isthmus_api.plan import check
from isthmus_api.resources import Resources

HEAD = "apiVersion: isthmus.dev/v1alpha1\nkind: Mapping\nmetadata: {name: m}\n"
PATH = ("spec", "expression")

WRITTEN = {
    "plain": "spec:\n  expression: a + §b\n",
    "plain, on the next line": "spec:\n  expression:\n    a + §b\n",
    "plain, on several lines": "spec:\n  expression: a +\n      c\n\n      + §b\n",
    "plain, in braces": "spec: {expression: a\n  + §b, tests: []}\n",
    "plain, with a tab inside": "spec:\n  expression: a\t+ §b\n",
    "in single quotes": "spec:\n  expression: 'a + §b'\n",
    "in single quotes, after quotes in it": "spec:\n  expression: '''a'' + §b'\n",
    "in single quotes, on several lines": "spec:\n  expression: 'a +\n\n    ''c'' + §b'\n",
    "in double quotes": 'spec:\n  expression: "a + §b"\n',
    "in double quotes, after quotes in it": 'spec:\n  expression: "\\"a\\" + §b"\n',
    "in double quotes, after all escapes": (
        'spec:\n  expression: "\\n\\t\\ \\_\\x41\\u00e9\\U0001F600\\x20\\\\\\/\\e§b"\n'
    ),
    "in double quotes, on several lines": 'spec:\n  expression: "a +\n    c + \\\n    §b"\n',
    "a block": "spec:\n  expression: |\n    a +\n      §b\n",
    "a block, in the first line": "spec:\n  expression: |\n    a + §b\n    + c\n",
    "a block, without its last line break": "spec:\n  expression: |-\n    a\n    + §b\n",
    "a block, with all its line breaks": "spec:\n  expression: |+\n    a\n    + §b\n\n\n",
    "a block, indented by a number": "spec:\n  expression: |2\n       a\n    + §b\n",
    "a block, indented by a number and kept": "spec:\n  expression: |1-\n\n   a\n   + §b\n",
    "a block after empty lines": "spec:\n  expression: |\n\n  \n    a\n    + §b\n",
    "a block with a comment at its head": "spec:\n  expression: | # JSONata\n    a\n    + §b\n",
    "a block with lines that look like comments": "spec:\n  expression: |\n    # a\n    + §b\n",
    "a block with quotes": "spec:\n  expression: |\n    \"a\\n\" & '' + §b\n",
    "a folded block": "spec:\n  expression: >\n    a +\n    c +\n    §b\n",
    "a folded block with paragraphs": "spec:\n  expression: >-\n    a +\n\n      c +\n\n\n    §b\n",
    "after characters of four bytes": "spec:\n  expression: '\"😀é\" & §b'\n",
    "by an alias": "x: &x\n  a + §b\nspec: {expression: *x}\n",
    "lines end in CRLF": "spec:\r\n  expression: |\r\n    a +\r\n\r\n    §b\r\n",
    "at the end": "spec:\n  expression: |\n    a + §",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_place_in_a_string(text: str) -> None:
    text = HEAD + text
    before = text[: text.index("§")].replace("\r\n", "\n")
    wanted = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    assert place_of_mark(text) == wanted


def place_of_mark(text: str) -> tuple[int | None, int | None]:
    """Where the file has what stands at the mark of the expression that is read."""
    (document,) = documents.read(text, file="a.yaml")
    assert isinstance(document, Document)
    expression = document.value["spec"]["expression"]
    before = expression[: expression.index("§")]
    found = document.locate_text(
        PATH, line=before.count("\n") + 1, column=len(before) - before.rfind("\n")
    )
    assert found is not None
    return found.line, found.column


@settings(max_examples=300, deadline=None)
@given(
    st.text(st.sampled_from("ab '\"\\#:-{}|>😀\n\t"), max_size=60),
    st.text(st.sampled_from("ab '\"\\#:-{}|>😀\n\t"), max_size=60),
    st.sampled_from([None, "'", '"', "|", ">"]),
    st.integers(10, 40),
)
def test_any_place_in_any_string(before: str, after: str, style: str | None, width: int) -> None:
    value = {"spec": {"expression": f"{before}§{after}"}, "apiVersion": "isthmus.dev/v1alpha1"}
    text = yaml.dump(value, default_style=style, width=width, allow_unicode=True)
    lines = text.splitlines()
    line = next(number for number, line in enumerate(lines) if "§" in line)

    assert place_of_mark(text) == (line + 1, lines[line].index("§") + 1)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        pytest.param(
            "spec:\n  expression: |\n    {\n      'a': $nop(1)\n    }\n", "7:12", id="a block"
        ),
        pytest.param("spec:\n  expression: |\n    a\n    + (\n", "7:8", id="an end that is early"),
        pytest.param("spec: {expression: '''a'' & $nop(1)'}\n", "4:29", id="a quoted string"),
        pytest.param("spec:\n  expression: >\n    a &\n    $nop(1)\n", "7:5", id="a folded block"),
    ],
)
def test_what_is_wrong_in_an_expression(text: str, at: str) -> None:
    found = manifests.read((HEAD + text).encode(), file="a.yaml")

    (problem,) = check(Resources.of(found.resources))

    assert str(problem.location) == f"a.yaml:{at}"


TEMPLATES = {
    "after text": ("path: '/a/{% $b %}'", "7:35"),
    "in a block": ("body: |\n          {% a\n            & $b %}", "9:15"),
    "the second one": ("path: '/{% a %}/{% $b %}'", "7:40"),
    "deep in a body": ("body: {a: [1, {b: '{% $b %}'}]}", "7:43"),
}


@pytest.mark.parametrize(("call", "at"), TEMPLATES.values(), ids=TEMPLATES)
def test_what_is_wrong_in_a_template(call: str, at: str) -> None:
    text = (
        "apiVersion: isthmus.dev/v1alpha1\nkind: Route\nmetadata: {name: r}\nspec:\n"
        "  source: {http: {path: /x}}\n  steps:\n    - respond: {}\n"
    )
    call = call.replace("path:", "headers: {A:") + ("}" if call.startswith("path") else "")
    indent = "\n        " if "|" in call else ""
    inner = call if indent else f"{{{call}}}"
    found = manifests.read(text.replace("{}\n", f"{indent}{inner}\n").encode(), file="a.yaml")
    assert found.problems == ()

    (problem,) = check(Resources.of(found.resources))

    assert problem.message == "nothing binds the variable $b"
    lines = text.replace("{}\n", f"{indent}{inner}\n").splitlines()
    line = next(number for number, line in enumerate(lines) if "$b" in line)
    assert str(problem.location) == f"a.yaml:{line + 1}:{lines[line].index('$b') + 1}"


def test_a_place_outside_of_any_string_is_the_nearest_field() -> None:
    (document,) = documents.read(HEAD + "spec: {expression: 1}\n", file="a.yaml")
    assert isinstance(document, Document)

    assert str(document.locate_text(PATH, line=3, column=7)) == "a.yaml:4:20"
    assert str(document.locate_text(("spec", "tests"), line=1, column=1)) == "a.yaml:4:7"
    assert str(document.locate(("metadata", "labels", "a"))) == "a.yaml:3:11"
    assert str(document.locate_key(("metadata", "name"))) == "a.yaml:3:12"


def test_many_findings_in_a_long_expression_are_found_quickly() -> None:
    """Each finding needs its place, and a place must not cost the whole text."""
    lines = "\n".join(f"    $unknown{number} &" for number in range(2_000))
    text = f"{HEAD}spec:\n  expression: |\n{lines}\n    a\n"
    (document,) = documents.read(text, file="a.yaml")
    assert isinstance(document, Document)
    assert isinstance(MappingSpec.model_validate(document.value["spec"]), MappingSpec)

    found = [document.locate_text(PATH, line=n, column=1) for n in range(1, 2_001)]

    assert [place and place.line for place in found] == list(range(6, 2_006))
