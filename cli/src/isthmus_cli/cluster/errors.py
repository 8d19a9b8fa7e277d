"""Errors of the API server, as people can act on them.

NoCluster       there is no way to the cluster, or it does not do what was asked
    Away        it gives no answer
    Refused     it answers, and refuses; `status` is that of HTTP
        NotFound    there is no such object, or no such kind
        Expired     a list went on for too long
    Unready     it was understood, and cannot be done now
"""

import json
from dataclasses import dataclass
from typing import Any, Final

_TOO_MANY: Final = 429
_EXPIRED: Final = 410


class NoCluster(Exception):
    """The cluster does not do what was asked; the message says what to do about it."""

    passes = False
    """Whether to ask again may help, without anybody doing something."""
    code = 2
    """What a command ends with: it could not ask."""


class Away(NoCluster):
    """The API server gives no answer."""

    passes = True


class Refused(NoCluster):
    """The API server refuses a request."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status
        self.passes = status >= 500 or status == _TOO_MANY


class NotFound(Refused):
    """There is no such object, or no such kind."""


class Expired(Refused):
    """The server has forgotten what it listed from, some minutes ago; `rest` lists on, or all."""

    def __init__(self, message: str, *, status: int, rest: str) -> None:
        super().__init__(message, status=status)
        self.rest = rest


class Unready(NoCluster):
    """The cluster was asked, and what it has does not allow what is to be done."""

    code = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request needs, in the words of RBAC."""

    verb: str
    resource: str
    namespace: str | None
    """None: of all namespaces."""
    name: str = ""

    @property
    def place(self) -> str:
        """Where it needs it."""
        return f"the namespace {self.namespace}" if self.namespace else "all namespaces"


def refused(asked: Asked, status: int, body: Any) -> Refused:
    """The error for an answer that is no success."""
    told = said(body) or f"HTTP {status}"
    if status == 401:
        return Refused(
            "the API server does not know you: sign in again, or choose another --context",
            status=status,
        )
    if status == 403:
        return Refused(
            f"you may not do that: it needs {asked.verb} on {asked.resource} in {asked.place} "
            f"({told})",
            status=status,
        )
    if status == 404:
        return NotFound(_absent(asked, told), status=status)
    if status == _EXPIRED:
        return Expired(f"the API server refuses: {told}", status=status, rest=_rest(body))
    return Refused(f"the API server refuses: {told}", status=status)


def _absent(asked: Asked, told: str) -> str:
    if asked.name:
        return f"there is no {asked.resource}/{asked.name} in {asked.place} ({told})"
    return (
        f"this cluster has no {asked.resource} ({told}); install the chart, or choose another "
        "--context"
    )


def _rest(body: Any) -> str:
    """The token that lists on from where a list was, of what is there now."""
    try:
        return str(json.loads(body)["metadata"].get("continue") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def said(body: Any) -> str:
    """What the API server says, without headers."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body or "")
        return text.strip()[:500]
