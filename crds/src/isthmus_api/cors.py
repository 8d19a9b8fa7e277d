"""Cors: which pages of other origins may call a Route from a browser."""

from typing import Annotated

from pydantic import Field

from isthmus_api.http import HeaderName
from isthmus_api.model import Items, Model
from isthmus_api.quantities import Duration
from isthmus_api.rules import Rule

_NOT_ANY_WITH_CREDENTIALS = Rule(
    cel="!(has(self.credentials) && self.credentials && self.origins.exists(o, o == '*'))",
    message="credentials: true needs origins by name, not *",
    holds=lambda written: not (written.get("credentials") is True and "*" in written["origins"]),
    fields=("origins", "credentials"),
)

Origin = Annotated[
    str,
    Field(
        pattern=r"^(\*|https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?)$",
        max_length=253,
        description="An origin as browsers send it, such as https://shop.example.com, or *.",
    ),
]
_Header = Annotated[HeaderName, Field(description="A header.")]


class Cors(Model):
    """Cross-origin requests (https://fetch.spec.whatwg.org/#http-cors-protocol).

    Browsers ask before such a request whether they may make it. The Route answers that by itself,
    before `auth`: it says nothing but what stands here.
    """

    rules = (_NOT_ANY_WITH_CREDENTIALS,)

    origins: Items[Origin] = Field(
        min_length=1, max_length=64, description="Origins whose pages may read what is answered."
    )
    headers: Items[_Header] = Field(
        (),
        max_length=64,
        description="Headers that pages may send, beside Content-Type and those that auth reads.",
    )
    expose_headers: Items[_Header] = Field(
        (), max_length=64, description="Headers of the answer that pages may read."
    )
    credentials: bool = Field(
        False, description="Let browsers send cookies and what else they keep for the Route."
    )
    max_age: Duration = Field(
        Duration("10m"), description="How long a browser may remember what it was told."
    )
