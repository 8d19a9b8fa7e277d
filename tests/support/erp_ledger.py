"""What the example's ERP says it was given, followed while it comes."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class Ledger:
    """The writes of an ERP, read as they come."""

    url: str
    versions: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """The versions written for each order, in the order in which they came."""
    keys: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    """The idempotency keys with which each version was written."""
    count: int = 0

    def __post_init__(self) -> None:
        # No TLS here; reading the certificates would take longer than asking.
        self._http = httpx.AsyncClient(
            base_url=self.url,
            timeout=30,
            trust_env=False,
            verify=False,  # noqa: S501
        )

    async def look(self) -> int:
        """Read what is new; how many writes there are."""
        while page := (await self._http.get("/writes", params={"after": self.count})).json():
            for write in page:
                self.take(write)
        return self.count

    async def report(self) -> dict[str, int]:
        """The ERP's own count."""
        counted: dict[str, int] = (await self._http.get("/report")).json()
        return counted

    async def mend(self) -> None:
        """End what is wrong with the ERP."""
        (await self._http.delete("/faults")).raise_for_status()

    def take(self, write: dict[str, Any]) -> None:
        """Enter a write."""
        assert write["sequence"] == self.count + 1
        self.count += 1
        self.versions[write["number"]].append(write["version"])
        self.keys[write["number"], write["version"]].add(write["key"])

    async def close(self) -> None:
        """Ask no more."""
        await self._http.aclose()
