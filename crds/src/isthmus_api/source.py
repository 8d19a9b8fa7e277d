"""Source: where the messages of a Route come from."""

from pydantic import Field

from isthmus_api.caller_limit import CallerLimit
from isthmus_api.cors import Cors
from isthmus_api.http import Method, ServedPath
from isthmus_api.model import Model, Name
from isthmus_api.poll import PollSource
from isthmus_api.proofs import TRUSTED_PROXIES, Networks
from isthmus_api.quantities import Duration, Size
from isthmus_api.rules import Rule, exactly_one_of
from isthmus_api.schedule import ScheduleSource
from isthmus_api.verification import Verification
from isthmus_api.webhook import WebhookSource

_PROVEN_OR_OPEN = Rule(
    cel="!(has(self.auth) && has(self.open) && self.open)",
    message="auth and open: true exclude each other",
    holds=lambda written: not ("auth" in written and written.get("open") is True),
    fields=("auth", "open"),
)


class HttpSource(Model):
    """An HTTP endpoint that answers its caller."""

    rules = (_PROVEN_OR_OPEN,)

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
    auth: Verification | None = Field(
        None,
        description="What must hold of a request before any step runs; otherwise it is answered "
        "with 401 or 403. Left out, anybody who reaches the path may call.",
    )
    open: bool = Field(
        False,
        description="Say that anybody may call; without it `isthmus lint` warns where there is no "
        "auth.",
    )
    trusted_proxies: Networks | None = Field(None, description=TRUSTED_PROXIES)
    limits: CallerLimit | None = Field(None, description="How often each caller may call.")
    cors: Cors | None = Field(
        None, description="Which pages of other origins may call from a browser."
    )

    @property
    def verification(self) -> Verification | None:
        """Who may call it; nothing where anybody may."""
        return self.auth


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
    def caller_fields(self) -> frozenset[str]:
        """What `$request.caller` holds; nothing where callers have no names."""
        found = self.endpoint and self.endpoint.verification
        return found.caller_fields if found else frozenset()

    @property
    def is_open(self) -> bool:
        """Whether callers reach it, and nothing is asked of them."""
        return self.endpoint is not None and self.endpoint.verification is None

    @property
    def is_guarded(self) -> bool:
        """Whether something stands between callers and the Route."""
        found = self.endpoint
        if found is None:
            return False
        has_policy = self.http is not None and self.http.cors is not None
        return has_policy or found.verification is not None or found.limits is not None

    @property
    def jwks_url(self) -> str | None:
        """Where the keys are published that callers' tokens are signed with."""
        found = self.endpoint and self.endpoint.verification
        return found.jwt.jwks_url if found and found.jwt else None

    @property
    def is_asynchronous(self) -> bool:
        """Whether messages go into the journal first and nobody waits for their end."""
        return self.http is None
