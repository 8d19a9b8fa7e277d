"""HMAC: each call carries a signature over itself that only who knows the secret can make."""

from typing import Annotated, Literal

from pydantic import Field

from isthmus_api.auth.session import NamedSecrets
from isthmus_api.http import HeaderName
from isthmus_api.model import Model, SecretValue, Text
from isthmus_api.rules import at_least_one_of


class BodyHash(Model):
    """A hash of the body, for systems that have that signed in place of the body."""

    algorithm: Literal["sha256", "sha512", "sha1", "md5"] = Field("sha256", description="The hash.")
    encoding: Literal["hex", "base64"] = Field("hex", description="How it is written.")


class HmacAuth(Model):
    """A signature over each call (RFC 2104), made anew for each attempt.

    Templates read `$method`, `$host`, `$path` and `$query` (as they are sent), `$parameters` (those
    of the query, decoded), `$headers`, `$body`, `$bodyHash`, `$timestamp`, `$nonce` (32 hexadecimal
    digits, new each time) and `$secrets`.
    """

    rules = (at_least_one_of("headers", "query"),)

    secret: SecretValue = Field(description="The secret that both sides know.")
    secret_encoding: Literal["text", "hex", "base64"] = Field(
        "text", description="How the key is written in the Secret."
    )
    secrets: NamedSecrets = Field({}, description="Values that templates read as `$secrets.NAME`.")
    algorithm: Literal["sha256", "sha512", "sha1"] = Field(
        "sha256", description="The hash that the signature is made with."
    )
    encoding: Literal["hex", "base64"] = Field("hex", description="How the signature is written.")
    signed: Annotated[Text, Field(min_length=1)] = Field(
        description="What is signed, as a template."
    )
    timestamp: Literal["seconds", "milliseconds", "iso8601"] = Field(
        "seconds", description="How `$timestamp` is written: Unix time, or as 2026-01-31T12:00:00Z."
    )
    body_hash: BodyHash | None = Field(
        None, description="How `$bodyHash` is made; left out, SHA-256 in hexadecimal digits."
    )
    headers: Annotated[dict[HeaderName, Text], Field(min_length=1, max_length=8)] | None = Field(
        None, description="Headers of each call; templates read `$signature` too."
    )
    query: (
        Annotated[
            dict[Annotated[str, Field(min_length=1, max_length=128)], Text],
            Field(min_length=1, max_length=8),
        ]
        | None
    ) = Field(None, description="Parameters of each call; templates read `$signature` too.")
