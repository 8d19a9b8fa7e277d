"""Answer: what a system's answer is read as, and when one that looks good is none."""

from typing import Literal

from pydantic import Field

from isthmus_api.model import Model, WholeExpression

Charset = Literal["utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252", "utf-16"]


class Answer(Model):
    """How answers of 2xx are taken."""

    as_: Literal["json", "text", "base64"] | None = Field(
        None,
        alias="as",
        description="What the body is read as, whatever its content type says: JSON, a text (for "
        "XML and CSV), or bytes in base64. Left out, JSON where the content type says so, and "
        "otherwise the body can be passed on and not be read.",
    )
    charset: Charset | None = Field(
        None,
        description="What a text or JSON is written in, whatever its content type says. Left out, "
        "what that says, or else UTF-8.",
    )
    fail_when: WholeExpression | None = Field(
        None,
        description="When an answer of 2xx is a failure all the same; `$` is its body, and there "
        "are `$status` and `$headers`. True fails the call, and so does a text, which says why. An "
        "object may hold `message`, and `retry: true` for what may pass.",
    )
