"""Webhook: an HTTP endpoint that takes messages and answers when they are safe."""

from typing import Annotated, Literal

from pydantic import Field

from isthmus_api.caller_limit import CallerLimit
from isthmus_api.http import HeaderName, Method, ServedPath
from isthmus_api.model import FreeForm, Model, Text, WholeExpression
from isthmus_api.proofs import TRUSTED_PROXIES, Networks
from isthmus_api.quantities import Size
from isthmus_api.rules import Rule
from isthmus_api.step import Respond
from isthmus_api.verification import Verification


class Reply(Model):
    """What the sender gets once its messages are in the journal."""

    status: Annotated[int, Field(ge=200, le=299)] = Field(202, description="The HTTP status.")
    headers: dict[HeaderName, Text] = Field({}, max_length=32, description="Response headers.")
    body: FreeForm = Field(
        None,
        description="The response body; `$` is the body of the request and `$messages` the list "
        "of the messages made of it, each with `id` and `key`. Left out, "
        '`{"accepted": $count($messages)}`.',
    )


class Challenge(Model):
    """A request by which the sender makes sure that it reaches the right one.

    It is answered without verification and makes no message.
    """

    method: Method | None = Field(
        None, description="Method of such a request; left out, that of the webhook."
    )
    when: WholeExpression = Field(
        description="Whether a request is one, such as `{% $exists($request.query.challenge) %}`."
    )
    respond: Respond = Field(description="What the sender gets.")


_VERIFIED_OR_OPEN = Rule(
    cel="has(self.verify) != (has(self.open) && self.open)",
    message="either verify must be set, or open: true",
    holds=lambda written: ("verify" in written) != (written.get("open") is True),
    fields=("verify", "open"),
)


class WebhookSource(Model):
    """An HTTP endpoint that writes what it gets into the journal, and only then says so."""

    rules = (_VERIFIED_OR_OPEN,)

    method: Method = Field("POST", description="The method that senders use.")
    path: ServedPath = Field(
        description="The path that senders use; a segment `{id}` is read as `$request.params.id`."
    )
    max_body: Size = Field(
        Size("1Mi"), description="The largest request body; a larger one is answered with 413."
    )
    body: Literal["json", "form", "text"] | None = Field(
        None,
        description="What senders write. `json`: JSON. `form`: a form of a web page "
        "(`application/x-www-form-urlencoded`), which becomes an object of strings, with a list "
        "where a name comes several times. `text`: `text/plain`, which becomes a string. What has "
        "another content type is answered with 415. Left out, a body is kept as it came, and "
        "rejected by the delivery where a step reads it and it is no JSON.",
    )
    verify: Verification | None = Field(
        None,
        description="What must hold of a request before it is taken; otherwise it is answered "
        "with 401 or 403 and leaves nothing behind.",
    )
    open: bool = Field(False, description="Say that anybody who reaches the path may send.")
    trusted_proxies: Networks | None = Field(None, description=TRUSTED_PROXIES)
    limits: CallerLimit | None = Field(None, description="How often each sender may send.")
    split: WholeExpression | None = Field(
        None,
        description="A list in the body; each element becomes a message. Left out, the body is "
        "one message.",
    )
    reply: Reply | None = Field(
        None, description="What the sender gets; left out, 202 and how many messages it were."
    )
    challenge: Challenge | None = Field(
        None, description="A request by which the sender makes sure that it reaches the right one."
    )

    @property
    def verification(self) -> Verification | None:
        """Who may call it; nothing where anybody may."""
        return self.verify
