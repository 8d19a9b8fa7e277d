"""What all soaks stand on: how long they are, and each home of the journal."""

from pathlib import Path

import pytest
import soak_size
from homes import Home, SqliteHome
from soak_size import Size


@pytest.fixture(scope="session")
def size() -> Size:
    return soak_size.wanted()


@pytest.fixture(params=["sqlite"])
def home(tmp_path: Path) -> Home:
    """Each home of the journal."""
    return SqliteHome(f"sqlite:{tmp_path / 'journal.db'}")
