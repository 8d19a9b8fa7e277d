"""Verification: how a webhook proves that it comes from who it says."""

from typing import Annotated, Literal

from pydantic import Field

from isthmus_api.auth import ApiKeyAuth, BasicAuth, BearerAuth
from isthmus_api.http import HeaderName
from isthmus_api.model import Items, Model, SecretValue, Text, WholeExpression
from isthmus_api.quantities import Duration
from isthmus_api.rules import at_least_one_of, only_with

Network = Annotated[
    str,
    Field(
        pattern=r"^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$",
        max_length=43,
        description="An address, or a network such as 203.0.113.0/24.",
    ),
]
"""An IP address or a network in CIDR notation."""


class Hmac(Model):
    """A signature over the request that only who knows the secret can make (RFC 2104).

    Several signatures in the header, with spaces or commas between them, are tried one by one, so a
    sender may change its secret.
    """

    header: HeaderName = Field(description="Header that carries the signature.")
    algorithm: Literal["sha256", "sha512", "sha1"] = Field(
        "sha256", description="The hash that the signature is made with."
    )
    encoding: Literal["hex", "base64"] = Field(
        "hex", description="How the signature is written in the header."
    )
    prefix: Annotated[str, Field(pattern=r"^[!-~]*$", max_length=32)] = Field(
        "", description="What stands before the signature, such as `sha256=` or `v1,`."
    )
    signed: Text | None = Field(
        None,
        description="What is signed, as a template that reads `$body` (the body as it came), "
        "`$timestamp` and `$request`. Left out, the body.",
    )
    timestamp: WholeExpression | None = Field(
        None,
        description="When the request was signed: Unix seconds or milliseconds, or an RFC 3339 "
        "time, read from `$request`. Bound to `$timestamp`, which `signed` must hold.",
    )
    tolerance: Duration = Field(
        Duration("5m"), description="How far the timestamp may be from now, in both directions."
    )
    secret: SecretValue = Field(description="The secret that both sides know.")
    secret_encoding: Literal["text", "hex", "base64"] = Field(
        "text", description="How the key is written in the Secret."
    )


class Verification(Model):
    """What must hold of a request before it is taken: everything that is given here."""

    rules = (
        at_least_one_of("hmac", "bearer", "basic", "apiKey", "allowFrom"),
        only_with("trustedProxies", "allowFrom"),
    )

    hmac: Hmac | None = Field(None, description="A signature over the request.")
    bearer: BearerAuth | None = Field(None, description="A fixed bearer token.")
    basic: BasicAuth | None = Field(None, description="HTTP Basic.")
    api_key: ApiKeyAuth | None = Field(None, description="A key in a header or in the query.")
    allow_from: Annotated[Items[Network], Field(min_length=1, max_length=64)] | None = Field(
        None, description="Addresses that requests may come from."
    )
    trusted_proxies: Annotated[Items[Network], Field(min_length=1, max_length=64)] | None = Field(
        None,
        description="Proxies in front of the Route. A request that comes through one is judged by "
        "the last address in X-Forwarded-For that is none of them.",
    )
