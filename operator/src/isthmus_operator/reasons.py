"""Reasons: every word by which the operator says why, what it means, and what to do about it.

Conditions and Events have no other words than these and those of `isthmus_api.problems.Code`. The
page docs/reference/reasons.md is made of this module.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from isthmus_api.problems import Code


class Reason(StrEnum):
    """Why something is as it is; mistakes in manifests have the words of `Code`."""

    RUNNING = "Running"
    SCALED_TO_ZERO = "ScaledToZero"
    VALID = "Valid"
    ROLLING_OUT = "RollingOut"
    SECRET_NOT_FOUND = "SecretNotFound"  # noqa: S105 - a reason, no secret
    PAUSED = "Paused"
    NAME_CONFLICT = "NameConflict"
    CHILD_REFUSED = "ChildRefused"
    CHILD_FORBIDDEN = "ChildForbidden"
    PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
    PLAN_UNUSABLE = "PlanUnusable"
    RESOLVED = "Resolved"
    MOUNTED = "Mounted"
    NOT_MOUNTED = "NotMounted"
    AVAILABLE = "Available"
    UNAVAILABLE = "Unavailable"
    CONTRACT_READ = "ContractRead"
    CONTRACT_KEPT = "ContractKept"
    SCHEMA_DRIFT = "SchemaDrift"
    ANSWERS_FIT = "AnswersFit"
    ANSWERS_NOT_SEEN = "AnswersNotSeen"
    SCALED = "Scaled"
    AUTOSCALED = "Autoscaled"
    AUTOSCALER_AWAITED = "AutoscalerAwaited"
    AUTOSCALER_CONFLICT = "AutoscalerConflict"
    AUTOSCALER_IDLE = "AutoscalerIdle"


Word = Reason | Code
"""What a condition or an Event may say as its reason."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """`said_of` is the condition and its status, or Event."""

    said_of: str
    means: str
    advice: str = ""


_READY: Final = "Ready=True"
_UNKNOWN: Final = "Ready=Unknown"
_FALSE: Final = "Ready=False"

MEANINGS: Final[dict[Reason, Meaning]] = {
    Reason.RUNNING: Meaning(_READY, "all pods run the plan of this generation and answer"),
    Reason.SCALED_TO_ZERO: Meaning(_READY, "`spec.replicas` is 0"),
    Reason.VALID: Meaning(_READY, "a Connector or Mapping without mistakes; its tests pass"),
    Reason.ROLLING_OUT: Meaning(
        _UNKNOWN, "pods come up; the message says how many, and why one does not", "wait"
    ),
    Reason.SECRET_NOT_FOUND: Meaning(
        _FALSE, "a Secret or a key of one is missing", "make it; pods go on by themselves"
    ),
    Reason.PAUSED: Meaning(_FALSE, "`spec.paused` is true", "set it to false"),
    Reason.NAME_CONFLICT: Meaning(
        _FALSE,
        "an object of somebody else has a name that the Route needs",
        "delete it, or rename the Route",
    ),
    Reason.CHILD_REFUSED: Meaning(
        _FALSE, "the API server refuses a child as it is", "read the message"
    ),
    Reason.CHILD_FORBIDDEN: Meaning(
        _FALSE, "the API server forbids a child, for instance for a quota", "read the message"
    ),
    Reason.PROGRESS_DEADLINE_EXCEEDED: Meaning(
        _FALSE, "pods did not come up in ten minutes", "`kubectl describe` a pod"
    ),
    Reason.PLAN_UNUSABLE: Meaning(
        _FALSE, "the runtime image cannot read the plan", "use a newer `runtime.image`"
    ),
    Reason.RESOLVED: Meaning("ReferencesResolved=True", "everything that it names is there"),
    Reason.MOUNTED: Meaning(
        "ReferencesResolved=True", "pods have all Secret keys that the Connector names"
    ),
    Reason.NOT_MOUNTED: Meaning(
        "ReferencesResolved=Unknown", "no pod has told of the Connector's Secrets yet"
    ),
    Reason.AVAILABLE: Meaning("WorkloadAvailable=True", "all pods that are wanted answer"),
    Reason.UNAVAILABLE: Meaning("WorkloadAvailable=False", "fewer pods answer than are wanted"),
    Reason.CONTRACT_READ: Meaning(
        "ContractReadable=True", "the OpenAPI document that the Connector names was read"
    ),
    Reason.CONTRACT_KEPT: Meaning(
        "ContractFits=True", "all calls of the Route fit the contracts of its Connectors"
    ),
    Reason.SCHEMA_DRIFT: Meaning(
        "SchemaDrift=True, Event",
        "answers that pods get are not as a vendor's document says: fields are new, missing or of "
        "another type; the Route goes on, and Ready says nothing of it",
        "ask the vendor, or take up the new document; see [contracts](../how-to/contracts.md)",
    ),
    Reason.ANSWERS_FIT: Meaning(
        "SchemaDrift=False, Event", "the answers that pods looked at are as the documents say"
    ),
    Reason.ANSWERS_NOT_SEEN: Meaning(
        "SchemaDrift=Unknown",
        "no pod has looked at an answer yet, or none can be asked",
        "wait for calls; where it stays, see [contracts](../how-to/contracts.md)",
    ),
    Reason.SCALED: Meaning("Event", "the Route has another count of pods; the message says which"),
    Reason.AUTOSCALED: Meaning(
        "ScalingActive=True", "the autoscaler of `spec.autoscaling` scales; between which counts"
    ),
    Reason.AUTOSCALER_AWAITED: Meaning(
        "ScalingActive=Unknown", "the autoscaler of `spec.autoscaling` is not there yet", "wait"
    ),
    Reason.AUTOSCALER_CONFLICT: Meaning(
        "ScalingActive=False",
        "an autoscaler of somebody else scales the same pods, so the Route's own is not made; pods "
        "go on",
        "delete that one, or remove `spec.autoscaling`",
    ),
    Reason.AUTOSCALER_IDLE: Meaning(
        "ScalingActive=False",
        "the autoscaler cannot scale, for instance for want of metrics; the message has its reason",
        "`kubectl describe hpa`; see [scale](../how-to/operate.md#scale)",
    ),
}

MISTAKES: Final[dict[Code, Meaning]] = {
    Code.CONNECTOR_NOT_FOUND: Meaning(
        _FALSE, "a Connector that it names is not there", "apply it; the Route goes on by itself"
    ),
    Code.MAPPING_NOT_FOUND: Meaning(
        _FALSE, "a Mapping that it names is not there", "apply it; the Route goes on by itself"
    ),
    Code.ROUTE_NOT_FOUND: Meaning(
        _FALSE, "the Route that feeds it is not there", "apply it; the Route goes on by itself"
    ),
    Code.JOURNAL_NOT_CONFIGURED: Meaning(
        _FALSE,
        "the Route keeps messages and the operator knows no database; pods that run go on",
        "set `journal.postgres.secretName` of the chart, see "
        "[install](../how-to/install.md#a-journal)",
    ),
    Code.CONTRACT_UNREADABLE: Meaning(
        "ContractReadable=False",
        "the OpenAPI document that the Connector names is missing or is none; Routes go on",
        "see the message; the document is looked for every ten minutes",
    ),
    Code.CONTRACT_MISMATCH: Meaning(
        "ContractFits=False",
        "a call, or a field that is read of an answer, is not in the vendor's document; the Route "
        "goes on",
        "see [contracts](../how-to/contracts.md)",
    ),
    Code.PLAN_TOO_LARGE: Meaning(
        _FALSE, "the Route and its Mappings are more than a ConfigMap holds", "split the Route"
    ),
    Code.GATEWAY_API_MISSING: Meaning(
        _FALSE,
        "`spec.expose` wants an HTTPRoute and the cluster does not serve that kind",
        "install the Gateway API, or leave `gateway` of the chart unset",
    ),
}
"""Mistakes of which more is to be said; all others name a field in the message."""
