"""Proxy: a way out that calls take where there is no other."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from isthmus_api.auth.fixed import BasicAuth
from isthmus_api.model import Items, Model

Host = Annotated[
    str,
    Field(
        pattern=r"^\.?[A-Za-z0-9_:]([A-Za-z0-9._:-]*[A-Za-z0-9])?$",
        max_length=253,
        description="A host or an address; a host stands for those below it too.",
    ),
]


class Proxy(Model):
    """An HTTP proxy. Calls to https go through its tunnel (CONNECT), which it cannot look into."""

    url: Annotated[str, Field(pattern=r"^http://[^\s/?#@{}%]+/?$", max_length=2048)] = Field(
        description="Address of the proxy, such as http://proxy.example.com:3128."
    )
    auth: BasicAuth | None = Field(None, description="The name and password that it asks for.")
    no_proxy: Items[Host] = Field(
        (), max_length=64, description="Hosts that are called without it."
    )

    def carries(self, url: str) -> bool:
        """Whether calls to a URL take this way."""
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
        spared = (each.lower().removeprefix(".").rstrip(".") for each in self.no_proxy)
        return not any(host == each or host.endswith(f".{each}") for each in spared)
