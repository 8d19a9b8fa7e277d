"""The tests of a Mapping, as cases."""

from collections.abc import Iterator
from functools import partial

from isthmus_api.mapping import MappingSpec
from isthmus_api.mapping_tests import Suite
from isthmus_api.resources import Resource, Resources
from isthmus_cli import shared_tables
from isthmus_cli.cases import Case, case


def cases(
    mapping: Resource[MappingSpec], resources: Resources, found: shared_tables.Found
) -> Iterator[Case]:
    """The tests of a Mapping that has no errors; `resources` has those that it calls."""
    config_maps = shared_tables.within(mapping.key.namespace, found)
    suite = Suite(mapping, resources, config_maps=config_maps)
    for index, test in enumerate(mapping.spec.tests):
        yield case(mapping, index=index, name=test.name, check=partial(suite.failures, test))
