"""The generated parts of the chart: complete, and committed as generated."""

from pathlib import Path

import pytest
import yaml

import chart

ROOT = Path(__file__).parents[3]
SCHEMA = {"properties": {"workers": {"type": "integer"}}}


def test_the_committed_files_are_the_generated_ones(tmp_path: Path) -> None:
    chart.main([str(tmp_path)])
    written = {file.relative_to(tmp_path) for file in tmp_path.rglob("*.*")}
    definitions = {
        home.folder / file.name for home in chart.HOMES for file in (ROOT / "crds").glob("*.yaml")
    }

    assert written == {chart.REFERENCE, *definitions}
    for file in written:
        assert (ROOT / file).read_text() == (tmp_path / file).read_text(), "run `make generate`"


@pytest.mark.parametrize("home", chart.HOMES, ids=lambda home: home.labels)
def test_what_crds_gains_both_charts_gain(tmp_path: Path, home: chart.Home) -> None:
    (tmp_path / "crds").mkdir()
    (tmp_path / "crds/new.yaml").write_text("kind: It\nmetadata:\n  name: new\nspec: {field: 1}\n")

    chart.main([str(tmp_path), "--crds", str(tmp_path / "crds")])

    assert "spec: {field: 1}\n" in (tmp_path / home.folder / "new.yaml").read_text()


def test_a_definition_of_another_form_is_refused() -> None:
    with pytest.raises(chart.NotUnderstood, match="not one `metadata:`"):
        chart.definition_template("kind: It\n", source="crds/it.yaml")


def test_a_value_without_a_comment_is_refused() -> None:
    with pytest.raises(chart.NotUnderstood, match="workers has no comment"):
        list(chart.values("workers: 1\n", SCHEMA))


def test_a_value_that_the_schema_lacks_is_refused() -> None:
    with pytest.raises(chart.NotUnderstood, match="spare is missing"):
        list(chart.values("# What for.\nspare: 1\n", SCHEMA))


def test_every_value_has_a_row_with_its_comment_and_default() -> None:
    page = (ROOT / chart.REFERENCE).read_text()
    top = yaml.safe_load((ROOT / chart.CHART / "values.yaml").read_text())

    assert {name for name in top if f"| `{name}` |" not in page} == set()
    assert "| `workers` | integer | `16` | Resources that are reconciled at once. |" in page
