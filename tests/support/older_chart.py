"""The chart as if one version ago: without the value `workers`, and without a field of a Route."""

import json
import shutil
from pathlib import Path
from typing import Any

import yaml
from helm import CHART, CRDS_CHART, ROOT

import chart

_VARIABLE = """\
- name: ISTHMUS_WORKERS
  value: {{ .Values.workers | quote }}
"""


ROUTE = """\
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: search}
spec:
  source: {http: {path: /search}}
  steps: [{call: {connector: shop}}]
"""
"""One that either chart's definitions take."""


def make(folder: Path) -> Path:
    """Write it to a folder that is not there yet. The definitions are those of today.

    Today's operator cannot do with older ones: a status that has a field more is refused.
    """
    shutil.copytree(CHART, folder)
    _without_the_value(folder)
    _replace(folder / "templates/_helpers.tpl", _VARIABLE, "")
    _replace(folder / "Chart.yaml", "version: 0.1.0", "version: 0.0.9")
    return folder


def make_with_older_definitions(folder: Path) -> Path:
    """Write it, with a Route whose status has one field less."""
    make(folder)
    _without_the_field(folder / "templates/crds/routes.yaml", chart.WITH_OPERATOR)
    return folder


def make_older_definitions(folder: Path) -> Path:
    """Write the chart that has the definitions alone, with the same field less."""
    shutil.copytree(CRDS_CHART, folder)
    _without_the_field(folder / "templates/crds/routes.yaml", chart.ALONE)
    _replace(folder / "Chart.yaml", "version: 0.1.0", "version: 0.0.9")
    return folder


def status_fields(definition: dict[str, Any]) -> dict[str, Any]:
    """The fields of a status in a CustomResourceDefinition."""
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    fields: dict[str, Any] = schema["properties"]["status"]["properties"]
    return fields


def _without_the_field(file: Path, home: chart.Home) -> None:
    definition = yaml.safe_load((ROOT / "crds/routes.yaml").read_text())
    del status_fields(definition)["planHash"]
    text = yaml.safe_dump(definition, sort_keys=False)
    file.write_text(chart.definition_template(text, source="older", home=home))


def _without_the_value(folder: Path) -> None:
    values = yaml.safe_load((folder / "values.yaml").read_text())
    del values["workers"]
    (folder / "values.yaml").write_text(yaml.safe_dump(values))
    schema = json.loads((folder / "values.schema.json").read_text())
    del schema["properties"]["workers"]
    (folder / "values.schema.json").write_text(json.dumps(schema))


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    if old not in text:
        raise ValueError(f"{file.name} has no longer: {old}")
    file.write_text(text.replace(old, new))
