"""What a Route reads of each answer, wherever the answer has gone in between."""

import pytest
import vendor_apis

from isthmus_api.connector import HttpTransport
from isthmus_api.contracts import fit, routes
from isthmus_api.contracts.flow import Use

HEAD = """
apiVersion: isthmus.dev/v1alpha1
kind: Mapping
metadata: {name: m}
spec: {expression: "{'a': a.b, 'r': $r.c}"}
---
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: r}
spec:
"""
HTTP = "  source: {http: {method: POST, path: /}}\n"


def uses(spec: str) -> tuple[Use, ...]:
    """The calls of a Route."""
    held = vendor_apis.resources(HEAD + spec)
    (route,) = held.routes()
    return routes.calls(route, held).uses


def reads(use: Use) -> set[tuple[str, bool]]:
    """The fields that are read of an answer, and whether with all that is in them."""
    return {(".".join(read.fields), read.is_whole) for read in use.reads}


FIRST = HTTP + "  steps:\n    - call: {connector: c, path: /a}\n"
FLOWS = [
    pytest.param("", {("", True)}, id="the answer goes to the caller as it is"),
    pytest.param(
        "    - map: {expression: \"{'x': y}\"}\n", {("y", True)}, id="an expression reads a field"
    ),
    pytest.param(
        "    - map: {mapping: m}\n", {("a.b", True)}, id="a Mapping reads a field of a field"
    ),
    pytest.param(
        '    - map: {expression: data.items}\n    - map: {expression: "[sku]"}\n',
        {("data.items", False), ("data.items.sku", False), ("data.items.sku", True)},
        id="a path keeps the origin of its result",
    ),
    pytest.param(
        "    - split: {items: '{% lines[qty > 0] %}', branch: each}\n"
        "    - map: {expression: '1'}\n"
        "  branches: {each: [{map: {expression: \"{'s': sku}\"}}]}\n",
        {("lines.qty", True), ("lines.sku", True)},
        id="elements of a list in a branch",
    ),
    pytest.param(
        "    - choice: {when: [{condition: '{% ok %}', branch: b}]}\n"
        "    - map: {expression: \"{'s': sku}\"}\n"
        "  branches: {b: [{filter: '{% in_stock %}'}]}\n",
        {("ok", True), ("in_stock", True), ("sku", True)},
        id="a branch of a choice, and what comes after it",
    ),
    pytest.param(
        "    - scatter: {branches: [one, two]}\n"
        "    - map: {expression: \"{'s': one.sku, 't': two}\"}\n"
        "  branches:\n"
        "    one: [{filter: '{% true %}'}]\n"
        "    two: [{map: {expression: total}}]\n",
        {("sku", True), ("total", False), ("total", True)},
        id="results of a scatter by name",
    ),
    pytest.param(
        "    - call: {connector: d, method: POST, path: /b}\n    - map: {expression: '1'}\n",
        {("", True)},
        id="the body is sent on as it is",
    ),
    pytest.param(
        "    - call: {connector: d, path: '/b/{% id %}', query: {q: '{% name %}'}}\n"
        "    - map: {expression: '1'}\n",
        {("id", True), ("name", True)},
        id="a path and a query of another call",
    ),
    pytest.param(
        "    - respond: {body: {said: '{% text %}'}}\n", {("text", True)}, id="a body of an answer"
    ),
    pytest.param(
        "    - map: {expression: \"$merge([$, {'x': 1}])\"}\n",
        {("", True)},
        id="an expression that reads everything",
    ),
    pytest.param(
        "    - map: {expression: '$count(lines)'}\n", {("lines", False)}, id="how many there are"
    ),
]


@pytest.mark.parametrize(("steps", "expected"), FLOWS)
def test_what_is_read_of_an_answer(steps: str, expected: set[tuple[str, bool]]) -> None:
    found = uses(FIRST + steps)

    assert reads(found[0]) == expected


POLL = """
  source:
    poll:
      every: 5m
      call: {connector: c, path: /a}
      pagination: {PAGINATION}
      records: "{% items %}"
  message: {key: "{% id %}"}
  steps: [{map: {expression: "{'x': y}"}}, {call: {connector: c, method: POST, path: /b}}]
"""
PAGES = {
    "keyset: {param: since_id, id: '{% sku %}'}": {"items.sku"},
    "keyset: {param: a}, more: '{% meta.more %}'": {"meta.more"},
    "connection: {pageInfo: '{% page.info %}'}": {"page.info"},
    "offset: {}, total: '{% meta.total %}'": {"meta.total"},
    "cursor: {value: '{% next %}'}": {"next"},
}


@pytest.mark.parametrize(("pagination", "expected"), PAGES.items(), ids=PAGES)
def test_what_leads_on_is_read_of_the_page_and_ids_of_its_records(
    pagination: str, expected: set[str]
) -> None:
    (page, _) = uses(POLL.replace("PAGINATION", pagination))

    read = {fields for fields, _ in reads(page)}
    assert read == {"items", "items.id", "items.y"} | expected


def test_records_of_a_document_are_no_fields_of_its_answer() -> None:
    written = POLL.replace("pagination: {PAGINATION}", "document: {csv: {}}")
    (page, _) = uses(written.replace('      records: "{% items %}"\n', ""))

    assert reads(page) == set()


def test_the_parameters_that_pages_go_by_are_sent() -> None:
    sent = {}
    for pagination in PAGES:
        held = vendor_apis.resources(HEAD + POLL.replace("PAGINATION", pagination))
        (route,) = held.routes()
        poll = route.spec.source.poll
        (page, _) = routes.calls(route, held).uses
        http = HttpTransport.model_validate({"baseUrl": "https://c.example.com"})
        sent[pagination] = {name for _, name in fit.sent_parameters(page, http, poll)}

    assert list(sent.values()) == [{"since_id"}, {"a"}, set(), {"offset"}, {"cursor"}]


def test_a_variable_keeps_its_origin_and_the_body_is_another() -> None:
    (use,) = uses(
        HTTP + "  steps:\n    - call: {connector: c, path: /a}\n      into: r\n"
        "    - map: {mapping: m}\n"
    )

    assert reads(use) == {("c", True)}


def test_what_is_read_of_either_answer_is_not_sure() -> None:
    first, second = uses(
        HTTP + "  steps:\n    - choice: {when: [{condition: '{% x %}', branch: a}], otherwise: b}\n"
        "    - map: {expression: \"{'s': sku}\"}\n"
        "  branches:\n"
        "    a: [{call: {connector: c, path: /a}}]\n"
        "    b: [{call: {connector: d, path: /b}}]\n"
    )

    assert [(r.fields, r.is_sure) for r in first.reads] == [(("sku",), False)]
    assert [(r.fields, r.is_sure) for r in second.reads] == [(("sku",), False)]


def test_what_a_mapping_makes_is_known_to_the_call_after_it() -> None:
    (use,) = uses(HTTP + "  steps: [{map: {mapping: m}}, {call: {connector: c, method: PUT}}]\n")

    assert use.body.fields is not None
    assert list(use.body.fields) == ["a", "r"]


def test_branches_that_call_one_another_are_followed_to_the_end() -> None:
    found = uses(
        HTTP + "  steps: [{call: {connector: c, path: /a}}, {split: {branch: b1}}]\n"
        "  branches:\n"
        + "".join(f"    b{n}: [{{split: {{branch: b{n + 1}}}}}]\n" for n in range(1, 12))
        + "    b12: [{map: {expression: \"{'s': sku}\"}}]\n"
    )

    assert reads(found[0]) == {("sku", True)}
