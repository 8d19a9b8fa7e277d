"""Rewriting: expressions of a manifest in their layout, and nothing else of it changed."""

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.expressions import formatting
from isthmus_cli.mapping import rewriting

HEAD = "apiVersion: isthmus.dev/v1alpha1\nkind: Mapping\nmetadata: {name: m}  # a name\n"


def after(text: str) -> str:
    return rewriting.rewritten(text, "m.yaml").text


CHANGED = {
    "a block": (
        'spec:\n    expression: | # why\n        {"a":b,\n          "c": d}\n\n    # then\n',
        'spec:\n    expression: | # why\n        {"a": b, "c": d}\n\n    # then\n',
    ),
    "a block without a last line feed": (
        "spec:\n  expression: |-\n    a+b\n",
        "spec:\n  expression: |-\n    a + b\n",
    ),
    "a block with all of its line feeds": (
        "spec:\n  expression: |+\n    a+b\n\n\n",
        "spec:\n  expression: |+\n    a + b\n\n\n",
    ),
    "a block at the end of a file without a line feed": (
        "spec:\n  expression: |\n    a+b",
        "spec:\n  expression: |\n    a + b",
    ),
    "a block in a file of Windows": (
        "spec:\r\n  expression: |\r\n    (a;\r\n    b+c)\r\n  tests: []\r\n",
        "spec:\r\n  expression: |\r\n    (a; b + c)\r\n  tests: []\r\n",
    ),
    "single quotes": (
        "spec: {expression: '{\"a\":''b''&c}', tests: []}\n",
        "spec: {expression: '{\"a\": ''b'' & c}', tests: []}\n",
    ),
    "double quotes": (
        'spec: {expression: "{\\"a\\":/\\\\d/}"}\n',
        'spec: {expression: "{\\"a\\": /\\\\d/}"}\n',
    ),
    "plain text": (
        "spec:\n  expression: a+b   # sum\n",
        "spec:\n  expression: a + b   # sum\n",
    ),
    "comments of the expression": (
        "spec:\n  expression: |\n    /* x */\n    [a,b]\n",
        "spec:\n  expression: |\n    /* x */\n    [a, b]\n",
    ),
}


@pytest.mark.parametrize(("before", "expected"), CHANGED.values(), ids=CHANGED)
def test_an_expression_is_laid_out_in_the_way_it_is_written(before: str, expected: str) -> None:
    head = HEAD.replace("\n", "\r\n") if "\r\n" in before else HEAD
    found = rewriting.rewritten(head + before, "m.yaml")

    assert (found.text, found.left, found.problems) == (head + expected, (), ())
    assert after(found.text) == found.text


LEFT = {
    "a folded text": ("spec:\n  expression: >\n    a+b\n", "it is folded (>)"),
    "quotes over several lines": ('spec:\n  expression: "a+\n    b"\n', "it has several lines"),
    "plain text over several lines": ("spec:\n  expression: a+\n    b\n", "it has several lines"),
    "escapes": ('spec: {expression: "a+\\u0062"}\n', "it has escapes"),
    "plain text that would be none": (
        "spec:\n  expression: a?b:c\n",
        "it would be no plain text of YAML; write it in quotes",
    ),
    "an anchor": ("spec:\n  expression: &e a+b\n", "it has an anchor or a tag"),
    "an error of syntax": ("spec: {expression: 'a b'}\n", "it cannot be read"),
}


@pytest.mark.parametrize(("before", "reason"), LEFT.values(), ids=LEFT)
def test_what_must_stay_as_it_is_is_named_with_the_reason(before: str, reason: str) -> None:
    found = rewriting.rewritten(HEAD + before, "m.yaml")

    assert found.text == HEAD + before
    assert [reason in each.reason for each in found.left] == [True]
    assert found.left[0].location.line in (4, 5)


def test_what_an_alias_names_is_not_changed() -> None:
    text = f"{HEAD}spec:\n  tests:\n    - {{name: &e a+b, expect: 1}}\n  expression: *e\n"

    found = rewriting.rewritten(text, "m.yaml")

    assert found.text == text
    assert len(found.left) == 1


