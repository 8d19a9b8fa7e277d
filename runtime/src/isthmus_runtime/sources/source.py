"""Source: what starts, stops and tells how it fares; the seam between a Route and its source."""

from typing import Any, Protocol


class Source(Protocol):
    """One way in which messages come. It accepts between `start` and the end of `stop`."""

    def start(self) -> None:
        """Begin."""
        ...

    async def stop(self) -> None:
        """Begin nothing new; what is under way ends, or is left as if it had not begun."""
        ...

    def status(self) -> dict[str, Any]:
        """What the status page tells of it."""
        ...


class Fed:
    """The source of a Route that others feed: they write its messages with their own ends."""

    def __init__(self, feeder: str) -> None:
        self._feeder = feeder

    def start(self) -> None:
        """Nothing to do."""

    async def stop(self) -> None:
        """Nothing to do."""

    def status(self) -> dict[str, Any]:
        """The Route that it is fed by."""
        return {"kind": "route", "from": self._feeder}
