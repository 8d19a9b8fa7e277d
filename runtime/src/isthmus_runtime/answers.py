"""Answers: what a system answered, read as its Connector or the call says, and judged by it."""

import base64
from collections.abc import Callable
from typing import Any, Final

from isthmus_api.answer import Answer
from isthmus_api.expressions.engine import ExpressionError
from isthmus_runtime import charsets, faults, tracing
from isthmus_runtime.body import JSON, Body
from isthmus_runtime.exchange import Exchange, collected
from isthmus_runtime.faults import Upstream
from isthmus_runtime.http.messages import Response, header
from isthmus_runtime.steps.bound import Binder

Read = Callable[[Response], Body]
"""The body of an answer; `Upstream` where it is not what it should be."""
Judge = Callable[[Response], Upstream | None]
"""The failure that an answer of 2xx tells of."""

_NO_DEADLINE: Final = float("inf")
_LONGEST: Final = 500


def reader(spec: Answer | None, connector: str) -> Read:
    """What reads the answers of a call."""
    kind = spec.as_ if spec else None
    charset = spec.charset if spec else None

    def plain(answer: Response) -> Body:
        return Body(answer.body, content_type=_content_type(answer), connector=connector)

    def json(answer: Response) -> Body:
        written = charset or charsets.media(_content_type(answer))[1]
        text = answer.body
        if written not in ("utf-8", "us-ascii") or text.startswith(b"\xef\xbb\xbf"):
            text = _text(text, written, connector).encode()
        return Body(text, content_type=JSON, connector=connector)

    def text(answer: Response) -> Body:
        written = charset or charsets.media(_content_type(answer))[1]
        return Body.of(_text(answer.body, written, connector))

    def as_base64(answer: Response) -> Body:
        return Body.of(base64.b64encode(answer.body).decode())

    if kind is None:
        return json if charset else plain
    return {"json": json, "text": text, "base64": as_base64}[kind]


def judge(spec: Answer | None, connector: str, binder: Binder) -> Judge | None:
    """What finds the failure in an answer; nothing where nobody says what one is. What is said to
    be JSON must be, whether or not a step reads it."""
    if spec is None or (spec.fail_when is None and spec.as_ != "json"):
        return None
    read = reader(spec, connector)
    fails = binder.template(spec.fail_when) if spec.fail_when else None

    def judged(answer: Response) -> Upstream | None:
        body = read(answer)
        body.value  # noqa: B018 - a fault where it cannot be read
        if fails is None:
            return None
        x = Exchange(
            body,
            variables={"status": answer.status, "headers": _fields(answer)},
            deadline=_NO_DEADLINE,
            trace=tracing.of([]),
        )
        try:
            told = fails.value(x)
        except ExpressionError as error:
            raise faults.from_expression(error) from error
        return _failure(told, answer, connector)

    return judged


def _failure(told: Any, answer: Response, connector: str) -> Upstream | None:
    """What `failWhen` came to, as a fault; its text is of the answer, and so not for everybody."""
    if told is None or told is False or told in ("", [], {}):
        return None
    said = told if isinstance(told, dict) else {"message": told if isinstance(told, str) else ""}
    outward = f"{connector} answered {answer.status} with a failure in it"
    message = str(said.get("message") or "")[:_LONGEST]
    return Upstream(
        "FailureAnswered",
        f"{outward}: {message}" if message else outward,
        outward=outward,
        connector=connector,
        answered=answer.status,
        answer=answer,
        passing=said.get("retry") is True,
    )


def _text(text: bytes, charset: str, connector: str) -> str:
    if not charsets.is_known(charset):
        detail = f"{connector} answered in the charset {charset[:40]}, which is not read"
        raise Upstream("InvalidAnswer", detail, connector=connector)
    try:
        return charsets.decoded(text, charset)
    except UnicodeDecodeError as error:
        detail = f"{connector} answered what is not in the charset {charset}"
        raise Upstream("InvalidAnswer", detail, connector=connector) from error


def _content_type(answer: Response) -> bytes:
    return header(answer.headers, b"content-type") or b""


def _fields(answer: Response) -> dict[str, Any]:
    return collected(
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers]
    )
