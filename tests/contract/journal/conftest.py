"""Both homes of the journal: a real file, and a real PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import postgres
import pytest

from isthmus_runtime.journal import opening
from isthmus_runtime.journal.journal import Journal


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """A server for the tests of this run."""
    with postgres.Cluster() as started:
        yield started


@pytest.fixture
def database(cluster: postgres.Cluster) -> str:
    """The address of a database without a journal; it is quicker emptied than made."""
    cluster.sql("DROP SCHEMA IF EXISTS isthmus CASCADE", database="postgres")
    return cluster.address("postgres")


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a journal may be opened; there is nothing yet."""
    if request.param == "sqlite":
        return f"sqlite:{tmp_path / 'journal.db'}"
    return str(request.getfixturevalue("database"))


@pytest.fixture
async def journal(address: str) -> AsyncIterator[Journal]:
    """A journal with nothing in it."""
    opened = await opening.open(address)
    yield opened
    await opened.close()
