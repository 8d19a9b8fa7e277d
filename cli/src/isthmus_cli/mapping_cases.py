"""The tests of a Mapping, as cases."""

from collections.abc import Iterator
from functools import partial

from isthmus_api.mapping import MappingSpec
from isthmus_api.mapping_tests import Suite
from isthmus_api.resources import Resource, Resources
from isthmus_cli.cases import Case, case


def cases(mapping: Resource[MappingSpec], resources: Resources) -> Iterator[Case]:
    """The tests of a Mapping that has no errors; `resources` has those that it calls."""
    suite = Suite(mapping, resources)
    for index, test in enumerate(mapping.spec.tests):
        yield case(mapping, index=index, name=test.name, check=partial(suite.failures, test))
