"""Every test of a Mapping in this repository passes with both engines."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from isthmus_api import manifests
from isthmus_api.expressions import jsonata2py_engine
from isthmus_api.mapping import MappingSpec, MappingTest
from isthmus_api.mapping_tests import Suite
from isthmus_api.resources import Resource, Resources

ROOT = Path(__file__).parents[3]
FENCED = re.compile(r"```yaml\n(apiVersion: isthmus\.dev/.*?)```", re.DOTALL)


def texts() -> Iterator[tuple[str, str]]:
    """Folders of examples, and pages with whole manifests; each is a world of its own."""
    for folder in sorted({path.parent for path in ROOT.glob("examples/*/*.yaml")}):
        found = (path.read_text() for path in sorted(folder.glob("*.yaml")))
        yield folder.name, "\n---\n".join(found)
    for page in sorted((*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md"))):
        yield page.name, "\n---\n".join(FENCED.findall(page.read_text()))


def cases() -> Iterator[tuple[str, Resource[MappingSpec], Resources, MappingTest]]:
    for place, text in texts():
        resources = Resources.of(manifests.read(text.encode(), file=place).resources)
        for mapping in resources.mappings():
            for test in mapping.spec.tests:
                yield place, mapping, resources, test


CASES = [
    pytest.param(mapping, resources, test, id=f"{place}-{mapping.key.name}-{test.name}")
    for place, mapping, resources, test in cases()
]


def test_there_are_tests_in_examples_and_pages() -> None:
    places = {place for place, *_ in cases()}

    assert places >= {"orders-to-erp", "search-with-prices", "mappings.md"}


@pytest.mark.parametrize(("mapping", "resources", "test"), CASES)
def test_the_second_engine_gives_what_is_expected(
    mapping: Resource[MappingSpec], resources: Resources, test: MappingTest
) -> None:
    suite = Suite(mapping, resources, jsonata2py_engine.ENGINE)

    assert [str(each) for each in suite.failures(test)] == []
