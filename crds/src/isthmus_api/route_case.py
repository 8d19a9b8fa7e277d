"""Route case: one test of a Route: what comes in, what Connectors answer, what is expected.

The cases stand in the Route itself; none of this is part of its plan.
"""

from typing import Annotated, Literal

from pydantic import Field

from isthmus_api.http import Method
from isthmus_api.model import FreeForm, Items, Model, Name, PlainText
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
    body: FreeForm = Field(None, description="The body as JSON.")


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

    rules = (at_least_one_of("calls", "status", "headers", "body"),)

    calls: Items[ExpectedCall] | None = Field(
        None, max_length=64, description="The calls it makes, in order."
    )
    status: Annotated[int, Field(ge=100, le=599)] | None = Field(
        None, description="The status it answers."
    )
    headers: Annotated[dict[str, PlainText], Field(max_length=64)] | None = Field(
        None, description="Headers that must be in the answer."
    )
    body: FreeForm = Field(None, description="The body it answers, compared as JSON.")


class RouteTest(Model):
    """One case: a request, what the Connectors answer, and what the Route does."""

    name: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="What the case shows, as a sentence."
    )
    request: TestRequest | None = Field(None, description="The request that comes in.")
    answers: Items[TestAnswer] = Field((), max_length=64, description="What the Connectors answer.")
    expect: Expectation = Field(description="What the Route is expected to do.")
