"""Step: what a Route does with a message, one verb at a time.

Steps carry the names of the Enterprise Integration Patterns. A step has one verb. Steps never
nest: choice, split and scatter name entries of `branches`, because a CRD cannot recurse.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from isthmus_api.answer import Answer
from isthmus_api.http import HeaderName, Method
from isthmus_api.mapping import Expression
from isthmus_api.model import (
    FreeForm,
    FreeFormObject,
    Items,
    Model,
    Name,
    Text,
    Variable,
    WholeExpression,
)
from isthmus_api.multipart import Part
from isthmus_api.quantities import Duration, Size
from isthmus_api.rules import Rule, at_most_one_of, exactly_one_of, needs, only_with
from isthmus_api.store import Lookup, Remember

BranchName = Annotated[
    str,
    Field(pattern=r"^[a-z][A-Za-z0-9_-]*$", max_length=63, description="The name of a branch."),
]


class Call(Model):
    """Call a Connector and take its answer as the body."""

    rules = (at_most_one_of("body", "form", "multipart", "text"),)

    connector: Name = Field(description="The Connector to call.")
    method: Method = Field("GET", description="The HTTP method.")
    path: Annotated[str, Field(pattern=r"^/", max_length=4096)] = Field(
        "/",
        description="Path below the Connector's baseUrl. Values of templates are percent-encoded.",
    )
    query: dict[Annotated[str, Field(min_length=1, max_length=128)], Text] = Field(
        {},
        max_length=64,
        description="Query parameters. A list gives the parameter several times, nothing leaves "
        "it out.",
    )
    headers: dict[HeaderName, Text] = Field({}, max_length=32, description="Request headers.")
    body: FreeForm = Field(
        None,
        description="The request body as JSON, strings may be templates. Left out: POST, PUT and "
        "PATCH send the current body as it is.",
    )
    form: dict[Annotated[str, Field(min_length=1, max_length=128)], Text] | None = Field(
        None,
        max_length=64,
        description="The request body as a form in URL encoding. A list gives the field several "
        "times, nothing leaves it out.",
    )
    multipart: Annotated[Items[Part], Field(min_length=1, max_length=32)] | None = Field(
        None, description="The request body as a form with files (multipart/form-data)."
    )
    text: Text | None = Field(
        None,
        description="The request body as text in UTF-8, such as the XML that `$toXml` makes. Its "
        "content type is text/plain unless `headers` give one.",
    )
    answer: Answer | None = Field(
        None, description="How the answer is taken; left out, as the Connector says."
    )
    idempotent: bool = Field(
        False,
        description="Say that a POST or PATCH may be repeated safely, so that it is retried like "
        "GET, PUT and DELETE.",
    )


class Map(Model):
    """Translate the body."""

    rules = (exactly_one_of("mapping", "expression"),)

    mapping: Name | None = Field(None, description="The Mapping to use.")
    expression: Expression | None = Field(
        None, description="JSONata written in place, for small things."
    )


class When(Model):
    """One alternative of a choice."""

    condition: WholeExpression = Field(description="Taken when this expression is true.")
    branch: BranchName = Field(description="The branch to run.")


class Choice(Model):
    """Run the first branch whose condition is true."""

    when: Items[When] = Field(
        min_length=1, max_length=16, description="The alternatives, tried in order."
    )
    otherwise: BranchName | None = Field(
        None, description="Branch to run when none applies; left out, the body goes on unchanged."
    )


class Split(Model):
    """Run a branch for each element of a list and collect the results into a list.

    In the branch the element is the body; `$index` is its position, from 0. An element whose
    branch filters it out leaves no result.
    """

    items: WholeExpression = Field("{% $ %}", description="The list to split.")
    branch: BranchName = Field(description="The branch that each element runs through.")
    concurrency: Annotated[int, Field(ge=1, le=256)] = Field(
        8, description="Elements under way at once."
    )


class Aggregate(Model):
    """Make one body of a list, as it comes from a split."""

    expression: WholeExpression = Field(description="The result; the list is `$`.")


class Scatter(Model):
    """Run branches side by side on the same body and gather their results by name."""

    branches: Items[BranchName] = Field(
        min_length=1, max_length=16, description="The branches to run at once."
    )


class Validate(Model):
    """Refuse a body that does not fit a JSON Schema, with 422 and the JSON paths at fault."""

    schema_: FreeFormObject = Field(
        alias="schema", description="The JSON Schema, draft 2020-12 unless it names another."
    )


class Respond(Model):
    """Answer the caller and end the Route."""

    status: Annotated[int, Field(ge=200, le=599)] = Field(200, description="The HTTP status.")
    headers: dict[HeaderName, Text] = Field({}, max_length=32, description="Response headers.")
    body: FreeForm = Field(
        None, description="The response body; left out, the current body is sent."
    )


class OnError(Model):
    """What to do instead of failing. `$failure` has `reason`, `message`, `status`."""

    rules = (exactly_one_of("use", "respond"),)

    use: FreeForm = Field(None, description="Go on with this value as the step's result.")
    respond: Respond | None = Field(None, description="Answer the caller with this.")


_HTTP_HAS_ITS_KEY: Final = Rule(
    cel="!has(self.key) || self.mode != 'http'",
    message="key needs mode: ttl",
    holds=lambda written: "key" not in written or written.get("mode") != "http",
    fields=("key", "mode"),
)


class Cache(Model):
    """Keep the call's successful answers in the replica's memory."""

    rules = (_HTTP_HAS_ITS_KEY,)

    mode: Literal["ttl", "http"] = Field(
        "ttl",
        description="What says how long an answer is used: `ttl` alone, or with `http` the answer "
        "itself, as RFC 9111 has it. Old answers are then asked for by their `ETag` or "
        "`Last-Modified`. For GET and HEAD.",
    )
    ttl: Duration = Field(
        description="How long an answer is used; with `mode: http`, one that does not say it."
    )
    key: Text | None = Field(
        None,
        description="What tells one answer from another; left out, the method, the address and "
        "the body of the call.",
    )
    max_entries: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        1000, description="Answers kept at most; the one unused for longest goes first."
    )
    max_size: Size = Field(Size("16Mi"), description="Bytes of answers kept at most.")


_READS_ONLY: Final = Rule(
    cel="!has(self.cache) || self.cache.mode != 'http' || !has(self.call) || "
    "self.call.method in ['GET', 'HEAD']",
    message="cache.mode: http belongs to GET and HEAD only",
    holds=lambda written: (
        getattr(written.get("cache"), "mode", "ttl") != "http"
        or getattr(written.get("call"), "method", "GET") in ("GET", "HEAD")
    ),
    fields=("cache", "call"),
)


VERBS = (
    "call",
    "map",
    "filter",
    "choice",
    "split",
    "aggregate",
    "scatter",
    "validate",
    "remember",
    "lookup",
    "respond",
)
_WITH_RESULT = ("call", "map", "choice", "split", "aggregate", "scatter", "lookup")


class Step(Model):
    """One step: a verb, and how it behaves."""

    rules = (
        exactly_one_of(*VERBS),
        only_with("into", *_WITH_RESULT),
        only_with("onError", *_WITH_RESULT),
        only_with("timeout", "call"),
        only_with("cache", "call"),
        needs("lookup", "into"),
        _READS_ONLY,
    )

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=63)] | None = Field(
        None, description="Name of the step in metrics, logs and errors; by default verb-position."
    )
    call: Call | None = Field(None, description="Call a Connector.")
    map: Map | None = Field(None, description="Translate the body.")
    filter: WholeExpression | None = Field(
        None,
        description="Go on only when this is true; otherwise the Route ends and the caller gets "
        "204.",
    )
    choice: Choice | None = Field(None, description="Run the first branch whose condition is true.")
    split: Split | None = Field(None, description="Run a branch for each element of a list.")
    aggregate: Aggregate | None = Field(None, description="Make one body of a list.")
    scatter: Scatter | None = Field(None, description="Run branches side by side.")
    validate_: Validate | None = Field(
        None, alias="validate", description="Refuse a body that does not fit a JSON Schema."
    )
    remember: Remember | None = Field(None, description="Write an entry of a store.")
    lookup: Lookup | None = Field(None, description="Read an entry of a store into a variable.")
    respond: Respond | None = Field(None, description="Answer the caller and end the Route.")
    into: Variable | None = Field(
        None, description="Bind the result to this variable and keep the body."
    )
    timeout: Duration | None = Field(
        None, description="The longest this call may take; the Connector's timeout by default."
    )
    on_error: OnError | None = Field(None, description="What to do instead of failing.")
    cache: Cache | None = Field(None, description="Keep the call's successful answers.")

    @property
    def verb(self) -> str:
        """The one verb that is set, as it is written in a manifest."""
        return next(verb for verb in VERBS if verb in self.written())
