"""The reference pages: complete, with links that lead somewhere, and committed as generated."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from isthmus_api import crd, reference
from isthmus_api.expressions.functions import reference as functions
from isthmus_api.resources import KINDS, ROUTE, Kind
from isthmus_api.step import VERBS

ROOT = Path(__file__).parents[3]
KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@KIND
def test_the_committed_page_is_the_generated_one(kind: Kind) -> None:
    committed = (ROOT / "docs/reference" / reference.file_name(kind)).read_text()

    assert committed == reference.to_markdown(kind), "run `make generate`"


def test_main_writes_a_page_for_each_kind(tmp_path: Path) -> None:
    reference.main([str(tmp_path / "new")])

    written = {path.name: path.read_text() for path in (tmp_path / "new").iterdir()}

    assert written == {
        **{reference.file_name(kind): reference.to_markdown(kind) for kind in KINDS.values()},
        "functions.md": functions.reference_markdown(),
    }


@KIND
def test_every_field_is_on_the_page(kind: Kind) -> None:
    page = reference.to_markdown(kind)
    names = {*_field_names(crd.schema(kind.spec)), *_field_names(crd.schema(kind.status))}

    assert {name for name in names if f"| `{name}` |" not in page} == set()


def _field_names(node: dict[str, Any]) -> Iterator[str]:
    for name, field in node.get("properties", {}).items():
        yield name
        yield from _field_names(field)
    for inner in ("items", "additionalProperties"):
        if inner in node:
            yield from _field_names(node[inner])


def test_every_verb_that_has_fields_has_a_section() -> None:
    page = reference.to_markdown(ROUTE)
    sections = {verb for verb in VERBS if f"## `spec.steps[].{verb}`" in page}

    assert sections == set(VERBS) - {"filter"}


@KIND
def test_every_link_leads_to_a_section(kind: Kind) -> None:
    page = reference.to_markdown(kind)
    links = set(re.findall(r"\]\(#([^)]*)\)", page))
    headings = re.findall(r"^## `(.*)`$", page, flags=re.MULTILINE)
    anchors = [re.sub(r"[^a-z0-9_-]", "", heading.lower()) for heading in headings]

    assert links <= set(anchors)
    assert len(anchors) == len(set(anchors))


@KIND
def test_every_row_has_the_cells_of_its_table(kind: Kind) -> None:
    rows = [line for line in reference.to_markdown(kind).splitlines() if line.startswith("|")]

    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}


def test_a_row_tells_type_bounds_default_and_meaning() -> None:
    page = reference.to_markdown(ROUTE)

    assert (
        "| `concurrency` | integer; 1 to 256 | `8` | Elements under way at once. |"
        in page.splitlines()
    )


def test_what_stands_in_two_places_is_told_once() -> None:
    page = reference.to_markdown(ROUTE)

    assert "| `respond` | [object](#specstepsrespond) |  | Answer the caller with this. |" in page
    assert "spec.branches.*[]" not in page
