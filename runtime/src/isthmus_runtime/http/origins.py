"""Origins: where requests go."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from isthmus_runtime.http import targets


@dataclass(frozen=True, slots=True)
class Origin:
    """Where requests go. An IPv6 host is written without brackets."""

    scheme: str
    host: str
    port: int

    def __post_init__(self) -> None:
        if self.scheme not in ("http", "https"):
            raise ValueError(f"the scheme is http or https, not {self.scheme!r}")
        if not self.host or not targets.is_host(self.authority.encode()):
            raise ValueError(f"not a host: {self.host!r}")

    @classmethod
    def of(cls, url: str) -> Self:
        """The origin of a URL."""
        parts = urlsplit(url)
        usual = 443 if parts.scheme == "https" else 80
        return cls(scheme=parts.scheme, host=parts.hostname or "", port=parts.port or usual)

    @property
    def authority(self) -> str:
        """What the Host header says: the port only where it is not the scheme's own."""
        usual = 443 if self.scheme == "https" else 80
        return self.bracketed if self.port == usual else self.with_port

    @property
    def with_port(self) -> str:
        """Host and port, as CONNECT names them."""
        return f"{self.bracketed}:{self.port}"

    @property
    def bracketed(self) -> str:
        """The host as a URL has it."""
        return f"[{self.host}]" if ":" in self.host else self.host
