"""Source: where the messages of a Route come from."""

from pydantic import Field

from isthmus_api.http import Method, ServedPath
from isthmus_api.model import Model, Name
from isthmus_api.poll import PollSource
from isthmus_api.quantities import Duration, Size
from isthmus_api.rules import exactly_one_of
from isthmus_api.schedule import ScheduleSource
from isthmus_api.webhook import WebhookSource


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


class RouteSource(Model):
    """What another Route of this namespace ends with; each Route that it feeds has its own."""

    name: Name = Field(description="The Route whose results are the messages of this one.")


class Source(Model):
    """Where messages come from."""

    rules = (exactly_one_of("http", "webhook", "schedule", "poll", "route"),)

    http: HttpSource | None = Field(None, description="An HTTP endpoint that answers its caller.")
    webhook: WebhookSource | None = Field(
        None, description="An HTTP endpoint that takes messages and answers when they are safe."
    )
    schedule: ScheduleSource | None = Field(None, description="Messages at set times.")
    poll: PollSource | None = Field(None, description="A message for each record of a Connector.")
    route: RouteSource | None = Field(None, description="The results of another Route.")

    @property
    def endpoint(self) -> HttpSource | WebhookSource | None:
        """What callers reach, where there is something."""
        return self.http or self.webhook

    @property
    def is_asynchronous(self) -> bool:
        """Whether messages go into the journal first and nobody waits for their end."""
        return self.http is None
