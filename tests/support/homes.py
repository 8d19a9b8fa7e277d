"""The homes of a journal, as soaks use them: where it is, and how its database crashes."""

import asyncio
import signal
from dataclasses import dataclass
from typing import Protocol

import postgres


class Home(Protocol):
    """Where a journal lives."""

    @property
    def address(self) -> str:
        """The address that the Route's processes open."""
        ...

    @property
    def replicas(self) -> int:
        """How many processes may work on it at once."""
        ...

    def restarts(self, wanted: int) -> int:
        """How often its server can crash, if so often is wanted."""
        ...

    async def restart(self) -> None:
        """Let its server crash and come back."""
        ...


@dataclass(frozen=True)
class SqliteHome:
    """A file, and one process that works on it; there is no server."""

    address: str
    replicas: int = 1

    def restarts(self, wanted: int) -> int:
        return 0

    async def restart(self) -> None:
        raise AssertionError("a file has no server")


@dataclass(frozen=True)
class PostgresHome:
    """A database of a server of our own, and several processes that work on it."""

    cluster: postgres.Cluster
    address: str
    replicas: int = 3

    def restarts(self, wanted: int) -> int:
        return wanted

    async def restart(self) -> None:
        """As after a crash: nobody is asked to leave, and what was written is recovered."""
        await asyncio.to_thread(self.cluster.restart, signal.SIGQUIT)
