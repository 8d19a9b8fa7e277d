"""The plain modules of the examples' systems, importable in these tests and nowhere else."""

from collections.abc import Iterator

import example_services
import pytest


@pytest.fixture(scope="module", autouse=True)
def services() -> Iterator[None]:
    with example_services.importable():
        yield
