"""`isthmus render --cluster` against what a running operator made."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from cluster_command import Command
from helm import CHART, Helm
from normal_form import as_applied, normal
from operating import IMAGE, Cluster, eventually

from isthmus_cli import folder
from isthmus_operator.desired import CHILDREN_SELECTOR, Journal, SecretKey
from isthmus_operator.kube import kinds

ROOT = Path(__file__).parents[3]
JOURNAL = Journal(SecretKey("journal", "dsn"), 6432)
EXAMPLES = sorted(each.parent for each in (ROOT / "examples").glob("*/kustomization.yaml"))
VALUES = (
    "runtime.image.repository=localhost/isthmus-runtime",
    "runtime.image.tag=test",
    "journal.postgres.secretName=journal",
    "journal.postgres.secretKey=dsn",
    "journal.postgres.port=6432",
)
ROUTE = "apiVersion: isthmus.dev/v1alpha1\nkind: Route\nmetadata: {name: %s}\nspec: %s\n"
HELLO = ROUTE % ("hello", "{source: {http: {path: /hello}}, steps: [{respond: {body: hello}}]}")


def install(cluster: Cluster, tmp_path: Path, *values: str, name: str = "isthmus") -> None:
    """The operator's Deployment, of the chart; the operator itself runs in the test."""
    set_ = [part for value in (*VALUES, *values) for part in ("--set", value)]
    rendered = Helm(tmp_path / "helm")(
        "template", name, CHART, "--namespace", cluster.namespace, *set_
    )
    for found in yaml.safe_load_all(rendered):
        if found and found["kind"] == "Deployment":
            cluster.plane.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(found))


def kustomized(cluster: Cluster, example: Path) -> str:
    """What `kubectl apply -k` applies."""
    return cluster.plane.kubectl("kustomize", str(example)).stdout


def ours(text: str) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(text) if each["apiVersion"].startswith("isthmus.")]


async def children(cluster: Cluster) -> dict[tuple[str, str], dict[str, Any]]:
    """All children in the namespace, by kind and name."""
    return {
        (kind, found["metadata"]["name"]): found
        for kind, resource in kinds.CHILDREN.items()
        if kind != "HTTPRoute"
        async for chunk, _ in cluster.client.list(
            resource, cluster.namespace, selector=CHILDREN_SELECTOR
        )
        for found in chunk
    }


def by_name(manifests: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(each["kind"], each["metadata"]["name"]): each for each in manifests}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
async def test_what_is_rendered_is_what_lives(
    cluster: Cluster, isthmus: Command, tmp_path: Path, example: Path
) -> None:
    install(cluster, tmp_path)
    text = kustomized(cluster, example)
    (tmp_path / "example.yaml").write_text(text)
    routes = [each["metadata"]["name"] for each in ours(text) if each["kind"] == "Route"]
    assert routes
    async with cluster.operator(journal=JOURNAL):
        await cluster.apply(*ours(text))
        for name in routes:
            await cluster.condition("Route", name, "ConfigValid", status="True")
            await cluster.eventually_there("Deployment", name)

        ended = await isthmus.run(
            "render", "example.yaml", "--cluster", "--operator-namespace", cluster.namespace
        )

        assert (ended.stderr, ended.returncode) == ("", 0)
        rendered = by_name(list(yaml.safe_load_all(ended.stdout)))
        live = await eventually(
            lambda: children(cluster), until=lambda found: found.keys() == rendered.keys()
        )
        for key, manifest in rendered.items():
            assert normal(live[key]) == normal(await as_applied(cluster, manifest)), key


async def test_a_change_is_rendered_as_the_operator_then_makes_it(
    cluster: Cluster, isthmus: Command, tmp_path: Path
) -> None:
    """The Route lives, and the folder is ahead of it: what is rendered is what will be."""
    install(cluster, tmp_path)
    ahead = HELLO.replace("spec: {", "spec: {replicas: 3, resources: {limits: {cpu: 1500m}}, ")
    (tmp_path / "ahead.yaml").write_text(ahead)
    async with cluster.operator(journal=JOURNAL):
        await cluster.apply(HELLO)
        before = await cluster.eventually_there("Deployment", "hello")
        ended = await isthmus.run(
            "render", "ahead.yaml", "--cluster", "--operator-namespace", cluster.namespace
        )
        rendered = by_name(list(yaml.safe_load_all(ended.stdout)))
        deployment = rendered["Deployment", "hello"]
        assert normal(before) != normal(await as_applied(cluster, deployment))

        await cluster.apply(ahead)

        live = await eventually(
            lambda: cluster.get("Deployment", "hello"),
            until=lambda found: found is not None and found["spec"]["replicas"] == 3,
        )
        assert live is not None
        assert normal(live) == normal(await as_applied(cluster, deployment))


