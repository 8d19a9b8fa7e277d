"""Problems: everything that can be wrong with manifests, said so that a person can mend it.

A problem is a value, never an exception: reading, planning and linting collect them, so that one
run shows all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error keeps a Route from running; a warning points at a likely mistake."""

    ERROR = "error"
    WARNING = "warning"


class Code(StrEnum):
    """What is wrong, in one word. The same words are the reasons of conditions and events."""

    UNREADABLE = "Unreadable"
    INVALID_YAML = "InvalidYaml"
    DUPLICATE_KEY = "DuplicateKey"
    UNKNOWN_KIND = "UnknownKind"
    UNKNOWN_FIELD = "UnknownField"
    MISSING_FIELD = "MissingField"
    INVALID_VALUE = "InvalidValue"
    DUPLICATE_RESOURCE = "DuplicateResource"
    CONNECTOR_NOT_FOUND = "ConnectorNotFound"
    MAPPING_NOT_FOUND = "MappingNotFound"
    MAPPING_CYCLE = "MappingCycle"
    ROUTE_NOT_FOUND = "RouteNotFound"
    ROUTE_CYCLE = "RouteCycle"
    TABLE_NOT_FOUND = "TableNotFound"
    TABLE_UNREADABLE = "TableUnreadable"
    BRANCH_NOT_FOUND = "BranchNotFound"
    BRANCH_CYCLE = "BranchCycle"
    BRANCH_UNUSED = "BranchUnused"
    STEP_UNREACHABLE = "StepUnreachable"
    MISPLACED = "Misplaced"
    INEFFECTIVE = "Ineffective"
    NAME_CLASH = "NameClash"
    PATH_CLASH = "PathClash"
    ROUTE_OPEN = "RouteOpen"
    EXPRESSION_INVALID = "ExpressionInvalid"
    EXPRESSION_WARNING = "ExpressionWarning"
    EXPRESSION_FAILED = "ExpressionFailed"
    GUARD_EXCEEDED = "GuardExceeded"
    SCHEMA_INVALID = "SchemaInvalid"
    TEST_FAILED = "TestFailed"
    CONTRACT_UNREADABLE = "ContractUnreadable"
    CONTRACT_MISMATCH = "ContractMismatch"
    PLAN_TOO_LARGE = "PlanTooLarge"
    GATEWAY_API_MISSING = "GatewayApiMissing"
    JOURNAL_NOT_CONFIGURED = "JournalNotConfigured"


Path = tuple[str | int, ...]
"""A path inside an object: keys and list positions."""


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file; line and column count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file, self.line, self.column]
        return ":".join(str(part) for part in parts if part is not None)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    `subject` is the object (`Route default/product-search`), `path` the field inside it, `hint`
    what to write instead.
    """

    code: Code
    message: str
    hint: str = ""
    subject: str = ""
    path: Path = ()
    location: Location | None = None
    severity: Severity = Severity.ERROR

    @property
    def field(self) -> str:
        """The path as Kubernetes writes it: `spec.steps[1].call.connector`."""
        return field_path(self.path)


def ineffective(message: str, hint: str, path: Path) -> Problem:
    """A warning: what is written does nothing, or not what its author may think."""
    return Problem(Code.INEFFECTIVE, message, hint=hint, path=path, severity=Severity.WARNING)


def errors(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems that keep something from running."""
    return tuple(problem for problem in problems if problem.severity is Severity.ERROR)


def field_path(path: Iterable[str | int]) -> str:
    """Write a path the way Kubernetes writes it: `spec.steps[1].call`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")
