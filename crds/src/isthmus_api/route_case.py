"""Route case: one test of a Route: what comes in, what Connectors answer, what is expected.

The cases stand in the Route itself; none of this is part of its plan.
"""

from typing import Annotated, Literal

from pydantic import Field

from isthmus_api.http import Method
from isthmus_api.model import FreeForm, FreeFormObject, Items, Model, Name, PlainText
from isthmus_api.rules import at_least_one_of, at_most_one_of


class TestRequest(Model):
    """A request as a caller would send it; method and path come from the source."""

    __test__ = False

    params: dict[str, PlainText] = Field(
        {}, max_length=64, description="Values of the path variables."
    )
    query: dict[str, FreeForm] = Field(
        {}, max_length=64, description="Query parameters; a list gives one several times."
    )
    headers: dict[str, PlainText] = Field({}, max_length=64, description="Request headers.")
    caller: FreeFormObject | None = Field(
        None,
        description="Who calls, as `$request.caller`; tests need not prove it.",
    )
    body: FreeForm = Field(None, description="The body as JSON.")


class TestMessage(Model):
    """A message as a source would accept it; its key and version are read from it."""

    __test__ = False

    body: FreeForm = Field(None, description="The body as JSON.")
    params: dict[str, PlainText] = Field(
        {}, max_length=64, description="Values of the path variables of a webhook."
    )
    query: dict[str, FreeForm] = Field(
        {}, max_length=64, description="Query parameters of a webhook."
    )
    headers: dict[str, PlainText] = Field(
        {}, max_length=64, description="Request headers of a webhook."
    )
    caller: FreeFormObject | None = Field(
        None, description="Who sent it to a webhook, as `$request.caller`."
    )
    attempt: Annotated[int, Field(ge=1, le=1000)] = Field(
        1, description="Which attempt this is, as `$message.attempt`."
    )


class TestEntry(Model):
    """An entry of a store. What is left out of an expected one is not compared."""

    __test__ = False

    store: Name = Field(description="The store.")
    key: PlainText = Field(description="Key of the entry.")
    value: FreeForm = Field(None, description="Value of the entry.")
    reference: PlainText | None = Field(None, description="Its second key.")


class TestAnswer(Model):
    """What a Connector answers in a test. Each is used once, in order, by the first call it fits.

    Without `path` or `method` it fits every call of its Connector.
    """

    __test__ = False
    rules = (at_most_one_of("body", "text", "fail"),)

    connector: Name = Field(description="The Connector that answers.")
    method: Method | None = Field(None, description="Only for calls with this method.")
    path: PlainText | None = Field(None, description="Only for calls of this path, without query.")
    status: Annotated[int, Field(ge=100, le=599)] = Field(200, description="The status it answers.")
    headers: dict[str, PlainText] = Field({}, max_length=64, description="The headers it answers.")
    body: FreeForm = Field(None, description="The body it answers, as JSON.")
    text: Annotated[str, Field(max_length=262_144)] | None = Field(
        None, description="The body it answers, as it is."
    )
    fail: Literal["connect", "timeout", "broken"] | None = Field(
        None, description="Fail instead: no connection, no answer in time, or half an answer."
    )


class ExpectedCall(Model):
    """A call that the Route is expected to make. What is left out is not compared."""

    connector: Name = Field(description="The Connector called.")
    method: Method | None = Field(None, description="The method.")
    path: PlainText | None = Field(None, description="The path, without query.")
    query: Annotated[dict[str, FreeForm], Field(max_length=64)] | None = Field(
        None, description="The query parameters."
    )
    headers: Annotated[dict[str, PlainText], Field(max_length=64)] | None = Field(
        None, description="Headers that must be among its own."
    )
    body: FreeForm = Field(None, description="The body, compared as JSON.")


class Expectation(Model):
    """What the Route is expected to do. What is left out is not compared."""

    rules = (at_least_one_of("calls", "entries", "status", "headers", "body", "state", "feeds"),)

    calls: Items[ExpectedCall] | None = Field(
        None, max_length=64, description="The calls it makes, in order."
    )
    entries: Items[TestEntry] | None = Field(
        None, max_length=64, description="The entries of stores that it writes, in order."
    )
    status: Annotated[int, Field(ge=100, le=599)] | None = Field(
        None, description="The status it answers."
    )
    headers: Annotated[dict[str, PlainText], Field(max_length=64)] | None = Field(
        None, description="Headers that must be in the answer."
    )
    body: FreeForm = Field(
        None, description="The body it answers, or the result it ends with, compared as JSON."
    )
    state: Literal["finished", "skipped", "rejected", "dead", "retry"] | None = Field(
        None, description="The state in which it leaves the message."
    )
    feeds: Items[Annotated[Name, Field(description="The name of a Route.")]] | None = Field(
        None, max_length=256, description="The Routes that get its result, by name."
    )


class RouteTest(Model):
    """One case: what comes in, what the Connectors answer, and what the Route does."""

    rules = (at_most_one_of("request", "message"),)

    name: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="What the case shows, as a sentence."
    )
    request: TestRequest | None = Field(
        None, description="The request that comes in, of a Route with an http source."
    )
    message: TestMessage | None = Field(
        None, description="The message that comes in, of a Route with another source."
    )
    entries: Items[TestEntry] = Field((), max_length=64, description="What the stores hold before.")
    answers: Items[TestAnswer] = Field((), max_length=64, description="What the Connectors answer.")
    expect: Expectation = Field(description="What the Route is expected to do.")
