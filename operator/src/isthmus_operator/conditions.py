"""Conditions after kstatus: findings of one reconcile in, the status list out.

The one place that decides what a condition says and when its time moves. `Ready` is always there;
`Reconciling`, `Stalled` and `Paused` are there only while they are true.
Source: the kstatus library of sigs.k8s.io/cli-utils, and the Kubernetes API conventions.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from isthmus_operator.reasons import Word

MAX_MESSAGE: Final = 1024
"""Characters; the schema takes more, but people read this in a terminal."""

Condition = dict[str, Any]


class Type(StrEnum):
    """The conditions that the operator writes."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    PAUSED = "Paused"
    CONFIG_VALID = "ConfigValid"
    REFERENCES_RESOLVED = "ReferencesResolved"
    WORKLOAD_AVAILABLE = "WorkloadAvailable"
    SCALING_ACTIVE = "ScalingActive"
    CONTRACT_READABLE = "ContractReadable"
    CONTRACT_FITS = "ContractFits"
    SCHEMA_DRIFT = "SchemaDrift"


_ONLY_WHILE_TRUE: Final = frozenset({Type.RECONCILING, Type.STALLED, Type.PAUSED})


@dataclass(frozen=True, slots=True)
class Finding:
    """What a reconcile found out about one aspect. `holds` is None when it is not known yet."""

    type: Type
    holds: bool | None
    reason: Word
    message: str

    @property
    def status(self) -> str:
        """How Kubernetes writes it."""
        return {True: "True", False: "False", None: "Unknown"}[self.holds]


def conditions(
    findings: Iterable[Finding],
    *,
    before: Sequence[Mapping[str, Any]],
    generation: int,
    now: str,
) -> list[Condition]:
    """The conditions to write; a time moves only when a status changes."""
    known = {condition["type"]: condition for condition in before}
    return [
        _condition(finding, known.get(finding.type), generation, now)
        for finding in findings
        if finding.holds or finding.type not in _ONLY_WHILE_TRUE
    ]


def _condition(
    finding: Finding, before: Mapping[str, Any] | None, generation: int, now: str
) -> Condition:
    unchanged = before is not None and before.get("status") == finding.status
    since = before["lastTransitionTime"] if before is not None and unchanged else now
    return {
        "type": str(finding.type),
        "status": finding.status,
        "observedGeneration": generation,
        "lastTransitionTime": since,
        "reason": str(finding.reason),
        "message": shortened(finding.message),
    }


def shortened(message: str) -> str:
    """A message that fits a condition."""
    return message if len(message) <= MAX_MESSAGE else message[: MAX_MESSAGE - 1] + "…"
