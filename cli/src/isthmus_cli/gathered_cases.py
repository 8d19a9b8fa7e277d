"""The tests of a whole folder: of Mappings, and of Routes that can be planned."""

from collections.abc import Iterator

from isthmus_api.plan import plan
from isthmus_cli import folder, mapping_cases, route_cases
from isthmus_cli.cases import Case
from isthmus_runtime.shared_tables import GivenConfigMaps, SharedTables


def of(loaded: folder.Loaded) -> Iterator[Case]:
    """All of them, Mappings first."""
    resources, config_maps = loaded.resources, loaded.config_maps
    tables = SharedTables(GivenConfigMaps(config_maps))
    for mapping in resources.mappings():
        yield from mapping_cases.cases(mapping, resources, config_maps)
    for route in resources.routes():
        planned = plan(route, resources).plan
        if planned is not None:
            yield from route_cases.cases(route, planned, tables)
