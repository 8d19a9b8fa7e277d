"""Faults: how a message can fail, and the answer its caller gets.

    Fault                  one message failed; status, reason and detail say how
    ├── Rejected           the caller's mistake (4xx): trying again changes nothing
    ├── Broken             our manifests' mistake (500): an expression or a mapping failed
    └── Upstream           a connector did not deliver (502, 504); may pass
A fault becomes a problem document (RFC 9457). Its texts are written for the caller: no stack
trace, no address of a system behind us, never a secret.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson

from isthmus_api.compiled_schema import Misfits, told
from isthmus_api.expressions.engine import (
    GUARD_CODES,
    ExpressionError,
    GuardExceeded,
    SchemaMisfit,
    Side,
)
from isthmus_runtime.http.messages import Header, Response

PROBLEM_JSON = (b"content-type", b"application/problem+json")


@dataclass(eq=False)
class Fault(Exception):
    """One message failed. `reason` is a CamelCase word from a bounded set, fit for a label.

    `headers` go with the answer, such as when to come back. `caller` is who called, for our log.
    """

    reason: str
    detail: str
    status: int = 500
    step: str = ""
    connector: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    headers: tuple[Header, ...] = ()
    caller: str = ""

    def __post_init__(self) -> None:
        super().__init__(self.detail)

    @property
    def outward(self) -> str:
        """The detail for callers and logs: it holds nothing of the message."""
        return self.detail

    def variables(self) -> dict[str, Any]:
        """What `$failure` is in an `onError`."""
        return {"reason": self.reason, "message": self.detail, "status": self.status}


class Rejected(Fault):
    """The caller sent something that this Route does not take."""


class Broken(Fault):
    """The Route's own manifests failed on this message.

    The engine's texts quote values of the message. They are for who wrote the expression (`detail`,
    `$failure.message`), not for callers and logs.
    """

    def __init__(self, reason: str, detail: str, *, outward: str = "") -> None:
        super().__init__(reason, detail)
        self._outward = outward or detail

    @property
    def outward(self) -> str:
        """The detail without values."""
        return self._outward


class Upstream(Fault):
    """A connector did not deliver.

    `answered` is the status it answered, if it did, and `answer` the whole; `passing` whether the
    failure may be gone at the next attempt; `sent` whether the call may have had an effect there;
    `retry_after` the seconds it asked us to wait; `outward` is the detail without what it said.
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        *,
        connector: str,
        status: int = 502,
        answered: int | None = None,
        answer: Response | None = None,
        passing: bool = False,
        sent: bool = True,
        retry_after: float | None = None,
        outward: str = "",
    ) -> None:
        super().__init__(reason, detail, status, connector=connector)
        self._outward = outward or detail
        self.answered = answered
        self.answer = answer
        self.passing = passing
        self.sent = sent
        self.retry_after = retry_after

    @property
    def outward(self) -> str:
        """The detail without what the connector said."""
        return self._outward

    def variables(self) -> dict[str, Any]:
        """What `$failure` is in an `onError`; `status` is what the connector answered, if any."""
        status = self.answered if self.answered is not None else self.status
        return {
            "reason": self.reason,
            "message": self.detail,
            "status": status,
            "connector": self.connector,
        }


def misfit(side: Side, mapping: str, misfits: Misfits, *, what: str = "") -> Fault:
    """What a Mapping was given is the sender's mistake, what it made is our own."""
    extra = {"errors": misfits}
    if side == "input":
        detail = f"{what or 'the body'} does not fit input.schema of the Mapping '{mapping}'"
        return Rejected("SchemaMismatch", f"{detail} at {told(misfits)}", 422, extra=extra)
    detail = f"{what or 'the result'} does not fit output.schema of the Mapping '{mapping}'"
    return Broken("ResultMismatch", f"{detail} at {told(misfits)}")


def out_of_time() -> Fault:
    """The deadline of the whole Route has passed."""
    return Fault("DeadlineExceeded", "the Route's time is over", 504)


_WITHOUT_VALUES = GUARD_CODES | {"TemplateRefused", "D3137", "D3141"}
"""Codes whose texts quote no value; what $error and $assert say is the author's own text."""


def from_expression(error: ExpressionError) -> Fault:
    """An expression failed on this message."""
    if isinstance(error, SchemaMisfit):
        what = "what $mapping hands over" if error.side == "input" else "a result for $mapping"
        return misfit(error.side, error.mapping, error.misfits, what=what)
    reason = "GuardExceeded" if isinstance(error, GuardExceeded) else "ExpressionFailed"
    if error.code in _WITHOUT_VALUES:
        return Broken(reason, str(error))
    place = "" if error.offset is None else f" (line {error.line}, column {error.column})"
    outward = f"an expression failed on this message{place} [{error.code}]"
    return Broken(reason, str(error), outward=outward)


_TITLES = {
    400: "Bad request",
    401: "Who calls is not known",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    413: "Request too large",
    415: "Unsupported media type",
    429: "Too many requests",
    422: "The request does not fit the schema",
    500: "The Route failed",
    502: "A system behind this Route failed",
    503: "Not ready",
    504: "A system behind this Route did not answer in time",
}


def response(
    fault: Fault, *, route: str = "", correlation_id: str = "", headers: tuple[Header, ...] = ()
) -> Response:
    """The fault as a problem document."""
    known = {
        "route": route,
        "step": fault.step,
        "connector": fault.connector,
        "correlationId": correlation_id,
    }
    document = {
        "type": f"urn:isthmus:problem:{fault.reason}",
        "title": _TITLES.get(fault.status, "The request failed"),
        "status": fault.status,
        "detail": fault.outward,
        **{key: value for key, value in known.items() if value},
        **fault.extra,
    }
    return Response(fault.status, [PROBLEM_JSON, *fault.headers, *headers], orjson.dumps(document))
