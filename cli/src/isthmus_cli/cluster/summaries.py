"""Summaries: one line for each Route, for people and for machines. Pure."""

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from isthmus_cli import report, tables
from isthmus_cli.cluster import standing
from isthmus_cli.cluster.standing import Object, Standing, State

_HEAD: Final = (
    "NAME",
    "READY",
    "REASON",
    "REPLICAS",
    "GENERATION",
    "PLAN",
    "SINCE",
    "MESSAGE",
)
_COLOURS: Final = {"True": "green", "Unknown": "yellow", "False": "red"}
WELL: Final = frozenset({State.OK, State.PAUSED})
"""As declared: nobody has to do anything."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What is told of one Route; it is small, for there may be thousands."""

    namespace: str
    name: str
    stands: Standing
    available: int
    wanted: int
    declared: int
    """The generation that is declared."""
    applied: int | None
    """The one that pods are made of."""
    plan: str

    @property
    def is_well(self) -> bool:
        """Whether it is as declared."""
        return self.stands.state in WELL

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "namespace": self.namespace,
            "name": self.name,
            "state": self.stands.state,
            "ready": self.stands.ready,
            "reason": self.stands.reason,
            "message": self.stands.message,
            "advice": self.stands.advice,
            "since": self.stands.since or None,
            "replicas": {"available": self.available, "wanted": self.wanted},
            "generation": self.declared,
            "appliedGeneration": self.applied,
            "plan": self.plan or None,
        }


def of(route: Object) -> Summary:
    """The summary of a Route."""
    metadata, spec, status = route["metadata"], route.get("spec") or {}, route.get("status") or {}
    return Summary(
        namespace=metadata["namespace"],
        name=metadata["name"],
        stands=standing.of(route),
        available=status.get("availableReplicas", 0),
        wanted=0 if spec.get("paused") else standing.replicas(route),
        declared=metadata.get("generation", 0),
        applied=status.get("lastAppliedGeneration"),
        plan=status.get("planHash", ""),
    )


def table(
    found: Sequence[Summary], now: datetime.datetime, *, with_namespace: bool = False
) -> list[str]:
    """The lines of a table."""
    head = ("NAMESPACE", *_HEAD) if with_namespace else _HEAD
    rows = [
        ((each.namespace, *_row(each, now)) if with_namespace else _row(each, now))
        for each in found
    ]
    return tables.table(head, rows, column="READY", colours=_COLOURS)


def counts(found: Sequence[Summary]) -> dict[str, int]:
    """How many there are in each state."""
    counted = Counter(each.stands.state for each in found)
    return {str(state): counted[state] for state in State}


def total(found: Sequence[Summary]) -> str:
    """`3 Routes: 2 ok, 1 wrong`."""
    told = ", ".join(f"{number} {state}" for state, number in counts(found).items() if number)
    return f"{report.number(len(found), 'Route')}: {told}"


def _row(summary: Summary, now: datetime.datetime) -> tuple[str, ...]:
    stands = summary.stands
    return (
        summary.name,
        stands.ready,
        stands.reason,
        f"{summary.available}/{summary.wanted}",
        _generation(summary),
        summary.plan or "-",
        tables.age(stands.since, now) if stands.since else "-",
        stands.message,
    )


def _generation(summary: Summary) -> str:
    if summary.applied == summary.declared:
        return str(summary.declared)
    return f"{summary.applied or 'none'} of {summary.declared}"
