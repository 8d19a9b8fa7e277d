"""What the API server refuses, as exceptions.

ApiError            any answer that is no success, or no answer at all (status 0)
    Refused         422, 400: the object itself is wrong; the same again will fail again
    Forbidden       401, 403
    NotFound        404
    Conflict        409
    Gone            410: a resourceVersion or continue token is too old; list again
    Busy            429, 503: come back after `after` seconds
"""

from typing import Any, Final

MAX_MESSAGE: Final = 500


class ApiError(Exception):
    """An answer that is no success. `status` is the HTTP status, 0 without an answer."""

    def __init__(self, status: int, reason: str, message: str, *, after: float = 0.0) -> None:
        super().__init__(message[:MAX_MESSAGE])
        self.status = status
        self.reason = reason
        self.after = after
        """Seconds the server asks to wait before the next try."""


class Refused(ApiError):
    """The object is wrong."""


class Forbidden(ApiError):
    """The operator may not do this."""


class NotFound(ApiError):
    """There is no such object, kind or namespace."""


class Conflict(ApiError):
    """Another writer was first, or another owns the fields."""


class Gone(ApiError):
    """The place in history is no longer kept."""


class Busy(ApiError):
    """The server wants less."""


_BY_STATUS: Final[dict[int, type[ApiError]]] = {
    400: Refused,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    422: Refused,
    429: Busy,
    503: Busy,
}


def of(status: int, body: Any, *, after: float = 0.0) -> ApiError:
    """The exception for an answer; `body` is the Status object that came, or anything else."""
    said = body if isinstance(body, dict) else {}
    kind = _BY_STATUS.get(status, ApiError)
    return kind(
        status,
        str(said.get("reason") or f"Http{status}"),
        str(said.get("message") or f"the API server answered {status}"),
        after=after,
    )
