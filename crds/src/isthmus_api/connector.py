"""Connector: one system, how to reach it, how to prove who we are, how hard to lean on it."""

from typing import Annotated, Literal

from pydantic import Field

from isthmus_api.contract import Contract
from isthmus_api.http import HeaderName
from isthmus_api.model import Items, Model, SecretValue, Text
from isthmus_api.quantities import Duration, Size
from isthmus_api.rules import at_least_one_of, exactly_one_of


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


class OAuth2ClientCredentials(Model):
    """OAuth 2.0 client credentials (RFC 6749, section 4.4).

    The token is fetched once for all waiting calls, kept, and renewed before it expires.
    """

    token_url: Annotated[str, Field(pattern=r"^https?://[^\s#]+$", max_length=2048)] = Field(
        description="The token endpoint of the authorization server."
    )
    client_id: SecretValue = Field(description="The client identifier.")
    client_secret: SecretValue = Field(description="The client secret.")
    scopes: Items[Annotated[str, Field(min_length=1, max_length=256, description="A scope.")]] = (
        Field((), max_length=32, description="Scopes to ask for.")
    )
    audience: Annotated[str, Field(max_length=2048)] | None = Field(
        None, description="Value of the audience parameter that some servers want."
    )
    client_authentication: Literal["basic", "body"] = Field(
        "basic",
        description="Where the client proves itself: in the Authorization header (basic) or in "
        "the form (body).",
    )


class Auth(Model):
    """How to prove who we are. Credentials come from Secrets only."""

    rules = (exactly_one_of("basic", "bearer", "apiKey", "oauth2ClientCredentials"),)

    basic: BasicAuth | None = Field(None, description="HTTP Basic.")
    bearer: BearerAuth | None = Field(None, description="A fixed bearer token.")
    api_key: ApiKeyAuth | None = Field(None, description="A key in a header or in the query.")
    oauth2_client_credentials: OAuth2ClientCredentials | None = Field(
        None,
        alias="oauth2ClientCredentials",
        description="OAuth 2.0 client credentials.",
    )


class RateLimit(Model):
    """How hard we may lean on the system."""

    rules = (at_least_one_of("requests", "concurrency"),)

    requests: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="Calls allowed in one window; left out, any number."
    )
    per: Duration = Field(Duration("1s"), description="Length of the window.")
    concurrency: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="Calls under way at once; left out, as many as there are connections."
    )


class IdempotencyKey(Model):
    """A key by which the system knows a call that it has had before, and does nothing twice."""

    header: HeaderName = Field("Idempotency-Key", description="Header that carries the key.")


class Backoff(Model):
    """How long to wait between attempts: doubled each time, with jitter."""

    initial: Duration = Field(Duration("200ms"), description="Wait before the second attempt.")
    max: Duration = Field(Duration("5s"), description="The longest wait.")


class Retry(Model):
    """Attempts for calls that are safe to repeat."""

    attempts: Annotated[int, Field(ge=1, le=10)] = Field(
        3, description="Attempts in all; 1 means no retry."
    )
    backoff: Backoff | None = Field(None, description="Waits between attempts.")


class HttpTransport(Model):
    """A system that speaks HTTP/1.1."""

    base_url: Annotated[
        str, Field(pattern=r"^https?://[^\s/?#@{}%]+(/[^\s?#{}]*)?$", max_length=2048)
    ] = Field(description="Address that the path of every call is appended to.")
    auth: Auth | None = Field(None, description="How to prove who we are.")
    headers: dict[HeaderName, Text] = Field(
        {}, max_length=32, description="Headers sent with every call. Never put a credential here."
    )
    timeout: Duration = Field(
        Duration("10s"), description="The longest a call may take, retries included."
    )
    connect_timeout: Duration = Field(
        Duration("2s"), description="The longest it may take to open a connection."
    )
    max_connections: Annotated[int, Field(ge=1, le=10_000)] = Field(
        64, description="Connections a replica opens at most; further calls wait their turn."
    )
    max_response_size: Size = Field(
        Size("10Mi"), description="The largest answer that is read; a larger one fails the call."
    )
    rate_limit: RateLimit | None = Field(
        None, description="Calls made at most; further calls wait."
    )
    idempotency_key: IdempotencyKey | None = Field(
        None,
        description="Send a key with every POST, PUT, PATCH and DELETE of a Route that delivers "
        "messages: the same for the same step of the same message, however often it is tried. "
        "Such a POST or PATCH counts as safe to repeat.",
    )
    retry: Retry | None = Field(
        None,
        description="Attempts when a call fails in a way that may pass (no connection, time-out, "
        "408, 429, 502, 503, 504) and is safe to repeat.",
    )
    contract: Contract | None = Field(
        None, description="What the vendor publishes of its API, to hold calls and answers against."
    )


class ConnectorSpec(Model):
    """What a Connector declares."""

    rules = (exactly_one_of("http"),)

    http: HttpTransport | None = Field(None, description="A system that speaks HTTP.")