def test_a_route_that_is_not_there_yet_has_no_uid(
    cluster: Cluster, isthmus: Command, tmp_path: Path
) -> None:
    install(cluster, tmp_path)
    (tmp_path / "hello.yaml").write_text(HELLO)

    ended = isthmus(
        "render",
        "hello.yaml",
        "--cluster",
        "--operator-namespace",
        cluster.namespace,
        "-o",
        "json",
    )

    key = f"Route {cluster.namespace}/hello"
    assert ended.stderr == f"isthmus: {key} is not in the cluster yet: it has no uid\n"
    for manifest in json.loads(ended.stdout)["items"]:
        assert manifest["metadata"]["namespace"] == cluster.namespace
        (owner,) = manifest["metadata"]["ownerReferences"]
        assert "uid" not in owner
        assert "isthmus.dev/desired" not in manifest["metadata"].get("annotations", {})
    containers = [
        each
        for manifest in json.loads(ended.stdout)["items"]
        if manifest["kind"] == "Deployment"
        for each in manifest["spec"]["template"]["spec"]["containers"]
    ]
    assert [each["image"] for each in containers] == [IMAGE]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        pytest.param(None, "no operator serves the namespace", id="no operator"),
        pytest.param(("watch.namespaces={other}",), "no operator serves", id="one for others"),
    ],
)
def test_without_an_operator_it_says_what_to_do(
    cluster: Cluster, isthmus: Command, tmp_path: Path, values: tuple[str, ...] | None, said: str
) -> None:
    if values is not None:
        install(cluster, tmp_path, *values)
    (tmp_path / "hello.yaml").write_text(HELLO)

    ended = isthmus("render", "hello.yaml", "--cluster", "--operator-namespace", cluster.namespace)

    assert said in ended.stderr
    assert "--image" in ended.stderr
    assert (ended.stdout, ended.returncode) == ("", 2)


def test_of_two_operators_with_other_settings_one_is_chosen(
    cluster: Cluster, isthmus: Command, tmp_path: Path
) -> None:
    install(cluster, tmp_path)
    install(cluster, tmp_path, "runtime.image.tag=other", name="second")
    (tmp_path / "hello.yaml").write_text(HELLO)

    ended = isthmus("render", "hello.yaml", "--cluster", "--operator-namespace", cluster.namespace)

    assert f"several operators serve the namespace {cluster.namespace}" in ended.stderr
    assert ended.returncode == 2


def test_settings_that_this_version_does_not_know_are_refused(
    cluster: Cluster, isthmus: Command, tmp_path: Path
) -> None:
    """What a later operator is told may change what it makes, so nothing is guessed."""
    install(cluster, tmp_path)
    cluster.plane.kubectl(
        "-n", cluster.namespace, "set", "env", "deployment", "isthmus-operator", "ISTHMUS_NEW=1"
    )
    (tmp_path / "hello.yaml").write_text(HELLO)

    ended = isthmus("render", "hello.yaml", "--cluster", "--operator-namespace", cluster.namespace)

    assert "cannot be used by this version of isthmus: ISTHMUS_NEW is no setting" in ended.stderr
    assert ended.returncode == 2


def test_who_may_not_look_for_the_operator_is_told(
    cluster: Cluster, isthmus: Command, tmp_path: Path
) -> None:
    (tmp_path / "hello.yaml").write_text(HELLO)
    somebody = isthmus.with_rights("get,list routes.isthmus.dev")

    ended = isthmus("render", "hello.yaml", "--cluster", kubeconfig=somebody)

    assert "it needs list on deployments in all namespaces" in ended.stderr
    assert "name its --operator-namespace" in ended.stderr
    assert ended.returncode == 2


def test_every_example_has_a_route() -> None:
    """Those of kustomize alone take theirs from the others."""
    with_routes = [each for each in EXAMPLES if any(folder.load(each).resources.routes())]

    assert len(with_routes) >= 2


def test_render_reads_a_pipe(cluster: Cluster, isthmus: Command) -> None:
    """What kustomize makes is rendered without a file."""
    text = kustomized(cluster, ROOT / "examples/search-with-prices-kubernetes")

    ended = isthmus("render", "/dev/stdin", "--image", IMAGE, "-n", "shop", stdin=text)

    assert ended.returncode == 0, ended.stderr
    found = list(yaml.safe_load_all(ended.stdout))
    assert {each["metadata"]["namespace"] for each in found} == {"shop"}
