"""OAuth 2.0: a token from an authorization server, for whatever grant it gives one."""

from typing import Annotated, Literal

from pydantic import Field

from isthmus_api.model import Items, Model, PlainText, SecretValue
from isthmus_api.quantities import Duration
from isthmus_api.rules import at_least_one_of, at_most_one_of, needs
from isthmus_api.tls import Tls


class PasswordGrant(Model):
    """A user's name and password (RFC 6749, section 4.3)."""

    username: SecretValue = Field(description="The user name.")
    password: SecretValue = Field(description="The password.")


class RefreshTokenGrant(Model):
    """A refresh token that a person got when they gave their consent (RFC 6749, section 6).

    Where the server replaces it with each use, the newest one is kept: with `sharedToken` in the
    journal, otherwise in the memory of each replica, where that of the Secret is used after a
    restart. When the Secret changes, that of the Secret is used.
    """

    token: SecretValue = Field(description="The refresh token.")


class JwtBearerGrant(Model):
    """A statement about us that we sign with our own key (RFC 7523)."""

    algorithm: Literal["RS256", "ES256"] = Field(
        "RS256", description="How it is signed: with an RSA key or with one on the curve P-256."
    )
    private_key: SecretValue = Field(description="The private key, as PEM.")
    key_id: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        None, description="The key's name at the server (`kid`)."
    )
    issuer: Annotated[str, Field(min_length=1, max_length=2048)] | None = Field(
        None, description="Who states it (`iss`); left out, the clientId."
    )
    subject: Annotated[str, Field(min_length=1, max_length=2048)] | None = Field(
        None, description="Whom the token is for (`sub`); left out, the issuer."
    )
    audience: Annotated[str, Field(min_length=1, max_length=2048)] | None = Field(
        None, description="Whom it is made for (`aud`); left out, the tokenUrl."
    )
    lifetime: Duration = Field(Duration("5m"), description="How long the statement is good.")
    claims: dict[Annotated[str, Field(min_length=1, max_length=128)], PlainText] = Field(
        {}, max_length=32, description="Further claims, such as the scope that some servers want."
    )


class OAuth2(Model):
    """A token of an authorization server (RFC 6749).

    The token is fetched once for all waiting calls, kept, renewed before it expires, and once after
    a 401. Without a grant of its own it is asked for with the client's credentials (section 4.4).
    """

    rules = (
        at_most_one_of("password", "refreshToken", "jwtBearer"),
        at_least_one_of("clientSecret", "password", "refreshToken", "jwtBearer"),
        needs("clientSecret", "clientId"),
    )

    token_url: Annotated[str, Field(pattern=r"^https?://[^\s#]+$", max_length=2048)] = Field(
        description="The token endpoint of the authorization server."
    )
    tls: Tls | None = Field(
        None,
        description="How connections to an https tokenUrl begin; that of the Connector is not for "
        "them.",
    )
    client_id: SecretValue | None = Field(None, description="The client identifier.")
    client_secret: SecretValue | None = Field(
        None, description="The client secret; a public client has none."
    )
    client_authentication: Literal["basic", "body"] = Field(
        "basic",
        description="Where the client proves itself: in the Authorization header (basic) or in "
        "the form (body). A client without a secret is named in the form.",
    )
    scopes: Items[Annotated[str, Field(min_length=1, max_length=256, description="A scope.")]] = (
        Field((), max_length=32, description="Scopes to ask for.")
    )
    audience: Annotated[str, Field(max_length=2048)] | None = Field(
        None, description="Value of the audience parameter that some servers want."
    )
    shared_token: bool = Field(
        False,
        description="Whether all replicas of all Routes of the namespace use one token. It is kept "
        "in the journal's database, encrypted with a key that is made of the credentials; where "
        "there is none, each replica has a token of its own.",
    )
    password: PasswordGrant | None = Field(
        None, description="Ask with the name and password of a user."
    )
    refresh_token: RefreshTokenGrant | None = Field(None, description="Ask with a refresh token.")
    jwt_bearer: JwtBearerGrant | None = Field(
        None, description="Ask with a statement that our private key signs."
    )
