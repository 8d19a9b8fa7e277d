"""Every test of a Mapping in this repository passes with both engines."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from isthmus_api import manifests
from isthmus_api.expressions import jsonata2py_engine
from isthmus_api.manifests import Manifests
from isthmus_api.mapping import MappingSpec, MappingTest
from isthmus_api.mapping_tests import Suite
from isthmus_api.resources import Resource, Resources

ROOT = Path(__file__).parents[3]
FENCED = re.compile(
    r"```yaml\n(apiVersion: (?:isthmus\.dev/|v1\nkind: ConfigMap).*?)```", re.DOTALL
)


def texts() -> Iterator[tuple[str, str]]:
    """Folders of examples, and pages with whole manifests; each is a world of its own."""
    for folder in sorted({path.parent for path in ROOT.glob("examples/*/*.yaml")}):
        found = (path.read_text() for path in sorted(folder.glob("*.yaml")))
        yield folder.name, "\n---\n".join(found)
    for page in sorted((*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md"))):
        yield page.name, "\n---\n".join(FENCED.findall(page.read_text()))


def cases() -> Iterator[tuple[str, Resource[MappingSpec], Manifests, MappingTest]]:
    for place, text in texts():
        found = manifests.read(text.encode(), file=place)
        for mapping in Resources.of(found.resources).mappings():
            for test in mapping.spec.tests:
                yield place, mapping, found, test


CASES = [
    pytest.param(mapping, found, test, id=f"{place}-{mapping.key.name}-{test.name}")
    for place, mapping, found, test in cases()
]


def test_there_are_tests_in_examples_and_pages() -> None:
    places = {place for place, *_ in cases()}

    runnable = {file.parent.name for file in ROOT.glob("examples/*/example.toml")}
    assert places >= {*runnable, "mappings.md"}


@pytest.mark.parametrize(("mapping", "found", "test"), CASES)
def test_the_second_engine_gives_what_is_expected(
    mapping: Resource[MappingSpec], found: Manifests, test: MappingTest
) -> None:
    tables = {each.name: each.data for each in found.config_maps}
    suite = Suite(
        mapping, Resources.of(found.resources), jsonata2py_engine.ENGINE, config_maps=tables.get
    )

    assert [str(each) for each in suite.failures(test)] == []
