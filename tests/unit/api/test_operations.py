"""The operations of the guide: each example is run as it is printed, by both engines."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from isthmus_api import mapping_tests
from isthmus_api.expressions import engine, jlens_engine, jsonata2py_engine
from isthmus_api.mapping import MappingSpec
from isthmus_api.model import ObjectMeta
from isthmus_api.plan import check
from isthmus_api.resources import MAPPING, Key, Resource, Resources

PAGE = (Path(__file__).parents[3] / "docs/how-to/mappings.md").read_text()
SECTION = PAGE.partition("## Operations\n")[2].partition("\n## ")[0]
HEADINGS = re.compile(r"^### (.*)$", re.MULTILINE)
EXAMPLE = re.compile(r"^### ([^\n]*)\n(?:(?!^### ).)*?^```yaml\n# example\n(.*?)^```",
                     re.MULTILINE | re.DOTALL)  # fmt: skip
EXAMPLES = dict(EXAMPLE.findall(SECTION))
WITHOUT = {"What steps do"}
"""Headings of what no expression does."""


def mapping(name: str) -> Resource[MappingSpec]:
    shown: dict[str, Any] = yaml.safe_load(EXAMPLES[name])
    test = {key: shown.pop(key) for key in ("input", "variables", "expect") if key in shown}
    spec = MappingSpec.model_validate({**shown, "tests": [{"name": name, **test}]})
    return Resource(Key(MAPPING.name, "default", "example"), ObjectMeta(name="example"), spec)


def test_every_operation_has_an_example() -> None:
    assert set(HEADINGS.findall(SECTION)) - WITHOUT == set(EXAMPLES)


@pytest.mark.parametrize("by", [jlens_engine.ENGINE, jsonata2py_engine.ENGINE],
                         ids=["jlens", "jsonata2py"])  # fmt: skip
@pytest.mark.parametrize("name", EXAMPLES)
def test_what_the_example_says_comes_out(name: str, by: engine.Engine) -> None:
    found = mapping(name)
    suite = mapping_tests.Suite(found, Resources.of([found]), by)

    assert [str(each) for each in suite.failures(found.spec.tests[0])] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_linter_has_nothing_to_say_against_it(name: str) -> None:
    assert check(Resources.of([mapping(name)])) == ()


@pytest.mark.parametrize(
    "needed",
    [
        *("wildcard", "Default", "Cast", "Date", "Number", "Table", "Condition", "Loop", "Split"),
        *("Merge", "Group", "Dictionary", "Rename keys", "Copy to children", "Hash"),
        *("JSON in a string", "XML", "CSV", "Set", "Remove", "Text", "Filter", "Join"),
    ],
)
def test_what_flows_of_the_trade_are_made_of_is_there(needed: str) -> None:
    assert any(needed in heading for heading in EXAMPLES)
