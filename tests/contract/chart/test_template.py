"""What Helm makes of the chart and of its values, without a cluster."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm import CHART, ROOT, Helm

import chart

HERE = Path(__file__).parent
GIVEN = ("--set=runtime.image.tag=dev",)
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
DIGEST = f"sha256:{'0' * 64}"
Golden = Callable[[str, str], None]


def _documents(text: str) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(text) if each]


def _environment(text: str) -> dict[str, str]:
    deployment = next(each for each in _documents(text) if each["kind"] == "Deployment")
    variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    return {each["name"]: each.get("value", "") for each in variables}


def _maps(path: str, value: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    """Every object of the values whose fields are ours and not the user's."""
    schema = (schema.get("$ref") and SCHEMA["definitions"][schema["$ref"].split("/")[-1]]) or schema
    if "properties" not in schema:
        return
    yield path
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _maps(f"{path}{name}.", inner, schema["properties"][name])


SCHEMA = json.loads((CHART / "values.schema.json").read_text())


def test_lint_finds_nothing(offline: Helm) -> None:
    assert "0 chart(s) failed" in offline("lint", "--strict", CHART)


@pytest.mark.parametrize("name", ["default", "embedded", "everything", "namespaced"])
def test_the_chart_renders_as_the_golden_file_says(
    offline: Helm, golden: Golden, name: str
) -> None:
    values = f"--values={HERE / 'values' / name}.yaml"
    place = "--namespace=isthmus-system"

    found = offline("template", "isthmus", CHART, place, values, "--set=crds.install=false")

    golden(f"{name}.yaml", found)


def test_the_golden_file_of_everything_sets_every_value() -> None:
    given = yaml.safe_load((HERE / "values/everything.yaml").read_text())
    # These two have golden files of their own; the test above leaves out the definitions.
    elsewhere = {"watch", "rbac", "crds"}

    assert given.keys() == VALUES.keys() - elsewhere


@pytest.mark.parametrize("file", sorted((ROOT / "crds").glob("*.yaml")), ids=lambda file: file.stem)
def test_a_definition_is_that_of_crds_and_is_kept(offline: Helm, file: Path) -> None:
    template = f"--show-only=templates/crds/{file.name}"

    (found,) = _documents(offline("template", "isthmus", CHART, *GIVEN, template))
    annotations = found["metadata"].pop("annotations")
    found["metadata"].pop("labels")

    assert annotations == {"helm.sh/resource-policy": "keep"}
    assert found == yaml.safe_load(file.read_text())


def test_a_definition_may_speak_of_double_braces(offline: Helm, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(CHART, tmp_path / "isthmus"))
    text = (ROOT / "crds/mappings.yaml").read_text()
    said = "kind: Mapping # {{ not an action }}\n    title: '{{ $x }}'\n"
    changed = text.replace("kind: Mapping\n", said)
    made = chart.definition_template(changed, source="crds/mappings.yaml")
    (copied / "templates/crds/mappings.yaml").write_text(made)

    template = "--show-only=templates/crds/mappings.yaml"
    (found,) = _documents(offline("template", "isthmus", copied, *GIVEN, template))

    assert found["spec"]["names"]["title"] == "{{ $x }}"


def test_a_namespaced_operator_needs_nothing_of_the_cluster(offline: Helm) -> None:
    values = f"--values={HERE / 'values/namespaced.yaml'}"

    found = _documents(offline("template", "isthmus", CHART, values, "--set=crds.install=false"))

    assert {each["kind"] for each in found} == {
        "Deployment",
        "PodDisruptionBudget",
        "Role",
        "RoleBinding",
        "Service",
        "ServiceAccount",
    }


