"""Where databases come from: a file in a folder, a server of our own."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import postgres

import processes

Missing = postgres.Missing
"""There is no PostgreSQL on this machine."""

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"


class Place(Protocol):
    """Where databases come from."""

    name: str

    def fresh(self) -> str:
        """The address of an empty one; the one before is removed."""
        ...

    def size(self) -> int:
        """Bytes of the last one on disk."""
        ...

    def cpu(self) -> float:
        """Seconds of processor time of whatever serves it, beside those who work on it."""
        ...


class Files:
    """SQLite: a file in a folder of its own."""

    name = SQLITE

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fresh(self) -> str:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        return f"sqlite:{self._folder / 'journal.db'}"

    def size(self) -> int:
        return (self._folder / "journal.db").stat().st_size

    def cpu(self) -> float:
        return 0.0


class Databases:
    """PostgreSQL: a database of a server of our own."""

    name = POSTGRESQL

    def __init__(self, cluster: postgres.Cluster) -> None:
        self._cluster = cluster
        self._address = ""

    def fresh(self) -> str:
        if self._address:
            self._cluster.sql(f"DROP DATABASE {self._last}")
        self._address = self._cluster.database()
        return self._address

    def size(self) -> int:
        self._cluster.sql("VACUUM", self._last)
        return int(
            self._cluster.sql(
                "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r'"
                " AND relnamespace = 'isthmus'::regnamespace",
                self._last,
            )
        )

    def cpu(self) -> float:
        return processes.cpu(self._cluster.pid)

    @property
    def _last(self) -> str:
        return self._address.rpartition("/")[2]


@contextlib.contextmanager
def temporary() -> Iterator[Path]:
    """A folder for a while."""
    with tempfile.TemporaryDirectory(prefix="isthmus-bench-") as folder:
        yield Path(folder)


def both() -> Iterator[Place]:
    """A file, then a server; `Missing` where that is."""
    with temporary() as folder:
        yield Files(folder / "journal")
    with postgres.Cluster() as cluster:
        yield Databases(cluster)
