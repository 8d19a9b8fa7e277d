"""Both homes of the journal: a real file, and a real PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from isthmus_runtime.journal import opening
from isthmus_runtime.journal.journal import Journal


@pytest.fixture(params=["sqlite"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a journal may be opened; there is nothing yet."""
    return f"sqlite:{tmp_path / 'journal.db'}"


@pytest.fixture
async def journal(address: str) -> AsyncIterator[Journal]:
    """A journal with nothing in it."""
    opened = await opening.open(address)
    yield opened
    await opened.close()