@pytest.mark.parametrize("path", sorted(_maps("", VALUES, SCHEMA)))
def test_a_typo_is_refused_wherever_it_stands(offline: Helm, path: str) -> None:
    said = offline.refusal("template", "isthmus", CHART, *GIVEN, f"--set={path}tpyo=1")

    assert "additional properties 'tpyo' not allowed" in said


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("replicas=two", "at '/replicas': got string, want integer"),
        ("workers=0", "at '/workers': minimum: got 0, want 1"),
        ("crds.install=maybe", "at '/crds/install': got string, want boolean"),
        ("watch.namespaces=shop", "at '/watch/namespaces': got string, want array"),
        ("watch.namespaces={shop,shop}", "at '/watch/namespaces': items at 0 and 1 are equal"),
        ("watch.namespaces={Shop}", "at '/watch/namespaces/0': 'Shop' does not match pattern"),
        ("gateway=public", "at '/gateway': 'public' does not match pattern"),
        ("journal.claimSeconds=4", "at '/journal/claimSeconds': minimum: got 4, want 5"),
        ("journal.postgres.port=0", "at '/journal/postgres/port': minimum: got 0, want 1"),
        (
            "journal.postgres.secretKey=a/b",
            "at '/journal/postgres/secretKey': 'a/b' does not match",
        ),
        ("journal.embedded.password=short", "at '/journal/embedded/password': 'short' does not"),
        ("journal.embedded.storage.size=much", "at '/journal/embedded/storage/size': 'much' does"),
        ("image.digest=sha256:12", "at '/image/digest': 'sha256:12' does not match pattern"),
        ("image.pullPolicy=Sometimes", "at '/image/pullPolicy': value must be one of 'Always'"),
        ("tolerations[0].taint=x", "at '/tolerations/0': additional properties 'taint'"),
        (
            "affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].topology=x",
            "at '/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/0'",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_its_place(offline: Helm, setting: str, message: str) -> None:
    said = offline.refusal("template", "isthmus", CHART, *GIVEN, f"--set={setting}")

    assert message in said


def test_the_image_of_route_pods_must_be_chosen(offline: Helm) -> None:
    said = offline.refusal("template", "isthmus", CHART)

    assert "set runtime.image.tag or runtime.image.digest" in said


def test_a_password_that_would_be_another_one_each_time_is_not_made(offline: Helm) -> None:
    """So that a pipeline that renders without the cluster does not lock Routes out."""
    said = offline.refusal(
        "template", "isthmus", CHART, *GIVEN, "--set=journal.embedded.enabled=true"
    )

    assert "set journal.embedded.password: the chart is rendered without a cluster" in said


def test_there_is_one_journal(offline: Helm) -> None:
    values = f"--values={HERE / 'values/embedded.yaml'}"

    said = offline.refusal(
        "template", "isthmus", CHART, values, "--set=journal.postgres.secretName=orders-db"
    )

    assert "journal.postgres.secretName and journal.embedded.enabled are both set" in said


def test_a_digest_goes_before_a_tag(offline: Helm) -> None:
    setting = f"--set=runtime.image.digest={DIGEST}"

    found = _environment(offline("template", "isthmus", CHART, *GIVEN, setting))

    assert found["ISTHMUS_RUNTIME_IMAGE"] == f"localhost/isthmus-runtime@{DIGEST}"


def test_the_script_of_the_embedded_journal_is_that_of_the_chart(offline: Helm) -> None:
    values = f"--values={HERE / 'values/embedded.yaml'}"

    found = _documents(offline("template", "isthmus", CHART, values))
    (script,) = [
        each["data"]["journal.sh"]
        for each in found
        if each["kind"] == "ConfigMap" and "journal.sh" in each["data"]
    ]

    assert script.strip() == (CHART / "files/journal.sh").read_text().strip()


def test_a_newer_chart_leaves_the_image_of_route_pods(offline: Helm, tmp_path: Path) -> None:
    newer = Path(shutil.copytree(CHART, tmp_path / "isthmus"))
    about = (newer / "Chart.yaml").read_text().replace("ersion: 0.1.0", "ersion: 0.2.0")
    (newer / "Chart.yaml").write_text(about)

    before = _environment(offline("template", "isthmus", CHART, *GIVEN))
    after = offline("template", "isthmus", newer, *GIVEN)

    assert "localhost/isthmus-operator:0.2.0" in after
    assert _environment(after) == before
