"""isthmus test of Routes that take messages, as a person at a terminal sees it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Isthmus = Callable[..., CompletedProcess[str]]
Folder = Callable[[Mapping[str, str | bytes]], Path]

HEAD = "apiVersion: isthmus.dev/v1alpha1\n"
ERP = {"http": {"baseUrl": "https://erp.example.com/api", "idempotencyKey": {}}}
PUT = {"call": {"connector": "erp", "method": "PUT", "path": "/orders/{% $message.key %}"}}
POST = {"call": {"connector": "erp", "method": "POST", "path": "/orders"}}
KEY = {"message": {"key": "{% id %}"}}
WEBHOOK = {"webhook": {"path": "/hooks/{shop}", "open": True}}
POLL = {"poll": {"every": "5m", "call": {"connector": "erp"}}}
DAILY = {"schedule": {"cron": "@daily"}}
ONE = {"connector": "erp"}
SECRET = {"secretKeyRef": {"name": "shop", "key": "key"}}
KEYS = {"header": "X-Key", "keys": [{"name": "shop", "value": SECRET}]}


def manifest(kind: str, name: str, spec: Mapping[str, Any]) -> str:
    """An object; JSON is YAML."""
    return f"{HEAD}kind: {kind}\nmetadata: {{name: {name}}}\nspec: {json.dumps(spec)}\n"


def route(
    steps: list[Any],
    taken: Mapping[str, Any],
    expect: Mapping[str, Any],
    *,
    source: Mapping[str, Any] = POLL,
    test: Mapping[str, Any] | None = None,
    **spec: Any,
) -> str:
    """A Route with one test; `test` has further fields of it, `spec` of the Route."""
    case = {"name": "the case", "message": taken, "expect": expect, **(test or {})}
    written = {"source": source, "steps": steps, "tests": [case], **spec}
    return f"{manifest('Connector', 'erp', ERP)}---\n{manifest('Route', 'r', written)}"


def answered(*answers: Mapping[str, Any]) -> dict[str, Any]:
    return {"answers": [{**ONE, **each} for each in answers]}


FED = manifest("Route", "stock", {"source": {"route": {"name": "r"}}, "steps": [POST]})

PASSING = {
    "a message is delivered": route(
        [PUT],
        {"body": {"id": "a/b"}},
        {
            "state": "finished",
            "calls": [{**ONE, "path": "/orders/a%2Fb", "body": {"id": "a/b"}}],
        },
        test=answered({"body": {"ok": True}}),
        **KEY,
    ),
    "a message of a webhook comes with its request": route(
        [{"call": {**ONE, "path": "/{% $request.params.shop %}/{% $request.query.q %}"}},
         {"map": {"expression": "$request.headers.`x-shop` & $request.method"}}],
        {"params": {"shop": "nl"}, "query": {"q": ["a b"]}, "headers": {"X-Shop": "one"}},
        {"state": "finished", "calls": [{**ONE, "path": "/nl/a b"}], "body": "onePOST"},
        source=WEBHOOK,
        test=answered({"body": 1}),
    ),
    "a message of a webhook comes from whom the test says": route(
        [{"call": {**ONE, "path": "/{% $request.caller.name %}"}}],
        {"body": {"id": 7}, "caller": {"name": "shop"}},
        {"state": "finished", "calls": [{**ONE, "path": "/shop"}]},
        source={"webhook": {"path": "/hooks", "verify": {"apiKey": KEYS}}},
        test=answered({"body": 1}),
    ),
    "a message knows what it is": route(
        [{"map": {"expression": "$message"}}],
        {"body": {"id": 7, "at": 3}, "attempt": 4},
        {"body": {"id": "test", "key": "7", "version": "3", "attempt": 4, "acceptedAt": 0,
                  "identity": "106825df5aaeac84a646382e84b17a92"}},
        message={"key": "{% id %}", "version": "{% at %}"},
    ),
    "a filter skips": route(
        [{"filter": "{% paid %}"}, POST], {"body": {"paid": False}},
        {"state": "skipped", "calls": [], "feeds": []},
    ),
    "a schema rejects": route(
        [{"validate": {"schema": {"type": "object"}}}, POST], {"body": [1]},
        {"state": "rejected", "calls": []},
    ),
    "a message without a key is rejected": route(
        [PUT], {"body": {}}, {"state": "rejected", "calls": []}, **KEY
    ),
    "a failure that may pass is tried again": route(
        [POST], {"body": 1}, {"state": "retry"}, test=answered({"status": 503}),
        source=DAILY,
    ),
    "the last attempt is the last": route(
        [POST], {"body": 1, "attempt": 2}, {"state": "dead"},
        test=answered({"fail": "connect"}), delivery={"retry": {"attempts": 2}},
    ),
    "a failure that stays is the end": route(
        [POST], {"body": 1}, {"state": "dead"}, test=answered({"status": 400})
    ),
    "a call carries a key of its own": route(
        [POST], {"body": {"id": "1"}},
        {"calls": [{**ONE, "headers": {"Idempotency-Key": "f7af5bf2ec02b10d610de63ba09a6dc2"}}]},
        test=answered({}), **KEY,
    ),
    "a result goes to those that are fed": FED + "---\n" + route(
        [{"map": {"expression": "{'n': n + 1}"}}], {"body": {"n": 1}},
        {"state": "finished", "feeds": ["stock"], "body": {"n": 2}},
    ),
    "stores are read and written": route(
        [{"lookup": {"store": "orders", "key": "{% id %}"}, "into": "order"},
         {"lookup": {"store": "orders", "reference": "E9"}, "into": "other"},
         {"lookup": {"store": "orders", "key": "none"}, "into": "nothing"},
         {"remember": {"store": "seen", "key": "{% id %}", "reference": "{% $order.reference %}",
                       "value": ["{% $order.value.a %}", "{% $other.key %}", "{% $nothing %}"]}}],
        {"body": {"id": "7"}},
        {"state": "finished",
         "entries": [{"store": "seen", "key": "7", "reference": "E7", "value": [1, "9", None]}]},
        test={"entries": [
            {"store": "orders", "key": "7", "reference": "E7", "value": {"a": 1}},
            {"store": "orders", "key": "9", "reference": "E9"},
        ]},
    ),
    "what a message remembered that did not finish is not written": route(
        [{"remember": {"store": "seen", "key": "a"}}, POST], {"body": 1},
        {"state": "dead", "entries": []}, test=answered({"status": 404}),
    ),
    "a batch is a list of one": route(
        [POST], {"body": {"n": 1}}, {"calls": [{**ONE, "body": [{"n": 1}]}], "state": "retry"},
        test=answered({"body": {"failed": [0]}}),
        delivery={"batch": {"failures": "{% failed %}"}},
    ),
    "a Route that answers has stores, too": manifest("Route", "r", {
        "source": {"http": {"path": "/a"}},
        "steps": [{"lookup": {"store": "s", "key": "k"}, "into": "found"},
                  {"remember": {"store": "s", "key": "k", "value": "{% $found.value + 1 %}"}},
                  {"respond": {"body": "{% $found.value %}"}}],
        "tests": [{"name": "the case", "entries": [{"store": "s", "key": "k", "value": 1}],
                   "expect": {"body": 1, "entries": [{"store": "s", "key": "k", "value": 2}]}}],
    }),
}  # fmt: skip


@pytest.mark.parametrize("content", PASSING.values(), ids=PASSING)
def test_passing(isthmus: Isthmus, folder: Folder, content: str) -> None:
    folder({"a.yaml": content})

    ended = isthmus("test", "manifests", "-k", "the case")

    assert ended.stdout.endswith("  ok    the case\n\n1 passed, 0 failed\n"), ended.stdout
    assert (ended.stderr, ended.returncode) == ("", 0)


FAILING = {
    "it ends otherwise": (
        route([POST], {"body": 1}, {"state": "finished"}, test=answered({"status": 404}, {})),
        [
            'the state differs: expected "finished", got "dead"',
            "note: the message ended dead: UnexpectedStatus: ",
            "note: an answer of the Connector erp was not asked for",
        ],
    ),
    "it feeds nobody": (
        route([POST], {"body": 1}, {"feeds": ["stock"]}, test=answered({})),
        ["the Routes that get the result differs:", '$[0]: expected "stock", got nothing'],
    ),
    "the result differs": (
        route([{"map": {"expression": "a"}}], {"body": {"a": 1}}, {"body": 2}),
        ["the result differs: expected 2, got 1"],
    ),
    "there is no result": (
        route([{"filter": "{% a %}"}, POST], {"body": {"a": False}}, {"body": 2}),
        ["there is no result: the message did not finish", "note: the message ended skipped"],
    ),
    "a call has no answer": (
        route([POST], {"body": 1}, {"state": "dead"}),
        ["the call POST /orders of the Connector erp had no answer left; add one"],
    ),
    "the message lacks a path variable": (
        route([POST], {"body": 1}, {"state": "dead"}, source=WEBHOOK),
        ["the path /hooks/{shop} needs a value for shop; write message: {params: {shop: …}}"],
    ),
    "entries differ": (
        route(
            [{"remember": {"store": "a", "key": "k", "value": 1}},
             {"remember": {"store": "b", "key": "k", "value": 1}}],
            {"body": 1},
            {"entries": [{"store": "a", "key": "other", "reference": "r", "value": 2}]},
        ),
        [
            'entry 1: the key differs: expected "other", got "k"',
            'entry 1: the reference differs: expected "r", got null',
            "entry 1: the value differs: expected 2, got 1",
            "entry 2 was not expected: k of b",
        ],
    ),
    "an entry is missing": (
        route([POST], {"body": 1}, {"entries": [{"store": "a", "key": "k"}]}, test=answered({})),
        ["entry 1 was not written: k of a"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "said"), FAILING.values(), ids=FAILING)
def test_failing(isthmus: Isthmus, folder: Folder, content: str, said: list[str]) -> None:
    folder({"a.yaml": content})

    ended = isthmus("test", "manifests")

    assert [part for part in ("  FAIL  the case\n", *said) if part not in ended.stdout] == []
    assert ended.stdout.endswith("\n0 passed, 1 failed\n")
    assert (ended.stderr, ended.returncode) == ("", 1)
