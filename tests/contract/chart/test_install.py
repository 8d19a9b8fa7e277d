"""Installing, upgrading and uninstalling the chart by real Helm on a real API server."""

import base64
import json
from pathlib import Path
from typing import Any

import older_chart
import pytest
from control_plane import ControlPlane
from helm import CHART, Helm

PLACE = "--namespace=isthmus-system"


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The chart as if one version ago."""
    return older_chart.make_with_older_definitions(tmp_path / "older")


def _get(plane: ControlPlane, *args: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(plane.kubectl("get", *args, "-o", "json").stdout)
    return found


def _operator(plane: ControlPlane) -> tuple[int, set[str]]:
    """Replicas and the names of the environment of the installed operator."""
    spec = _get(plane, "deployment", "isthmus-operator", "-n", "isthmus-system")["spec"]
    container = spec["template"]["spec"]["containers"][0]
    return spec["replicas"], {each["name"] for each in container["env"]}


def _names_of_ours(plane: ControlPlane) -> set[str]:
    return set(plane.kubectl("get", "crd", "-o", "name").stdout.split())


def test_an_upgrade_brings_new_fields_and_uninstalling_keeps_what_people_made(
    empty: ControlPlane, older: Path
) -> None:
    helm = Helm(empty.folder, empty)
    definition = ("crd", "routes.isthmus.dev")
    given = ("--set=runtime.image.tag=dev", "--set=replicas=3")

    helm("install", "isthmus", older, PLACE, "--create-namespace", *given)
    before, operator_before = _get(empty, *definition), _operator(empty)
    empty.until_established(*definition)
    empty.kubectl("apply", "-f", "-", stdin=older_chart.ROUTE)
    helm("upgrade", "isthmus", CHART, PLACE, "--reset-then-reuse-values")
    after, operator_after = _get(empty, *definition), _operator(empty)
    installed = _names_of_ours(empty)
    helm("uninstall", "isthmus", PLACE)

    assert "planHash" not in older_chart.status_fields(before)
    assert "planHash" in older_chart.status_fields(after)
    assert (operator_before[0], operator_after[0]) == (3, 3)
    assert operator_after[1] - operator_before[1] == {"ISTHMUS_WORKERS"}
    assert _names_of_ours(empty) == installed
    assert _get(empty, "route", "search")["spec"]["source"]["http"]["path"] == "/search"
    gone = empty.kubectl("get", "clusterroles,deployments,roles", "-A", "-o", "name").stdout
    assert "isthmus" not in gone

    # The definitions that stayed belong to the release of that name, which takes them back.
    helm("install", "isthmus", CHART, PLACE, *given)
    assert _get(empty, "route", "search")["metadata"]["name"] == "search"


def test_a_second_upgrade_with_the_same_values_changes_nothing(plane: ControlPlane) -> None:
    helm = Helm(plane.folder, plane)
    kinds = "deployments,services,roles,rolebindings,poddisruptionbudgets,serviceaccounts"
    everything = (f"{kinds},crds,clusterroles,clusterrolebindings", "-A")
    labelled = ("-l", "app.kubernetes.io/instance=isthmus")

    before = _versions(_get(plane, *everything, *labelled))
    helm("upgrade", "isthmus", CHART, "--namespace=all-seeing", "--set=runtime.image.tag=dev")

    assert before
    assert _versions(_get(plane, *everything, *labelled)) == before


EMBEDDED = (
    "--set=runtime.image.tag=dev",
    "--set=journal.embedded.enabled=true",
    "--set=crds.install=false",
    "--set=rbac.aggregateRoles=false",
)


def _secret(plane: ControlPlane, namespace: str, name: str) -> dict[str, str]:
    data = _get(plane, "secret", name, "-n", namespace)["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def test_the_password_of_the_embedded_journal_is_made_once_and_kept(plane: ControlPlane) -> None:
    helm = Helm(plane.folder, plane)
    place, name = "--namespace=tried-out", "tried-isthmus-journal"
    shared = "--set=journal.embedded.namespaces={elsewhere}"

    helm("install", "tried", CHART, place, "--create-namespace", *EMBEDDED, shared)
    first = _secret(plane, "tried-out", name)
    more = "--set=journal.embedded.namespaces={elsewhere,team-a}"
    helm("upgrade", "tried", CHART, place, *EMBEDDED, more)

    host = "tried-isthmus-journal.tried-out.svc:5432"
    assert first["dsn"] == f"postgresql://isthmus:{first['password']}@{host}/isthmus"
    assert len(first["password"]) == 32
    assert _secret(plane, "tried-out", name) == first
    for namespace in ("elsewhere", "team-a"):
        assert _secret(plane, namespace, name) == {"dsn": first["dsn"]}


def test_a_second_release_has_another_password(plane: ControlPlane) -> None:
    helm = Helm(plane.folder, plane)
    for name in ("one", "two"):
        helm("install", name, CHART, f"--namespace={name}", "--create-namespace", *EMBEDDED)

    passwords = {
        _secret(plane, name, f"{name}-isthmus-journal")["password"] for name in ("one", "two")
    }

    assert len(passwords) == 2


def test_a_password_that_is_given_is_taken(plane: ControlPlane) -> None:
    helm = Helm(plane.folder, plane)
    given = "--set=journal.embedded.password=made-up-for-this-test"
    helm("install", "given", CHART, "--namespace=given", "--create-namespace", *EMBEDDED, given)

    assert _secret(plane, "given", "given-isthmus-journal")["password"] == "made-up-for-this-test"


def _versions(found: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {
        (each["kind"], each["metadata"]["name"]): each["metadata"]["resourceVersion"]
        for each in found["items"]
    }


def test_a_namespaced_operator_is_installed_by_who_has_no_say_over_the_cluster(
    plane: ControlPlane,
) -> None:
    """A person who is admin of three namespaces and nothing else."""
    helm = Helm(plane.folder, plane)
    for name in ("small-operator", "small-a", "small-b"):
        plane.kubectl("create", "namespace", name)
        binding = ("create", "rolebinding", "small", "--clusterrole=cluster-admin", "--user=small")
        plane.kubectl(*binding, "-n", name)
    flags = ("--namespace=small-operator", "--kube-as-user=small", "--set=runtime.image.tag=dev")
    own = (
        "--set=crds.install=false",
        "--set=rbac.aggregateRoles=false",
        "--set=journal.embedded.enabled=true",
    )
    watch = "--set=watch.namespaces={small-a,small-b}"

    helm("install", "small", CHART, *flags, *own, watch)
    refused = helm.refusal("install", "large", CHART, *flags, *own)

    assert _get(plane, "role", "small-isthmus-operator", "-n", "small-b")["rules"]
    assert _secret(plane, "small-operator", "small-isthmus-journal")["password"]
    assert "clusterroles.rbac.authorization.k8s.io" in refused
