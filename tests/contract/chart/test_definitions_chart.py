"""The definitions as a package of their own: a chart, and plain files for kubectl."""

import json
from pathlib import Path
from typing import Any

import older_chart
import pytest
import yaml
from control_plane import ControlPlane
from helm import CHART, CRDS_CHART, ROOT, Helm

PLACE = ("--namespace=isthmus-system", "--create-namespace")
GIVEN = "--set=runtime.image.tag=dev"
FILES = sorted((ROOT / "crds").glob("*.yaml"))


def _definition(plane: ControlPlane) -> dict[str, Any]:
    """That of Route."""
    found: dict[str, Any] = json.loads(
        plane.kubectl("get", "crd", "routes.isthmus.dev", "-o", "json").stdout
    )
    return found


def _uid(plane: ControlPlane) -> str:
    return plane.kubectl("get", "route", "search", "-o", "jsonpath={.metadata.uid}").stdout


def test_lint_finds_nothing(offline: Helm) -> None:
    assert "0 chart(s) failed" in offline("lint", "--strict", CRDS_CHART)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_definition_is_that_of_crds_and_is_kept(offline: Helm, file: Path) -> None:
    template = f"--show-only=templates/crds/{file.name}"

    found = yaml.safe_load(offline("template", "definitions", CRDS_CHART, template))
    metadata = found.pop("metadata")
    wanted = yaml.safe_load(file.read_text())

    assert metadata["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert metadata["name"] == wanted.pop("metadata")["name"]
    assert found == wanted


def test_labels_of_ones_own_are_on_each(offline: Helm) -> None:
    rendered = offline("template", "definitions", CRDS_CHART, "--set=labels.team=platform")

    labels = [each["metadata"]["labels"] for each in yaml.safe_load_all(rendered)]
    assert [each["team"] for each in labels] == ["platform"] * len(FILES)
    assert {each["app.kubernetes.io/name"] for each in labels} == {"isthmus-crds"}


def test_a_typo_is_refused(offline: Helm) -> None:
    said = offline.refusal("template", "definitions", CRDS_CHART, "--set=lables.team=platform")

    assert "additional properties 'lables' not allowed" in said


def test_both_charts_are_of_one_version() -> None:
    about = [yaml.safe_load((each / "Chart.yaml").read_text()) for each in (CHART, CRDS_CHART)]

    for field in ("version", "appVersion", "kubeVersion"):
        assert about[0][field] == about[1][field]


def test_an_upgrade_brings_new_fields_and_uninstalling_keeps_what_people_made(
    empty: ControlPlane, tmp_path: Path
) -> None:
    helm = Helm(empty.folder, empty)
    older = older_chart.make_older_definitions(tmp_path / "older")

    helm("install", "definitions", older, *PLACE)
    empty.until_established()
    empty.kubectl("apply", "-f", "-", stdin=older_chart.ROUTE)
    made, before = _uid(empty), _definition(empty)
    helm("upgrade", "definitions", CRDS_CHART, *PLACE)
    after = _definition(empty)
    helm("uninstall", "definitions", "--namespace=isthmus-system")

    assert "planHash" not in older_chart.status_fields(before)
    assert "planHash" in older_chart.status_fields(after)
    assert _uid(empty) == made


def test_definitions_of_the_operators_chart_change_hands_and_routes_stay(
    empty: ControlPlane, tmp_path: Path
) -> None:
    helm = Helm(empty.folder, empty)
    older = older_chart.make_with_older_definitions(tmp_path / "older")
    helm("install", "isthmus", older, *PLACE, GIVEN)
    empty.until_established()
    empty.kubectl("apply", "-f", "-", stdin=older_chart.ROUTE)
    made = _uid(empty)

    helm("upgrade", "isthmus", CHART, *PLACE, GIVEN, "--set=crds.install=false")
    kept = _definition(empty)
    helm("install", "definitions", CRDS_CHART, *PLACE, "--take-ownership")
    taken = _definition(empty)
    helm("uninstall", "isthmus", "--namespace=isthmus-system")

    release = "meta.helm.sh/release-name"
    assert kept["metadata"]["annotations"][release] == "isthmus"
    assert taken["metadata"]["annotations"][release] == "definitions"
    assert "planHash" in older_chart.status_fields(taken)
    assert _uid(empty) == made


def test_the_files_are_applied_by_kubectl_and_the_operator_goes_beside_them(
    empty: ControlPlane,
) -> None:
    helm = Helm(empty.folder, empty)

    empty.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
    empty.until_established()
    helm("install", "isthmus", CHART, *PLACE, GIVEN, "--set=crds.install=false")
    empty.kubectl("apply", "-f", "-", stdin=older_chart.ROUTE)
    again = empty.kubectl("apply", "--server-side", "-f", str(ROOT / "crds")).stdout

    assert again.count("serverside-applied") == len(FILES)
    assert _uid(empty)
