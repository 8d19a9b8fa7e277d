"""How an object of ours stands: its conditions, and what they mean to a person. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from isthmus_api.problems import Code
from isthmus_operator.reasons import MEANINGS, MISTAKES, Reason

Object = dict[str, Any]


class State(StrEnum):
    """How something stands."""

    OK = "ok"
    PENDING = "pending"
    WRONG = "wrong"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the operator says of an object, and whether it speaks of what is declared now."""

    state: State
    ready: str
    """The status of the condition Ready; `Unknown` before the operator looked at this."""
    reason: str
    message: str
    since: str
    """When Ready last changed; empty before it was ever said."""

    @property
    def advice(self) -> str:
        """What to do; empty where nothing is."""
        return "" if self.state is State.OK else _advice(self.reason)

    @property
    def sentence(self) -> str:
        """What is wrong and what to do about it, in one line."""
        if self.state is State.OK:
            return "nothing is wrong"
        return f"{self.reason}: {self.message.rstrip('.')}. To do: {self.advice}"


def replicas(route: Object) -> int:
    """How many pods a Route is to have while it is not paused, whoever says so."""
    spec, status = route.get("spec") or {}, route.get("status") or {}
    scale = status.get("scale") or {}
    is_seen = status.get("observedGeneration") == route["metadata"].get("generation")
    declared = int(spec.get("replicas", 1))
    return int(scale.get("replicas", declared)) if is_seen or "autoscaling" in spec else declared


UNSEEN: Final = "NotObserved"
DELETED: Final = "Deleting"
_ADVICE: Final = {
    UNSEEN: "see that an operator runs and serves this namespace: `kubectl get pods -A -l "
    "app.kubernetes.io/name=isthmus,app.kubernetes.io/component=operator`",
    DELETED: "wait",
}
_MISTAKE: Final = "mend what the message names; pods run the last good version meanwhile"
_LINK: Final = re.compile(r"\[[^\]]*\]\(\.\./([^)]*)\)")


def of(found: Object) -> Standing:
    """How a Connector, Mapping or Route stands."""
    metadata, status = found["metadata"], found.get("status") or {}
    ready = condition(found, "Ready") or {}
    if "deletionTimestamp" in metadata:
        return Standing(State.PENDING, "Unknown", DELETED, "it is being deleted", _since(ready))
    generation, seen = metadata.get("generation", 0), status.get("observedGeneration", 0)
    if not ready or seen < generation:
        told = f"the operator has not looked at generation {generation} yet"
        return Standing(State.PENDING, "Unknown", UNSEEN, told, _since(ready))
    return Standing(
        _state(found, ready), ready["status"], ready["reason"], ready["message"], _since(ready)
    )


def condition(found: Object, kind: str) -> Object | None:
    """A condition of an object."""
    conditions = (found.get("status") or {}).get("conditions") or ()
    return next((each for each in conditions if each["type"] == kind), None)


def _state(found: Object, ready: Object) -> State:
    if ready["status"] == "True":
        return State.OK
    if ready["reason"] == Reason.PAUSED:
        return State.PAUSED
    reconciling = condition(found, "Reconciling")
    return State.PENDING if reconciling and ready["status"] == "Unknown" else State.WRONG


def _since(ready: Object) -> str:
    return str(ready.get("lastTransitionTime") or "")


def _advice(reason: str) -> str:
    if reason in _ADVICE:
        return _ADVICE[reason]
    known = {str(word): each for word, each in MEANINGS.items()}
    known |= {str(code): each for code, each in MISTAKES.items()}
    meaning = known.get(reason)
    if meaning and meaning.advice:
        return _LINK.sub(r"docs/\1", meaning.advice)
    return _MISTAKE if reason in set(Code) else "read the message"
