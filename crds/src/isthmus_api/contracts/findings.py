"""Findings: what does not fit between a call of a Route and an OpenAPI document."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from isthmus_api.contracts.flow import Read, Use
from isthmus_api.problems import Severity


class Kind(StrEnum):
    """What it is, in one word."""

    OPERATION_MISSING = "OperationMissing"
    ADDRESS_MOVED = "AddressMoved"
    AUTH_REFUSED = "AuthRefused"
    AUTH_MOVED = "AuthMoved"
    PARAMETER_REQUIRED = "ParameterRequired"
    PARAMETER_UNKNOWN = "ParameterUnknown"
    BODY_REQUIRED = "BodyRequired"
    BODY_FIELD_REQUIRED = "BodyFieldRequired"
    BODY_FIELD_UNKNOWN = "BodyFieldUnknown"
    TYPE_REFUSED = "TypeRefused"
    VALUE_REFUSED = "ValueRefused"
    ANSWER_NOT_JSON = "AnswerNotJson"
    FIELD_MISSING = "FieldMissing"
    FIELD_RETYPED = "FieldRetyped"
    FIELD_OPTIONAL = "FieldOptional"
    VALUES_ADDED = "ValuesAdded"


Side = Literal["request", "answer"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not fit.

    An error is sure to go wrong, a warning may. `json_path` is the place in the body, `parameter`
    the one beside it; `read` is who reads the field.
    """

    kind: Kind
    side: Side
    use: Use
    operation: str
    message: str
    hint: str = ""
    json_path: str = ""
    parameter: str = ""
    read: Read | None = None
    severity: Severity = Severity.ERROR

    @property
    def sign(self) -> tuple[object, ...]:
        """What makes it the same finding in another document."""
        place = self.read.place if self.read else None
        return self.kind, self.use.path, self.json_path.replace("[]", ""), self.parameter, place
