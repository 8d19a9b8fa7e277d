"""The objects that health checks are tried on are what the operator makes of them today."""

import pytest
from golden import compare
from health_states import FOLDER, STATES, State, taken
from operating import Cluster


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.id)
async def test_an_object_is_as_its_file_has_it(state: State, cluster: Cluster) -> None:
    async with cluster.client:
        compare(state.file, await taken(state, cluster))


def test_every_file_is_a_state() -> None:
    assert set(FOLDER.iterdir()) == {state.file for state in STATES}
