"""Proofs: the ways in which a caller shows who it is, one model each."""

from typing import Annotated, Final, Literal

from pydantic import Field

from isthmus_api.http import HeaderName
from isthmus_api.model import (
    FreeFormObject,
    Items,
    Model,
    Name,
    PlainText,
    SecretValue,
    Text,
    WholeExpression,
)
from isthmus_api.quantities import Duration
from isthmus_api.rules import exactly_one_of

Network = Annotated[
    str,
    Field(
        pattern=r"^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$",
        max_length=43,
        description="An address, or a network such as 203.0.113.0/24.",
    ),
]
"""An IP address or a network in CIDR notation."""

Networks = Annotated[Items[Network], Field(min_length=1, max_length=64)]

TRUSTED_PROXIES: Final = (
    "Proxies in front of the Route. The address of a request that comes through one is the last in "
    "X-Forwarded-For that is none of them."
)


class NamedSecret(Model):
    """What one caller shows, and the name that it goes by in logs, metrics and
    `$request.caller.name`."""

    name: Name = Field(description="Name of the caller.")
    value: SecretValue = Field(description="What it shows.")


class ApiKeys(Model):
    """Keys in a header or in the query, one for each caller."""

    rules = (exactly_one_of("header", "query"),)

    header: HeaderName | None = Field(None, description="Header that carries the key.")
    query: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(
        None, description="Query parameter that carries the key."
    )
    keys: Items[NamedSecret] = Field(
        min_length=1, max_length=64, description="The keys that are accepted."
    )


class BearerTokens(Model):
    """Fixed bearer tokens (RFC 6750), one for each caller."""

    tokens: Items[NamedSecret] = Field(
        min_length=1,
        max_length=64,
        description="The tokens that are accepted, without the word Bearer.",
    )


class NamedUser(Model):
    """A user, and the name that it goes by in logs, metrics and `$request.caller.name`."""

    name: Name = Field(description="Name of the caller.")
    username: SecretValue = Field(description="The user name.")
    password: SecretValue = Field(description="The password.")


class BasicUsers(Model):
    """HTTP Basic (RFC 7617)."""

    users: Items[NamedUser] = Field(
        min_length=1, max_length=64, description="The users that are accepted."
    )


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
    second_secret: SecretValue | None = Field(
        None,
        description="A secret that is accepted as well, while the sender changes from one to the "
        "other.",
    )
    secret_encoding: Literal["text", "hex", "base64"] = Field(
        "text", description="How the key is written in the Secret."
    )


SignatureAlgorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
"""Signatures by a private key, checked with a public one (RFC 7518, RFC 8037); no other is taken,
so a public key can never be used as the secret of an HMAC."""


class Jwt(Model):
    """A signed token (RFC 7519) in `Authorization: Bearer`. It must say when it ends (`exp`)."""

    rules = (exactly_one_of("jwksUrl", "keys"),)

    issuer: Annotated[str, Field(min_length=1, max_length=2048)] = Field(
        description="What its `iss` must be."
    )
    audience: Items[
        Annotated[str, Field(min_length=1, max_length=2048, description="An audience.")]
    ] = Field(min_length=1, max_length=16, description="What its `aud` must hold one of.")
    algorithms: Items[
        Annotated[SignatureAlgorithm, Field(description="An algorithm of RFC 7518 or RFC 8037.")]
    ] = Field(
        ("RS256", "ES256"),
        min_length=1,
        max_length=10,
        description="How it may be signed; what the token says is compared with this list. "
        "Left out, RS256 or ES256.",
    )
    jwks_url: (
        Annotated[
            str,
            Field(
                pattern=r"^https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?"
                r"(/[!-\"$-~]*)?$",
                max_length=2048,
            ),
        ]
        | None
    ) = Field(
        None,
        description="Where the issuer publishes its public keys (RFC 7517). They are fetched when "
        "first needed, again every ten minutes, and for a key id that is not known, at most once a "
        "minute; while they cannot be had, those known are used.",
    )
    keys: Annotated[Items[FreeFormObject], Field(min_length=1, max_length=32)] | None = Field(
        None, description="The issuer's public keys themselves, as JWKs."
    )
    claims: dict[
        Annotated[str, Field(min_length=1, max_length=128)],
        Annotated[
            Items[PlainText], Field(max_length=64, description="Values; none stands for any.")
        ],
    ] = Field(
        {},
        max_length=32,
        description="Claims that it must have, each with the values of which it must be, or hold, "
        "one; an empty list takes any value. The words of `scope` are looked at one by one. "
        "Otherwise the answer is 403.",
    )
    leeway: Duration = Field(
        Duration("30s"), description="How far clocks may be apart where it says times."
    )


class NamedCertificate(Model):
    """A client certificate, and the name that its owner goes by in logs, metrics and
    `$request.caller.name`."""

    name: Name = Field(description="Name of the caller.")
    value: PlainText = Field(
        description="What the header says of it, letter by letter: its subject or fingerprint."
    )


class HeaderValue(Model):
    """A header that must be there."""

    header: HeaderName = Field(description="The header.")
    value: PlainText = Field(description="Its value.")


class ClientCertificate(Model):
    """A client certificate that an ingress has verified, and tells of in a header.

    The ingress must remove that header from what callers send. Elsewhere than from its networks
    the header is not believed.
    """

    header: HeaderName = Field(
        description="Header in which the ingress says whose certificate it is."
    )
    ingress: Networks = Field(
        description="Networks of the ingress: requests must come from there, as the connection's "
        "own address."
    )
    verified: HeaderValue | None = Field(
        None,
        description="A header by which the ingress says that it verified the certificate, such as "
        "{header: Ssl-Client-Verify, value: SUCCESS}.",
    )
    certificates: Items[NamedCertificate] = Field(
        min_length=1, max_length=64, description="The certificates that are accepted."
    )
