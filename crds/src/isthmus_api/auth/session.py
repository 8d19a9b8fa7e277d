"""Session: a log-in call, and what its answer gives the calls after it."""

from typing import Annotated, Literal

from pydantic import Field

from isthmus_api.http import HeaderName
from isthmus_api.model import (
    FreeForm,
    Items,
    Model,
    SecretValue,
    Text,
    Variable,
    WholeExpression,
)
from isthmus_api.quantities import Duration
from isthmus_api.rules import at_least_one_of, at_most_one_of, needs

NamedSecrets = Annotated[dict[Variable, SecretValue], Field(max_length=16)]
"""Values of Secrets that templates read as `$secrets.NAME`."""

Cookie = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", max_length=128, description="A cookie's name."),
]


class LogIn(Model):
    """The log-in call. Its templates read `$secrets`."""

    rules = (at_most_one_of("body", "form"),)

    method: Literal["GET", "POST", "PUT"] = Field("POST", description="The method.")
    path: Annotated[str, Field(pattern=r"^(/[^\s{}#]*)?$", max_length=2048)] = Field(
        description="Path and query, appended to the baseUrl."
    )
    headers: dict[HeaderName, Text] = Field({}, max_length=32, description="Headers.")
    body: FreeForm = Field(None, description="The body, sent as JSON.")
    form: dict[str, Text] | None = Field(
        None, max_length=32, description="The body, sent as a form in URL encoding."
    )


class Session(Model):
    """A log-in call, whose answer lets the calls after it in.

    It is made once for all waiting calls, and again after a 401. The same call is then sent once
    more.
    """

    rules = (at_least_one_of("token", "cookies"), needs("token", "headers"))

    secrets: NamedSecrets = Field({}, description="Values that templates read as `$secrets.NAME`.")
    login: LogIn = Field(description="The log-in call.")
    token: WholeExpression | None = Field(
        None,
        description="The token, read from the body of the log-in's answer or from its `$headers`. "
        "`headers` read it as `$token`.",
    )
    cookies: Annotated[Items[Cookie], Field(min_length=1, max_length=16)] | None = Field(
        None, description="Cookies that the log-in sets and that each call sends back."
    )
    headers: Annotated[dict[HeaderName, Text], Field(min_length=1, max_length=8)] | None = Field(
        None,
        description="Headers of each call; templates read `$token` and `$secrets`.",
    )
    lifetime: Duration | None = Field(
        None, description="How long a session lasts at least; a new one is made before that."
    )
    expired_when: WholeExpression | None = Field(
        None,
        description="Says of an answer that the session has ended, beside a 401. It reads "
        "`$status` and `$headers`, and the body where that is JSON.",
    )
