"""Connector: one system, how to reach it, how to prove who we are, how hard to lean on it."""

from typing import Annotated

from pydantic import Field

from isthmus_api.answer import Answer
from isthmus_api.auth import Auth
from isthmus_api.circuit_breaker import CircuitBreaker
from isthmus_api.contract import Contract
from isthmus_api.hedge import Hedge
from isthmus_api.http import HeaderName
from isthmus_api.model import Model, Text
from isthmus_api.proxy import Proxy
from isthmus_api.quantities import Duration, Size
from isthmus_api.rate_limit import RateLimit
from isthmus_api.rules import exactly_one_of
from isthmus_api.tls import Tls


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
    tls: Tls | None = Field(None, description="How connections to an https baseUrl begin.")
    proxy: Proxy | None = Field(
        None, description="A proxy that calls go through, those to a token endpoint too."
    )
    headers: dict[HeaderName, Text] = Field(
        {}, max_length=32, description="Headers sent with every call. Never put a credential here."
    )
    timeout: Duration = Field(
        Duration("10s"), description="The longest a call may take, retries included."
    )
    connect_timeout: Duration = Field(
        Duration("2s"), description="The longest it may take to open a connection."
    )
    max_connection_age: Duration = Field(
        Duration("5m"),
        description="How old a connection may become (less by up to a fifth). The address of the "
        "host is asked for with each new one, so a change of it is followed within this time.",
    )
    max_connections: Annotated[int, Field(ge=1, le=10_000)] = Field(
        64, description="Connections a replica opens at most; further calls wait their turn."
    )
    max_response_size: Size = Field(
        Size("10Mi"),
        description="The largest answer that is read; a larger one fails the call. Of the "
        "`document` of a poll, the largest record.",
    )
    rate_limit: RateLimit | None = Field(
        None, description="Calls made at most; further calls wait."
    )
    circuit_breaker: CircuitBreaker | None = Field(
        None, description="Leave the system alone for a while when many calls fail."
    )
    idempotency_key: IdempotencyKey | None = Field(
        None,
        description="Send a key with every POST, PUT, PATCH and DELETE of a Route that delivers "
        "messages: the same for the same step of the same message or batch, however often it is "
        "tried. Such a POST or PATCH counts as safe to repeat.",
    )
    retry: Retry | None = Field(
        None,
        description="Attempts when a call fails in a way that may pass (no connection, time-out, "
        "408, 429, 502, 503, 504) and is safe to repeat.",
    )
    answer: Answer | None = Field(
        None, description="How answers are taken, unless a call says otherwise."
    )
    hedge: Hedge | None = Field(
        None, description="Make reads that are slow a second time, and use the first answer."
    )
    contract: Contract | None = Field(
        None, description="What the vendor publishes of its API, to hold calls and answers against."
    )


class ConnectorSpec(Model):
    """What a Connector declares."""

    rules = (exactly_one_of("http"),)

    http: HttpTransport | None = Field(None, description="A system that speaks HTTP.")
