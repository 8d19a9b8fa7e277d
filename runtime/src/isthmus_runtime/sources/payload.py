"""Payload: the body of a request as the webhook says that senders write it.

What is signed are the bytes of the request; only what is a message is read as something else.
"""

from collections.abc import Callable
from typing import Final, Literal
from urllib.parse import parse_qsl

from isthmus_runtime import charsets
from isthmus_runtime.body import Body, is_json
from isthmus_runtime.exchange import collected
from isthmus_runtime.faults import Rejected
from isthmus_runtime.http.messages import Request, header

Kind = Literal["json", "form", "text"]
Read = Callable[[Request], Body]

_FORM: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 10_000


def reader(kind: Kind) -> Read:
    """What reads the body of a request; `Rejected` where it is of another kind."""
    return {"json": _json, "form": _form, "text": _text}[kind]


def _json(request: Request) -> Body:
    written = header(request.head.headers, b"content-type") or b""
    if not is_json(written):
        raise _unsupported(_media(request)[0], "application/json")
    return Body(request.body, content_type=written)


def _form(request: Request) -> Body:
    """An object of strings; a name that comes several times has the list of its values."""
    media = _media(request)[0]
    if media != _FORM:
        raise _unsupported(media, _FORM)
    try:
        pairs = parse_qsl(
            request.body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError as error:  # no ASCII, no UTF-8, or too many fields
        detail = f"the request has a form that is none, or more than {_MOST_FIELDS:,} fields"
        raise Rejected("InvalidForm", detail, 400) from error
    return Body.of(collected(pairs))


def _text(request: Request) -> Body:
    """A string."""
    media, charset = _media(request)
    if media != "text/plain":
        raise _unsupported(media, "text/plain")
    if not charsets.is_known(charset):
        raise _unsupported(f"the charset {charset}", f"one of {', '.join(charsets.KNOWN)}")
    try:
        return Body.of(charsets.decoded(request.body, charset))
    except UnicodeDecodeError as error:
        detail = f"the request has a text that is not in its charset, {charset}"
        raise Rejected("InvalidText", detail, 400) from error


def _media(request: Request) -> tuple[str, str]:
    """The media type, and the charset."""
    return charsets.media(header(request.head.headers, b"content-type") or b"")


def _unsupported(found: str, wanted: str) -> Rejected:
    detail = f"the request has {found or 'no content type'} where {wanted} is needed"
    return Rejected("UnsupportedMediaType", detail, 415)
