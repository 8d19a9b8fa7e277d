"""Pages: findings as sections, entries and lines, before it is known how they are written. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from isthmus_cli.diffs.capacity import Share
from isthmus_cli.diffs.fields import Change
from isthmus_cli.diffs.findings import Findings
from isthmus_cli.diffs.objects import ObjectChange, Verb
from isthmus_cli.diffs.trials import Outcome
from isthmus_cli.diffs.workloads import Effect, Workload
from isthmus_cli.report import number

_MAX_CHANGES: Final = 20
"""Of one entry; JSON has all of them."""
_MAX_NAMES: Final = 20
"""Of Routes of which the same is said."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an entry; `patch` are the lines of a text that differ."""

    text: str
    patch: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said of one object, Route or message."""

    subject: str
    told: str
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """Entries of one sort, and a sentence about all of them."""

    title: str
    entries: tuple[Entry, ...] = ()
    closing: str = ""


def sections(findings: Findings) -> list[Section]:
    """Everything that differs; a section of which there is nothing is left out."""
    every = (
        Section("Objects", tuple(map(_object, findings.objects))),
        Section("Routes", tuple(_together(map(_workload, findings.workloads)))),
        Section("Capacity", closing=_capacity(findings)),
        Section("Messages", tuple(map(_outcome, findings.differing)), _trials(findings)),
    )
    return [each for each in every if each.entries or each.closing]


def summary(findings: Findings) -> str:
    """What there is, in one line."""
    if findings.is_same:
        return "nothing is different"
    verbs = [each.verb for each in findings.objects]
    objects = ", ".join(f"{verbs.count(verb)} {verb}" for verb in Verb)
    effects = [each.effect for each in findings.workloads]
    parts = [
        f"objects: {objects}",
        *(_do(effects.count(effect), "Route", *_VERBS[effect]) for effect in Effect),
        _do(len(findings.differing), "message", "comes out differently", "come out differently"),
    ]
    return "; ".join(filter(None, parts))


_VERBS: Final = {
    Effect.STARTS: ("starts", "start"),
    Effect.STOPS: ("stops", "stop"),
    Effect.RESTARTS: ("restarts", "restart"),
    Effect.SCALES: ("scales", "scale"),
    Effect.GOES_ON: ("goes on", "go on"),
    Effect.REFUSED: ("would be refused", "would be refused"),
}
"""Of one Route, and of several."""


def _do(count: int, noun: str, of_one: str, of_all: str) -> str:
    """`1 Route restarts`, `2 Routes restart`, nothing of none."""
    return f"{number(count, noun)} {of_one if count == 1 else of_all}" if count else ""


def _object(found: ObjectChange) -> Entry:
    return Entry(found.subject, found.verb, tuple(_changes(found.changes)))


def _changes(found: Sequence[Change]) -> Iterator[Line]:
    for each in found[:_MAX_CHANGES]:
        patch = tuple(each.lines)
        yield Line(each.path, patch) if patch else Line(str(each))
    yield from _more(len(found), "place")


def _more(count: int, noun: str) -> Iterator[Line]:
    if count > _MAX_CHANGES:
        yield Line(f"and {number(count - _MAX_CHANGES, f'more {noun}')}")


def _workload(found: Workload) -> Entry:
    return Entry(str(found.key), _told(found), tuple(_why(found)))


def _together(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Those of which the same is said as one: a Connector may have a thousand Routes."""
    groups: dict[tuple[str, tuple[Line, ...]], list[str]] = {}
    for each in entries:
        groups.setdefault((each.told, each.lines), []).append(each.subject)
    for (told, lines), subjects in groups.items():
        yield Entry(_named(subjects), told, lines)


def _named(subjects: Sequence[str]) -> str:
    if len(subjects) == 1:
        return subjects[0]
    names = [each.partition(" ")[2] for each in subjects[:_MAX_NAMES]]
    more = len(subjects) - len(names)
    rest = [f"and {more} more"] if more else []
    return f"{len(subjects)} Routes: {', '.join([*names, *rest])}"


def _told(found: Workload) -> str:
    old, new = found.old.pods, found.new.pods
    pods = number(new, "pod") if old == new else f"{old} → {number(new, 'pod')}"
    if found.effect is Effect.REFUSED:
        return f"{found.effect}: {'its pods go on as they are' if old else 'it gets no pods'}"
    return f"{found.effect}, {pods}"


def _why(found: Workload) -> Iterator[Line]:
    for problem in found.problems:
        about = " ".join(part for part in (problem.subject, problem.field) if part)
        yield Line(f"{problem.code} {about}: {problem.message}")
    for reason in found.reasons[:_MAX_CHANGES]:
        yield Line(f"because of {reason}")
    yield from _more(len(found.reasons), "reason")
    if found.effect is Effect.GOES_ON:
        names = ", ".join(f"{each.name} {each.verb}" for each in found.children)
        yield Line(f"around its pods: {names}")


def _capacity(findings: Findings) -> str:
    restarts = findings.restarts
    parts = [] if findings.old == findings.new else [_shares(findings.old, findings.new)]
    if restarts:
        parts.append(
            f"while it rolls out, {number(restarts, 'more pod')}: one for each Route that restarts"
        )
    return "; ".join(parts)


def _shares(old: Share, new: Share) -> str:
    return (
        f"pods {old.pods} → {new.pods}, CPU {old.cpu} → {new.cpu}, "
        f"memory {old.memory} → {new.memory}"
    )


def _outcome(found: Outcome) -> Entry:
    trial = found.trial
    return Entry(str(trial.key), f"{trial.kind} '{trial.name}'", tuple(_changes(found.changes)))


def _trials(findings: Findings) -> str:
    counted = findings.trials
    if not counted:
        return ""
    went = " and ".join(number(count, kind) for kind, count in sorted(counted.items()))
    return f"{went} through both; {len(findings.differing)} came out differently"
