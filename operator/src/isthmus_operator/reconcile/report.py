"""Reports: the one writer of status. It writes what changed, once, and tells of transitions."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

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
        self._transition(declared, _ready(known), _ready(status["conditions"]))
        return True

    def tell(self, declared: Declared, kind: Kind, reason: Reason, message: str) -> None:
        """Tell of something that is no condition."""
        self._tell(declared, kind, reason, message)

    def _transition(
        self, declared: Declared, before: Condition | None, now: Condition | None
    ) -> None:
        if now is None or (before is not None and _sign(before) == _sign(now)):
            return
        calm = now["status"] != "False" or now["reason"] == Reason.PAUSED
        self._tell(declared, "Normal" if calm else "Warning", now["reason"], now["message"])


def _ready(known: Iterable[Condition]) -> Condition | None:
    return next((each for each in known if each["type"] == Type.READY), None)


def _sign(condition: Condition) -> tuple[str, str]:
    return condition["status"], condition["reason"]
