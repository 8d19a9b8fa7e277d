"""The small answers that the server gives by itself: RFC 9457 problem documents.

Each says what is wrong with the request and nothing about us.
"""

import json
from http import HTTPStatus

from isthmus_runtime.http import messages

CONTENT_TYPE = b"application/problem+json"


def problem(
    status: int, detail: str = "", headers: list[messages.Header] | None = None
) -> messages.Response:
    """Return a problem document for a status, with what the client should change as its detail."""
    document = {"type": "about:blank", "title": _title(status), "status": status}
    if detail:
        document["detail"] = detail
    return messages.Response(
        status,
        [(b"content-type", CONTENT_TYPE), *(headers or [])],
        json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode(),
    )


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
