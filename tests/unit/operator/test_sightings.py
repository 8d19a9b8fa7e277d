"""What pods tell of answers: how it is read, kept, and made into a condition."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.resources import Key
from isthmus_operator import sightings
from isthmus_operator.conditions import MAX_MESSAGE, Type, conditions
from isthmus_operator.live import Pod
from isthmus_operator.reasons import Reason
from isthmus_operator.sightings import Account, Place, Sightings

ROUTE = Key("Route", "shop", "it")
STOCK = Place("pim", "GET /products/{sku}", "$.variants[].stock", "retyped")
COLOUR = Place("pim", "GET /products/{sku}", "$.colour", "new")
NAME = Place("pim", "GET /products", "$.items[].name", "missing")
TYPES = "string, not integer"

SEEN = Account(True, {STOCK: TYPES, COLOUR: ""})
CALM = Account(True, {})
NEW = Account(False, {})

TRUE = {"type": "SchemaDrift", "status": "True", "reason": "SchemaDrift", "message": "as it was"}
FALSE = {"type": "SchemaDrift", "status": "False", "reason": "AnswersFit", "message": "as it was"}
UNKNOWN = {
    "type": "SchemaDrift",
    "status": "Unknown",
    "reason": "AnswersNotSeen",
    "message": "as it was",
}


def page(*contracts: dict[str, Any], name: str = "it", **more: Any) -> bytes:
    routes = [{"namespace": "shop", "name": name, "planHash": "1"}]
    return json.dumps({"routes": routes, "contracts": contracts, **more}).encode()


def contract(*drifts: dict[str, str], answers: int | None = 7) -> dict[str, Any]:
    told = {"namespace": "shop", "connector": "pim", "schemaDrift": drifts}
    return told if answers is None else {**told, "answers": answers}


def drift(place: Place, types: str = "") -> dict[str, str]:
    plain = {"operation": place.operation, "kind": place.drift, "path": place.path}
    return {**plain, "types": types} if types else plain


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(page(contract(drift(STOCK, TYPES), drift(COLOUR))), SEEN, id="differences"),
        pytest.param(page(contract()), CALM, id="none"),
        pytest.param(page(contract(answers=0)), NEW, id="no answer yet"),
        pytest.param(page(contract(answers=None)), CALM, id="of a runtime that does not count"),
        pytest.param(page(), NEW, id="no contract was called yet"),
        pytest.param(page(contract(), name="other"), None, id="another Route's pod"),
        pytest.param(b"<html>", None, id="no JSON"),
        pytest.param(b"[]", None, id="no page"),
        pytest.param(b'{"routes": [7]}', None, id="no Routes"),
        pytest.param(page({"connector": "pim"}), None, id="no differences in a contract"),
        pytest.param(
            page(contract({"operation": "x", "kind": "<script>", "path": "y"})),
            CALM,
            id="a kind that we do not know",
        ),
    ],
)
def test_a_page_is_read(body: bytes, expected: Account | None) -> None:
    assert sightings.read(body, ROUTE) == expected


def test_what_a_pod_says_is_bounded_and_printable() -> None:
    many = [drift(COLOUR._replace(path=f"$.{n}\n{'x' * 9999}")) for n in range(2000)]

    account = sightings.read(page(contract(*many)), ROUTE)

    assert account is not None
    assert len(account.places) == sightings.MAX_SIGHTINGS
    assert {len(place.path) for place in account.places} == {sightings.MAX_NAME + 1}
    assert all("\n" not in place.path for place in account.places)


CASES = {
    "no pod, nothing said before": ([], None, "Unknown"),
    "pods that told nothing": ([None, None], None, "Unknown"),
    "pods that saw no answer yet": ([NEW], None, "Unknown"),
    "an answer as it should be": ([CALM], None, "False"),
    "one that is not": ([CALM, SEEN], None, "True"),
    "one that is not, and a pod that does not answer": ([SEEN, None], FALSE, "True"),
    "it is over": ([CALM, NEW], TRUE, "False"),
    "it may be over: a pod was not heard yet": ([CALM, None], TRUE, "as it was"),
    "after a restart of the pods, before a call": ([NEW, NEW], TRUE, "as it was"),
    "a new leader before its first visit": ([None], TRUE, "as it was"),
    "no pods any more": ([], TRUE, "as it was"),
    "all was well and a pod does not answer": ([CALM, None], FALSE, "False"),
    "another version's word": ([None], TRUE | {"reason": "Differs"}, "Unknown"),
    "nothing is known as before": ([None], UNKNOWN, "as it was"),
}


@pytest.mark.parametrize(("told", "before", "expected"), CASES.values(), ids=CASES)
def test_the_condition(
    told: list[Account | None], before: dict[str, Any] | None, expected: str
) -> None:
    found = sightings.finding(told, before)

    assert found.type == Type.SCHEMA_DRIFT
    if expected == "as it was":
        assert before is not None
        assert (found.status, found.reason, found.message) == (
            before["status"],
            before["reason"],
            before["message"],
        )
    else:
        assert found.status == expected


def test_what_it_says() -> None:
    found = sightings.finding([SEEN, Account(True, {NAME: ""})], None)

    assert found.reason == Reason.SCHEMA_DRIFT
    assert found.message == (
        "pim: the answer of GET /products: $.items[].name is missing; "
        "pim: the answer of GET /products/{sku}: $.colour is new, "
        "$.variants[].stock is string, not integer"
    )


def test_of_many_it_tells_some_and_how_many_there_are() -> None:
    places = {COLOUR._replace(path=f"$.{n:03}{'x' * 100}"): "" for n in range(40)}

    told = sightings.described(places)

    assert told.count(" is new") == sightings.SHOWN
    assert told.endswith(" (and 35 more)")
    assert len(told) < MAX_MESSAGE


places = st.builds(
    Place,
    st.sampled_from(["pim", "erp"]),
    st.sampled_from(["GET /a", "GET /b"]),
    st.sampled_from(["$.a", "$.b", "$.c"]),
    st.sampled_from(["new", "missing", "retyped"]),
)
accounts = st.builds(
    Account, st.just(True), st.dictionaries(places, st.sampled_from(["", "null, not string"]))
)


@given(st.lists(accounts, min_size=1, max_size=4))
def test_the_order_of_the_pods_makes_no_difference(told: list[Account]) -> None:
    found = {sightings.finding(each, None).message for each in itertools.permutations(told)}

    assert len(found) == 1


@given(st.lists(accounts | st.none(), max_size=3), st.sampled_from([None, TRUE, FALSE, UNKNOWN]))
def test_said_again_it_is_the_same(
    told: list[Account | None], before: dict[str, Any] | None
) -> None:
    """Otherwise an idle Route would be written again and again."""
    first = sightings.finding(told, before)
    (written,) = conditions([first], before=[], generation=1, now="")

    again = sightings.finding(told, written)

    assert (again.status, again.reason, again.message) == (
        first.status,
        first.reason,
        first.message,
    )


def test_what_pods_told_stays_until_they_tell_otherwise_or_go() -> None:
    known = Sightings()
    known.expect(ROUTE, has_contract=True)

    assert known.take(ROUTE, {"a": SEEN, "b": CALM}, present=["a", "b"])
    assert not known.take(ROUTE, {"a": SEEN, "b": CALM}, present=["a", "b"])
    assert not known.take(ROUTE, {}, present=["a", "b"])
    assert known.take(ROUTE, {}, present=["b"])
    assert known.take(ROUTE, {"b": NEW}, present=["b"])


def test_a_route_of_many_pods_waits_for_no_more_than_are_asked() -> None:
    pods = [pod(f"it-{number}") for number in range(sightings.MAX_PODS + 5)]
    known = Sightings()
    known.expect(ROUTE, has_contract=True)

    told = {each.uid: CALM for each in sightings.asked(pods)}
    known.take(ROUTE, told, present=[*told])

    assert len(told) == sightings.MAX_PODS
    assert sightings.finding(known.of(ROUTE, pods), TRUE).holds is False


def pod(name: str) -> Pod:
    """A pod that can be asked."""
    metadata = {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "1"}
    containers = [{"name": "route", "ports": [{"name": "admin", "containerPort": 9090}]}]
    status = {"phase": "Running", "podIP": "10.0.0.7"}
    return Pod.of({"metadata": metadata, "spec": {"containers": containers}, "status": status})


def test_only_routes_with_a_contract_are_kept() -> None:
    known = Sightings()

    assert not known.take(ROUTE, {"a": SEEN}, present=["a"])
    known.expect(ROUTE, has_contract=True)
    assert known.routes() == [ROUTE]
    known.expect(ROUTE, has_contract=False)
    assert known.routes() == []
