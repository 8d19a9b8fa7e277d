"""What all soaks stand on: how long they are, and each home of the journal."""

from collections.abc import Iterator
from pathlib import Path

import postgres
import pytest
import soak_size
from homes import Home, PostgresHome, SqliteHome
from soak_size import Size


@pytest.fixture(scope="session")
def size() -> Size:
    return soak_size.wanted()


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """A server for the soaks of this run."""
    with postgres.Cluster() as started:
        yield started


@pytest.fixture
def shared(cluster: postgres.Cluster) -> PostgresHome:
    """The home that several replicas may share."""
    return PostgresHome(cluster, cluster.database())


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """Each home of the journal."""
    if request.param == "sqlite":
        return SqliteHome(f"sqlite:{tmp_path / 'journal.db'}")
    found: PostgresHome = request.getfixturevalue("shared")
    return found
