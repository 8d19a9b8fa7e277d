"""What the charts say of themselves to a catalogue is so."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from control_plane import ControlPlane
from helm import CHART, CRDS_CHART, ROOT

ABOUT = yaml.safe_load((CHART / "Chart.yaml").read_text())
PREFIX = "artifacthub.io/"
DEFINITIONS = [yaml.safe_load(file.read_text()) for file in sorted((ROOT / "crds").glob("*.yaml"))]


def _said(name: str) -> Any:
    return yaml.safe_load(ABOUT["annotations"][f"{PREFIX}{name}"])


def test_the_kinds_are_those_of_the_definitions() -> None:
    said = [(each["kind"], each["version"], each["name"]) for each in _said("crds")]

    assert said == [
        (each["spec"]["names"]["kind"], version["name"], each["metadata"]["name"])
        for each in DEFINITIONS
        for version in each["spec"]["versions"]
    ]


def test_there_is_an_example_of_each_kind() -> None:
    assert [each["kind"] for each in _said("crdsExamples")] == [
        each["kind"] for each in _said("crds")
    ]


def test_the_api_server_takes_the_examples(plane: ControlPlane, namespace: str) -> None:
    manifests = yaml.safe_dump_all(_said("crdsExamples"))

    applied = plane.kubectl(
        "apply", "--dry-run=server", "-n", namespace, "-f", "-", stdin=manifests
    )

    assert applied.stdout.count("created") == len(DEFINITIONS)


@pytest.mark.parametrize("verb", ["lint", "test"])
def test_the_examples_have_no_mistakes(tmp_path: Path, verb: str) -> None:
    (tmp_path / "examples.yaml").write_text(yaml.safe_dump_all(_said("crdsExamples")))

    command = Path(sys.executable).with_name("isthmus")
    ended = subprocess.run([command, verb, tmp_path], capture_output=True, text=True)

    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_images_are_those_of_the_values() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    repositories = {
        "operator": values["image"],
        "runtime": values["runtime"]["image"],
        "postgres": values["journal"]["embedded"]["image"],
    }

    assert {each["name"]: each["image"] for each in _said("images")} == {
        name: f"{image['repository']}:{ABOUT['appVersion']}" for name, image in repositories.items()
    }


@pytest.mark.parametrize("chart", [CHART, CRDS_CHART], ids=lambda chart: chart.name)
def test_what_changed_is_said_in_a_catalogues_words(chart: Path) -> None:
    annotations = yaml.safe_load((chart / "Chart.yaml").read_text())["annotations"]

    changes = yaml.safe_load(annotations[f"{PREFIX}changes"])

    kinds = {"added", "changed", "deprecated", "removed", "fixed", "security"}
    assert changes
    assert {each["kind"] for each in changes} <= kinds
    assert annotations[f"{PREFIX}license"] == "Apache-2.0"
    assert annotations[f"{PREFIX}prerelease"] in {"true", "false"}
