"""Source: where the messages of a Route come from."""

from pydantic import Field

from isthmus_api.http import Method, ServedPath
from isthmus_api.model import Model
from isthmus_api.quantities import Duration, Size
from isthmus_api.rules import exactly_one_of


class HttpSource(Model):
    """An HTTP endpoint that answers its caller."""

    method: Method = Field("GET", description="The method that callers use.")
    path: ServedPath = Field(
        description="The path that callers use; a segment `{id}` is read as `$request.params.id`."
    )
    timeout: Duration = Field(
        Duration("10s"), description="The longest the whole Route may take for one request."
    )
    max_body: Size = Field(
        Size("1Mi"), description="The largest request body; a larger one is answered with 413."
    )


class Source(Model):
    """Where messages come from."""

    rules = (exactly_one_of("http"),)

    http: HttpSource | None = Field(None, description="An HTTP endpoint that answers its caller.")
