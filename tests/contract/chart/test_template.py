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
from isthmus_operator import settings

HERE = Path(__file__).parent
GIVEN = ("--set=runtime.image.tag=dev",)
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
DIGEST = f"sha256:{'0' * 64}"
NAMES = sorted(file.stem for file in (HERE / "values").glob("*.yaml"))
Golden = Callable[[str, str], None]


def _documents(text: str) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(text) if each]


def _environment(text: str) -> dict[str, str]:
    deployment = next(each for each in _documents(text) if each["kind"] == "Deployment")
    variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"]
    return {each["name"]: each.get("value", "") for each in variables}


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """What a schema says, or the definition that it names."""
    return SCHEMA["definitions"][schema["$ref"].split("/")[-1]] if "$ref" in schema else schema


def _leaves(
    value: dict[str, Any], schema: dict[str, Any], *above: str
) -> Iterator[tuple[str, ...]]:
    """The path of every value that has no fields of ours below it."""
    for name, inner in value.items():
        below = _resolved(schema["properties"][name])
        if isinstance(inner, dict) and inner and "properties" in below:
            yield from _leaves(inner, below, *above, name)
        else:
            yield (*above, name)


def _without(value: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """The same values but one."""
    first, *rest = path
    if not rest:
        return {name: inner for name, inner in value.items() if name != first}
    return {**value, first: _without(value[first], tuple(rest))}


def _maps(path: str, value: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    """Every object of the values whose fields are ours and not the user's, or another chart's."""
    schema = _resolved(schema)
    if "properties" not in schema or path == "global.":
        return
    yield path
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _maps(f"{path}{name}.", inner, schema["properties"][name])


SCHEMA = json.loads((CHART / "values.schema.json").read_text())


def test_lint_finds_nothing(offline: Helm) -> None:
    assert "0 chart(s) failed" in offline("lint", "--strict", CHART)


@pytest.mark.parametrize("name", NAMES)
def test_the_chart_renders_as_the_golden_file_says(
    offline: Helm, golden: Golden, name: str
) -> None:
    values = f"--values={HERE / 'values' / name}.yaml"
    place = "--namespace=isthmus-system"

    # These are generated, and tested for being handed on as they are.
    left_out = ("--set=crds.install=false", "--set=metrics.dashboards.enabled=false")

    found = offline("template", "isthmus", CHART, place, values, *left_out)

    golden(f"{name}.yaml", found)


GIVEN_IN = {name: yaml.safe_load((HERE / f"values/{name}.yaml").read_text()) for name in NAMES}


def test_every_value_stands_in_a_file() -> None:
    given = [path for values in GIVEN_IN.values() for path in _leaves(values, SCHEMA)]
    missing = {
        leaf
        for leaf in _leaves(VALUES, SCHEMA)
        if not any(path[: len(leaf)] == leaf for path in given)
    }

    # The golden files leave the definitions out; a test of its own has this one.
    assert missing == {("crds", "install")}


@pytest.mark.parametrize(
    ("name", "path"),
    [(name, path) for name in NAMES for path in _leaves(GIVEN_IN[name], SCHEMA)],
    ids=lambda each: ".".join(each) if isinstance(each, tuple) else each,
)
def test_a_value_changes_what_is_rendered(
    offline: Helm, tmp_path: Path, name: str, path: tuple[str, ...]
) -> None:
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(_without(GIVEN_IN[name], path)))
    command = ("template", "isthmus", CHART, "--set=crds.install=false", "--values")

    before = offline(*command, HERE / f"values/{name}.yaml")
    # Some must be there for others to be taken.
    code, after = offline.outcome(*command, tmp_path / "values.yaml")

    assert code or after != before


def test_without_crds_install_there_is_no_definition(offline: Helm) -> None:
    install, leave = ("--set=crds.install=true",), ("--set=crds.install=false",)
    kinds = [
        {each["kind"] for each in _documents(offline("template", "isthmus", CHART, *GIVEN, *given))}
        for given in (install, leave)
    ]

    assert kinds[0] - kinds[1] == {"CustomResourceDefinition"}


def _objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every part of a schema that speaks of an object with fields."""
    if isinstance(schema, dict):
        if "properties" in schema and schema.get("type") == "object":
            yield schema
        for inner in schema.values():
            yield from _objects(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _objects(inner)


def test_the_schema_closes_every_object_but_what_all_charts_share() -> None:
    open_ones = [each for each in _objects(SCHEMA) if each.get("additionalProperties") is not False]

    assert open_ones == [SCHEMA["properties"]["global"]]


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("localhost/isthmus-operator", "registry.example.com/isthmus-operator:1"),
        ("quay.example.com/team/operator", "registry.example.com/team/operator:1"),
        ("host:5000/operator", "registry.example.com/operator:1"),
        ("team/operator", "registry.example.com/team/operator:1"),
        ("operator", "registry.example.com/operator:1"),
    ],
)
def test_the_registry_of_all_images_takes_the_place_of_theirs(
    offline: Helm, name: str, image: str
) -> None:
    registry = "--set=global.imageRegistry=registry.example.com"
    given = (registry, f"--set=image.repository={name}", "--set-string=image.tag=1")

    rendered = offline("template", "isthmus", CHART, *GIVEN, *given)

    pods = [each for each in _documents(rendered) if each["kind"] == "Pod"]
    assert [each["spec"]["containers"][0]["image"] for each in pods] == [image]
    assert f'image: "{image}"' in rendered


def test_what_all_routes_pods_have_reaches_the_operator_as_it_reads_it(offline: Helm) -> None:
    rendered = offline("template", "isthmus", CHART, f"--values={HERE / 'values/everything.yaml'}")

    said = settings.pod_template(_environment(rendered)["ISTHMUS_RUNTIME_POD_TEMPLATE"])
    given = GIVEN_IN["everything"]["runtime"]["podTemplate"]
    assert said.canonical().items() >= given.items()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), {"maxUnavailable": 1}),
        (("--set=podDisruptionBudget.maxUnavailable=0",), {"maxUnavailable": 0}),
        (("--set=podDisruptionBudget.minAvailable=0",), {"minAvailable": 0}),
        (("--set=podDisruptionBudget.minAvailable=2",), {"minAvailable": 2}),
        (("--set=podDisruptionBudget.minAvailable=50%",), {"minAvailable": "50%"}),
    ],
)
def test_a_budget_says_one_of_the_two(
    offline: Helm, given: tuple[str, ...], said: dict[str, Any]
) -> None:
    template = "--show-only=templates/poddisruptionbudget.yaml"

    [made] = _documents(offline("template", "isthmus", CHART, *GIVEN, template, *given))

    counts = ("minAvailable", "maxUnavailable")
    assert {name: made["spec"][name] for name in counts if name in made["spec"]} == said


def test_where_routes_pods_are_given_nothing_the_operator_is_told_nothing(offline: Helm) -> None:
    assert (
        _environment(offline("template", "isthmus", CHART, *GIVEN))["ISTHMUS_RUNTIME_POD_TEMPLATE"]
        == ""
    )


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
        "Pod",
        "PodDisruptionBudget",
        "PodMonitor",
        "Role",
        "RoleBinding",
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
        ("global.imageRegistry=https://host", "at '/global/imageRegistry': 'https://host' does"),
        ("podDisruptionBudget.minAvailable=half", "at '/podDisruptionBudget/minAvailable': 'half'"),
        ("topologySpread.constraints[0].maxSkew=0", "missing properties 'topologyKey'"),
        ("metrics.rules.runbooks=wiki", "at '/metrics/rules/runbooks': 'wiki' does not match"),
        (
            "runtime.podTemplate.env[0].name=x",
            "at '/runtime/podTemplate': additional properties 'env' not allowed",
        ),
        ("runtime.podTemplate.imagePullSecrets={a}", "imagePullSecrets/0': got string, want obj"),
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