ROUTE = """\
# of the shop
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: r}
spec:
  source: {http: {method: GET, path: /a}}
  steps:
    - filter: "{%a=1%}"   # only one
    - call: {connector: c, path: "/x/{%$request.query.q&'-'%}/y/{% b %}"}
      into: prices
    - map: {expression: '{"a":b}'}
    - respond: {body: {text: "no expression", of: '{%[1,2]%}', parent: "{% a.{'b':%} %}"}}
"""


def test_expressions_in_strings_of_routes_are_laid_out_too() -> None:
    found = rewriting.rewritten(ROUTE, "r.yaml")

    expected = (
        ROUTE.replace("{%a=1%}", "{% a = 1 %}")
        .replace("{%$request.query.q&'-'%}", "{% $request.query.q & '-' %}")
        .replace('{"a":b}', '{"a": b}')
        .replace("{%[1,2]%}", "{% [1, 2] %}")
        .replace("{% a.{'b':%} %}", "{% a.{'b': %} %}")
    )
    assert (found.text, found.left) == (expected, ())


def test_an_expression_of_several_lines_in_a_string_is_left() -> None:
    text = ROUTE.replace("'{%[1,2]%}'", '"{% [1,\\n2] %}"')

    assert len(rewriting.rewritten(text, "r.yaml").left) == 1


def test_other_objects_and_other_documents_stay() -> None:
    other = "apiVersion: v1\nkind: ConfigMap\ndata: {expression: 'a+b'}\n"
    text = f"{other}---\n{HEAD}spec: {{expression: 'a+b'}}\n---\n{other}"

    assert after(text) == text.replace("spec: {expression: 'a+b'}", "spec: {expression: 'a + b'}")


def test_items_of_a_list_are_laid_out() -> None:
    item = re.sub("^", "    ", f"{HEAD}spec: {{expression: 'a+b'}}", flags=re.MULTILINE)
    text = f"apiVersion: v1\nkind: List\nitems:\n  -\n{item}\n"

    assert after(text) == text.replace("a+b", "a + b")


def test_manifests_with_errors_stay_and_are_told() -> None:
    text = f"{HEAD}spec: {{expresion: 'a+b'}}\n---\n{HEAD}spec: {{expression: 'a+b'}}\n"

    found = rewriting.rewritten(text, "m.yaml")

    assert found.text == text.replace("{expression: 'a+b'}", "{expression: 'a + b'}")
    assert found.problems


def test_json_is_left_alone() -> None:
    text = (
        '{"apiVersion": "isthmus.dev/v1alpha1", "kind": "Mapping", "spec": {"expression": "a+b"}}'
    )

    assert rewriting.rewritten(text, "m.json") == rewriting.Rewritten(text)


SOURCES = st.sampled_from(
    [
        '{"a":b,"c":[d.{"e":f}]}',
        "(\n  $a:=1;\n\n  /* b\n     c */\n  $a+1\n)",
        "items[qty>1]^(>qty).sku",
        "$map(a,function($v){$v.b})",
        "'it''s'&\"\\\\n\"",
        'a?"b":/c\\\\d/',
    ]
)


@given(SOURCES, st.sampled_from(["|", "'", '"']), st.integers(0, 6), st.text("# a:\n", max_size=9))
def test_only_the_expression_becomes_another_one(
    source: str, style: str, depth: int, note: str
) -> None:
    source = source if "''" not in source else source.replace("''", " ")
    written = yaml.dump(source, default_style=style, width=10_000, allow_unicode=True)
    block = "\n".join(" " * (depth + 2) + line for line in written.splitlines()[1:])
    value = f"|-\n{block}" if style == "|" else written.strip()
    comment = "".join(f"  # {line}\n" for line in note.split("\n"))
    text = f"{HEAD}{comment}spec:\n  expression: {value}\n{comment}  tests: []\n"

    found = rewriting.rewritten(text, "m.yaml")

    before, now = yaml.safe_load(text), yaml.safe_load(found.text)
    if not found.left:
        assert now["spec"].pop("expression") == formatting.formatted(
            before["spec"].pop("expression"), width=formatting.WIDTH if style == "|" else 10_000
        )
    assert now == before
    assert found.text.count("#") == text.count("#")
    assert after(found.text) == found.text
