"""Shapes of what is told of folders of manifests."""

from typing import Any, Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from isthmus_cli.shapes.shape import EXACT

Severity = Literal["error", "warning"]


@with_config(EXACT)
class Problem(TypedDict):
    severity: Severity
    code: str
    """One of [reasons](reasons.md)."""
    message: str
    hint: str
    """What to write instead; may be empty."""
    object: str
    """`Kind namespace/name`; empty where it is about a file."""
    field: str
    """Where in the object, as `spec.steps[0].call`."""
    file: str | None
    line: int | None
    column: int | None


@with_config(EXACT)
class Counts(TypedDict):
    errors: int
    warnings: int
    objects: NotRequired[int]
    """Connectors, Mappings and Routes."""
    others: NotRequired[int]
    """Objects of other kinds, which were left alone."""


@with_config(EXACT)
class Lint(TypedDict):
    problems: list[Problem]
    openToAnybody: NotRequired[list[str]]
    """Routes without `auth`."""
    summary: Counts


@with_config(EXACT)
class Difference(TypedDict):
    path: str
    expected: NotRequired[Any]
    """Left out where nothing was expected."""
    actual: NotRequired[Any]
    """Left out where nothing came."""


@with_config(EXACT)
class Failure(TypedDict):
    message: str
    differences: list[Difference]


@with_config(EXACT)
class TestResult(TypedDict):
    object: str
    name: str
    outcome: Literal["passed", "failed"]
    failures: list[Failure]
    seconds: float
    file: str | None
    line: int | None
    column: int | None


@with_config(EXACT)
class TestCounts(TypedDict):
    passed: int
    failed: int
    withoutTests: list[str]
    """Mappings and Routes that have none."""


@with_config(EXACT)
class Tests(TypedDict):
    tests: list[TestResult]
    summary: TestCounts


@with_config(EXACT)
class Reads(TypedDict):
    input: list[str]
    """Fields of the input; `*` is all of it."""
    variables: dict[str, list[str]]
    everyVariable: bool
    tables: list[str]
    mappings: list[str]


@with_config(EXACT)
class PartValue(TypedDict):
    value: NotRequired[Any]
    """Left out where the part gave nothing."""
    error: NotRequired[str]


@with_config(EXACT)
class Part(TypedDict):
    file: str
    line: int | None
    column: int | None
    source: str
    start: int
    end: int
    times: int
    """How often it was evaluated."""
    values: list[PartValue]
    """The first three."""
    tested: NotRequired[int]
    passed: NotRequired[int]


@with_config(EXACT)
class Explained(TypedDict):
    reads: Reads
    parts: list[Part]
    complete: bool
    """Whether every value was recorded."""
    result: NotRequired[Any]
    """Left out where the expression failed."""


@with_config(EXACT)
class FileChange(TypedDict):
    file: str
    change: str


@with_config(EXACT)
class Promoted(TypedDict):
    problems: list[Problem]
    summary: Counts
    changes: list[FileChange]
    stays: list[str]
    """Fields that TO says by itself."""
    left: list[str]
    """What FROM has for itself."""
    patch: str | None


@with_config(EXACT)
class FieldChange(TypedDict):
    path: str
    old: NotRequired[Any]
    """Left out where it was not there."""
    new: NotRequired[Any]
    """Left out where it is not there any more."""


@with_config(EXACT)
class ObjectChange(TypedDict):
    object: str
    change: Literal["added", "changed", "removed"]
    fields: list[FieldChange]


@with_config(EXACT)
class Share(TypedDict):
    pods: int | None
    cpu: str | None
    memory: str | None


@with_config(EXACT)
class Reason(TypedDict):
    object: str
    field: str | None
    note: str | None


@with_config(EXACT)
class ChildChange(TypedDict):
    object: str
    change: Literal["added", "changed", "removed"]


@with_config(EXACT)
class RefusedFor(TypedDict):
    code: str
    object: str
    field: str
    message: str


@with_config(EXACT)
class RouteChange(TypedDict):
    route: str
    effect: str
    """What becomes of its pods."""
    old: Share
    new: Share
    reasons: list[Reason]
    children: list[ChildChange]
    problems: list[RefusedFor]


@with_config(EXACT)
class Capacity(TypedDict):
    old: Share
    new: Share
    podsWhileRollingOut: int


@with_config(EXACT)
class MessageChange(TypedDict):
    object: str
    kind: str
    name: str
    fields: list[FieldChange]


@with_config(EXACT)
class Diff(TypedDict):
    same: bool
    objects: list[ObjectChange]
    routes: list[RouteChange]
    capacity: Capacity
    messages: list[MessageChange]
    """Tests and samples that come to something else."""
    compared: dict[str, int]
    """How many were compared, by what they are."""


@with_config(EXACT)
class Document(TypedDict):
    file: str
    version: str


@with_config(EXACT)
class Spot(TypedDict):
    object: str
    field: str
    file: str | None
    line: int | None
    column: int | None


@with_config(EXACT)
class Finding(TypedDict):
    severity: Severity
    kind: str
    route: str
    operation: str
    side: str
    jsonPath: str | None
    parameter: str | None
    message: str
    hint: str
    call: Spot
    read: Spot | None


@with_config(EXACT)
class CheckCounts(TypedDict):
    routes: int
    broken: int
    errors: int
    warnings: int


# `from` is a word of Python.
Checked = TypedDict(
    "Checked",
    {
        "connector": str,
        "against": Document,
        "from": Document | None,
        "findings": list[Finding],
        "summary": CheckCounts,
    },
)
with_config(EXACT)(Checked)


@with_config(EXACT)
class Version(TypedDict):
    version: str
    python: str
