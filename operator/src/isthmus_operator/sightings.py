"""Sightings: what pods tell of answers that are not as a vendor's contract says.

Kept by Route and pod for as long as the pod is there, and made into the Route's condition
`SchemaDrift`. A pod that cannot be asked changes nothing, and what was said before stays until the
pods say otherwise: neither a deaf network nor a new leader makes the condition go to and fro.
Pure; `visits` asks the pods.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, Final, Literal, NamedTuple

import orjson

from isthmus_api.resources import Key
from isthmus_operator.conditions import Condition, Finding, Type
from isthmus_operator.live import Pod
from isthmus_operator.reasons import Reason

SHOWN: Final = 5
"""Differences that a condition tells; `/status` of a pod has them all."""
MAX_NAME: Final = 120
"""Characters of an operation, a path or types. They are a vendor's words, and a pod's."""
MAX_SIGHTINGS: Final = 500
"""Of one pod."""
MAX_PODS: Final = 20
"""Of a Route that are asked; the first by name."""

_REASONS: Final[Mapping[str, Reason]] = {
    str(each): each for each in (Reason.SCHEMA_DRIFT, Reason.ANSWERS_FIT, Reason.ANSWERS_NOT_SEEN)
}
Drift = Literal["new", "missing", "retyped"]
_SAID: Final[Mapping[str, str]] = {"new": "is new", "missing": "is missing"}


class Place(NamedTuple):
    """Where answers differ, and how."""

    connector: str
    operation: str
    path: str
    drift: Drift


@dataclass(frozen=True, slots=True)
class Account:
    """What one pod told."""

    looked: bool
    """Whether it has held any answer against a document."""
    places: Mapping[Place, str]
    """With the types of what is retyped."""


def asked(pods: Iterable[Pod]) -> list[Pod]:
    """Those of a Route's pods, by name, that are asked: the condition waits for no others."""
    return list(islice((pod for pod in pods if pod.address), MAX_PODS))


def read(body: bytes, route: Key) -> Account | None:
    """What `/status` of a pod tells; None where it is no page of a pod of this Route.

    An address may be another pod's by the time that it is asked.
    """
    try:
        page = orjson.loads(body)
        routes = {(each["namespace"], each["name"]) for each in page["routes"]}
        if (route.namespace, route.name) not in routes:
            return None
        told = page.get("contracts", [])
        places = dict(list(_places(told))[:MAX_SIGHTINGS])
        # A runtime that does not count its answers yet is taken to have looked.
        return Account(any(each.get("answers", 1) for each in told), places)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _places(contracts: list[dict[str, Any]]) -> Iterable[tuple[Place, str]]:
    for contract in contracts:
        for each in contract["schemaDrift"]:
            if each["kind"] in ("new", "missing", "retyped"):
                place = Place(
                    connector=_word(contract["connector"]),
                    operation=_word(each["operation"]),
                    path=_word(each["path"]),
                    drift=each["kind"],
                )
                yield place, _word(each.get("types", ""))


def _word(text: Any) -> str:
    printable = "".join(each if each.isprintable() else "?" for each in str(text))
    return printable if len(printable) <= MAX_NAME else printable[:MAX_NAME] + "…"


class Sightings:
    """What the pods of all Routes told that have a contract."""

    def __init__(self) -> None:
        self._told: dict[Key, dict[str, Account]] = {}

    def routes(self) -> list[Key]:
        """The Routes whose pods are to be asked."""
        return list(self._told)

    def expect(self, route: Key, *, has_contract: bool) -> None:
        """Have the pods of a Route asked from now on, or no more."""
        if has_contract:
            self._told.setdefault(route, {})
        else:
            self._told.pop(route, None)

    def take(self, route: Key, told: Mapping[str, Account], *, present: Collection[str]) -> bool:
        """Take in what pods told, by their uids, of those that there are; whether it is news."""
        before = self._told.get(route)
        if before is None:
            return False
        now = {uid: told.get(uid) or before.get(uid) for uid in present}
        self._told[route] = {uid: account for uid, account in now.items() if account}
        return self._told[route] != before

    def of(self, route: Key, pods: Iterable[Pod]) -> list[Account | None]:
        """What those pods of a Route told last that are asked; None where they told nothing yet."""
        told = self._told.get(route, {})
        return [told.get(pod.uid) for pod in asked(pods)]


def finding(told: Sequence[Account | None], before: Condition | None) -> Finding:
    """The condition `SchemaDrift` of a Route, from what its pods told and what it said before.

    It is true while some pod has seen a difference. It is false once an answer was looked at and
    none has; but one that was true stays so until all pods have told.
    """
    heard = [account for account in told if account]
    if places := _together(heard):
        return Finding(Type.SCHEMA_DRIFT, True, Reason.SCHEMA_DRIFT, described(places))
    was_true = before is not None and before["status"] == "True"
    if any(each.looked for each in heard) and not (was_true and len(heard) < len(told)):
        message = "Answers that pods looked at are as the contracts say."
        return Finding(Type.SCHEMA_DRIFT, False, Reason.ANSWERS_FIT, message)
    # Another version of the operator may have had other words.
    if before is not None and (reason := _REASONS.get(before["reason"])):
        holds = {"True": True, "False": False}.get(before["status"])
        return Finding(Type.SCHEMA_DRIFT, holds, reason, before["message"])
    message = "No pod has told of an answer yet."
    return Finding(Type.SCHEMA_DRIFT, None, Reason.ANSWERS_NOT_SEEN, message)


def _together(accounts: Iterable[Account]) -> dict[Place, str]:
    """All that was seen; where pods saw other types, those that come first, whoever tells first."""
    found: dict[Place, str] = {}
    for account in accounts:
        for place, types in account.places.items():
            found[place] = min(found.get(place, types), types)
    return found


def described(places: Mapping[Place, str]) -> str:
    """The differences in one line, in an order that does not depend on who told of them."""
    shown = sorted(places)[:SHOWN]
    parts = []
    for (connector, operation), each in groupby(shown, key=lambda it: (it.connector, it.operation)):
        fields = ", ".join(f"{at.path} {_SAID.get(at.drift) or _typed(places[at])}" for at in each)
        parts.append(f"{connector}: the answer of {operation}: {fields}")
    more = len(places) - len(shown)
    return "; ".join(parts) + (f" (and {more} more)" if more else "")


def _typed(types: str) -> str:
    return f"is {types}" if types else "has another type"
