"""Reports: the one writer of status. It writes what changed, once, and tells of transitions."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from isthmus_operator.conditions import Condition, Finding, Type, conditions
from isthmus_operator.declared import Declarations, Declared
from isthmus_operator.events import Kind
from isthmus_operator.kube import Client, NotFound, kinds
from isthmus_operator.reasons import Reason

Tell = Callable[[Declared, Kind, str, str], None]
"""Takes an object, Normal or Warning, a reason and a message."""


class Reporter:
    """Writes the status of all kinds."""

    def __init__(
        self, client: Client, declared: Declarations, *, tell: Tell, now: Callable[[], str]
    ) -> None:
        self._client = client
        self._declared = declared
        self._tell = tell
        self._now = now

    async def write(
        self, declared: Declared, findings: Iterable[Finding], fields: Mapping[str, Any]
    ) -> bool:
        """Bring a status up to date; whether it was not. Fields that are None are left out."""
        before = declared.known_status()
        known = before.get("conditions") or ()
        status = {
            "observedGeneration": declared.generation,
            "conditions": conditions(
                findings, before=known, generation=declared.generation, now=self._now()
            ),
            **{name: value for name, value in fields.items() if value is not None},
        }
        if status == before:
            return False
        resource = kinds.OURS[declared.key.kind]
        manifest = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            # With the uid, a namesake that was made meanwhile does not get this status.
            "metadata": {
                "name": declared.key.name,
                "namespace": declared.key.namespace,
                "uid": declared.uid,
            },
            "status": status,
        }
        try:
            self._declared.take(await self._client.apply(resource, manifest, sub="status"))
        except NotFound:
            # It was deleted in a gap of the watch, so that no event tells of it.
            self._declared.forget(declared.key, uid=declared.uid)
            return False
        for event in transitions(known, status["conditions"]):
            self._tell(declared, *event)
        return True

    def tell(self, declared: Declared, kind: Kind, reason: Reason, message: str) -> None:
        """Tell of something that is no condition."""
        self._tell(declared, kind, reason, message)


def transitions(
    before: Iterable[Condition], now: Iterable[Condition]
) -> Iterator[tuple[Kind, str, str]]:
    """What Events tell of a change of conditions."""
    known = {each["type"]: each for each in before}
    for condition in now:
        told = _TELLING.get(condition["type"])
        kind = told(known.get(condition["type"]), condition) if told else None
        if kind:
            yield kind, condition["reason"], condition["message"]


def _ready(before: Condition | None, now: Condition) -> Kind | None:
    """Each other status or reason is told."""
    if before is not None and _sign(before) == _sign(now):
        return None
    calm = now["status"] != "False" or now["reason"] == Reason.PAUSED
    return "Normal" if calm else "Warning"


def _schema_drift(before: Condition | None, now: Condition) -> Kind | None:
    """Told when it begins, and when it is over."""
    was, is_ = (each is not None and each["status"] == "True" for each in (before, now))
    if was == is_:
        return None
    return "Warning" if is_ else "Normal"


_TELLING: Final[Mapping[str, Callable[[Condition | None, Condition], Kind | None]]] = {
    Type.READY: _ready,
    Type.SCHEMA_DRIFT: _schema_drift,
}


def _sign(condition: Condition) -> tuple[str, str]:
    return condition["status"], condition["reason"]
