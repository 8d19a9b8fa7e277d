"""Outcomes: what a reconcile came to, as values, and the findings that each of them means.

    Running     everything runs as declared
    Rolling     on the way there; nobody has to do anything
    Waiting     something it refers to is not there yet; goes on by itself once it is
    Stalled     a person must mend something
    Paused      stopped because the spec says so

Source of the meaning of Ready, Reconciling and Stalled: kstatus.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from isthmus_api.problems import Code, Problem
from isthmus_operator.conditions import Finding, Type
from isthmus_operator.reasons import Reason, Word


@dataclass(frozen=True, slots=True)
class Running:
    """Everything runs as declared."""

    message: str
    reason: Word = Reason.RUNNING


@dataclass(frozen=True, slots=True)
class Rolling:
    """On the way; nobody has to do anything."""

    message: str
    reason: Word = Reason.ROLLING_OUT


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something it refers to, or needs, is not there yet."""

    reason: Word
    message: str


@dataclass(frozen=True, slots=True)
class Stalled:
    """A person must mend something."""

    reason: Word
    message: str


@dataclass(frozen=True, slots=True)
class Paused:
    """Stopped because the spec says so."""

    message: str
    reason: Word = Reason.PAUSED


Outcome = Running | Rolling | Waiting | Stalled | Paused

AGAIN_SECONDS: Final[dict[Word, float]] = {
    Reason.NAME_CONFLICT: 30.0,
    Reason.CHILD_FORBIDDEN: 30.0,
    Reason.CHILD_REFUSED: 60.0,
    Code.GATEWAY_API_MISSING: 30.0,
}
"""By reason: what no event of ours tells the end of is looked at again after a while."""
_MISSING: Final = frozenset(
    {Code.CONNECTOR_NOT_FOUND, Code.MAPPING_NOT_FOUND, Code.ROUTE_NOT_FOUND}
)


def readiness(outcome: Outcome) -> Iterator[Finding]:
    """Ready, and why not."""
    reason, message = outcome.reason, outcome.message
    match outcome:
        case Running():
            yield Finding(Type.READY, True, reason, message)
        case Rolling():
            yield Finding(Type.READY, None, reason, message)
            yield Finding(Type.RECONCILING, True, reason, message)
        case Waiting():
            yield Finding(Type.READY, False, reason, message)
            yield Finding(Type.RECONCILING, True, reason, message)
        case Stalled():
            yield Finding(Type.READY, False, reason, message)
            yield Finding(Type.STALLED, True, reason, message)
        case Paused():
            yield Finding(Type.READY, False, reason, message)
            yield Finding(Type.PAUSED, True, reason, message)


def of_problems(problems: Sequence[Problem]) -> Waiting | Stalled | None:
    """What problems mean: missing references may still come, everything else is a mistake."""
    mistakes = [problem for problem in problems if problem.code not in _MISSING]
    if mistakes:
        return Stalled(mistakes[0].code, told(mistakes))
    if problems:
        return Waiting(problems[0].code, told(problems))
    return None


def config(problems: Sequence[Problem]) -> Finding:
    """Whether what was written is right."""
    mistakes = [problem for problem in problems if problem.code not in _MISSING]
    if mistakes:
        return Finding(Type.CONFIG_VALID, False, mistakes[0].code, told(mistakes))
    return Finding(Type.CONFIG_VALID, True, Reason.VALID, "The spec is valid.")


def references(problems: Sequence[Problem]) -> Finding:
    """Whether what is referred to is there."""
    missing = [problem for problem in problems if problem.code in _MISSING]
    if missing:
        return Finding(Type.REFERENCES_RESOLVED, False, missing[0].code, told(missing))
    return Finding(Type.REFERENCES_RESOLVED, True, Reason.RESOLVED, "Everything it names is there.")


def contract(misfits: Sequence[Problem] | None) -> Iterator[Finding]:
    """Whether calls fit the vendors' documents; nothing where there are none."""
    if misfits:
        yield Finding(Type.CONTRACT_FITS, False, misfits[0].code, told(misfits))
    elif misfits is not None:
        message = "All calls fit the contracts of its Connectors."
        yield Finding(Type.CONTRACT_FITS, True, Reason.CONTRACT_KEPT, message)


def told(problems: Sequence[Problem]) -> str:
    """Problems in one line: the first in full, of the others how many there are."""
    first, *others = problems
    place = f"{first.field}: " if first.field else ""
    subject = f"{first.subject}: " if first.subject.startswith(("Mapping", "Connector")) else ""
    hint = f"; {first.hint}" if first.hint else ""
    more = f" (and {len(others)} more)" if others else ""
    return f"{subject}{place}{first.message}{hint}{more}"
