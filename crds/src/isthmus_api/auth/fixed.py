"""Fixed credentials: what a Secret holds is sent as it is."""

from typing import Annotated

from pydantic import Field

from isthmus_api.http import HeaderName
from isthmus_api.model import Model, SecretValue
from isthmus_api.rules import exactly_one_of


class BasicAuth(Model):
    """HTTP Basic (RFC 7617)."""

    username: SecretValue = Field(description="The user name.")
    password: SecretValue = Field(description="The password.")


class BearerAuth(Model):
    """A fixed bearer token (RFC 6750)."""

    token: SecretValue = Field(description="The token, without the word Bearer.")


class ApiKeyAuth(Model):
    """A key in a header or in the query."""

    rules = (exactly_one_of("header", "query"),)

    header: HeaderName | None = Field(None, description="Header that carries the key.")
    query: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(
        None, description="Query parameter that carries the key."
    )
    value: SecretValue = Field(description="The key.")
