"""Every error of the services as a problem document (RFC 9457), whatever raised it.

Handlers raise Starlette's `HTTPException`; an application that is built with `HANDLERS`
answers it, an unknown path and an unexpected error in the same form.
"""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ExceptionHandler


def response(
    status: int,
    detail: str,
    *,
    title: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with a problem; without a title it takes the name of the HTTP status."""
    return JSONResponse(
        {
            "type": "about:blank",
            "title": title or _phrase(status),
            "status": status,
            "detail": detail,
        },
        status_code=status,
        headers=headers,
        media_type="application/problem+json",
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"HTTP {status}"


def _expected(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    detail = error.detail
    if detail == _phrase(error.status_code):  # nobody said more than the status itself
        detail = f"{request.method} {request.url.path} cannot be answered."
    return response(error.status_code, detail, headers=error.headers)


def _unexpected(_request: Request, _error: Exception) -> Response:
    return response(500, "Something broke here. The log of the service says what.")


HANDLERS: Mapping[int | type[Exception], ExceptionHandler] = {
    HTTPException: _expected,
    Exception: _unexpected,
}
