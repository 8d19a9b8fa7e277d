"""isthmus promote against a cluster: keys of Secrets are looked for, with the rights one has."""

import json
from pathlib import Path
from typing import Any

import kubectl
import pytest
from cluster_command import Command, Ended
from control_plane import ControlPlane

CANARY = "canary-of-the-warehouse"


@pytest.fixture
def repository(
    isthmus: Command,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A new repository whose target is the namespace of the test, and lists nothing."""
    monkeypatch.setenv("PATH", kubectl.on_path(tmp_path_factory.mktemp("path") / "bin"))
    assert isthmus("init", ".", "--name", "shop").returncode == 0
    (tmp_path / "overlays/production/secrets.list").unlink()
    return tmp_path


def make(plane: ControlPlane, namespace: str, key: str) -> None:
    plane.kubectl(
        "-n",
        namespace,
        "create",
        "secret",
        "generic",
        "warehouse",
        f"--from-literal={key}={CANARY}",
    )


def promote(isthmus: Command, namespace: str, **how: Any) -> Ended:
    ended = isthmus("promote", "overlays/test", "overlays/production", "-n", namespace, **how)
    assert CANARY not in ended.stdout + ended.stderr
    return ended


def test_a_key_that_is_there_is_found_and_nothing_is_applied(
    isthmus: Command, plane: ControlPlane, namespace: str, repository: Path
) -> None:
    make(plane, namespace, "token")

    ended = promote(isthmus, namespace)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = plane.kubectl("-n", namespace, "get", "connectors,mappings,routes", "-o", "json").stdout
    assert json.loads(found)["items"] == []
    written = "".join(each.read_text() for each in repository.rglob("*.yaml"))
    assert CANARY not in written


def test_a_secret_that_is_missing_is_named(
    isthmus: Command, namespace: str, repository: Path
) -> None:
    (repository / "overlays/production/secrets.list").write_text("Secret warehouse/token\n")

    ended = promote(isthmus, namespace)

    assert ended.returncode == 1
    assert f"the namespace {namespace} has no Secret 'warehouse'" in ended.stdout
    assert "spec.http.auth.bearer.token.secretKeyRef" in ended.stdout
    assert "integrations/base/connectors.yaml:10:" in ended.stdout


def test_a_key_that_is_missing_is_named_and_those_that_are_there(
    isthmus: Command, plane: ControlPlane, namespace: str, repository: Path
) -> None:
    make(plane, namespace, "password")

    ended = promote(isthmus, namespace)

    assert ended.returncode == 1
    told = f"the Secret 'warehouse' of the namespace {namespace} has no key 'token'"
    assert told in ended.stdout
    assert "there are: password" in ended.stdout


def test_without_the_right_it_says_which_one_is_missing_and_takes_the_list(
    isthmus: Command, plane: ControlPlane, namespace: str, repository: Path
) -> None:
    make(plane, namespace, "token")
    nobody = isthmus.with_rights("get configmaps")
    reader = isthmus.with_rights("get secrets")

    refused = promote(isthmus, namespace, kubeconfig=nobody)
    allowed = promote(isthmus, namespace, kubeconfig=reader)
    (repository / "overlays/production/secrets.list").write_text("Secret warehouse/token\n")
    listed = promote(isthmus, namespace, kubeconfig=nobody)

    assert refused.returncode == 1
    right = f"it needs get on secrets in the namespace {namespace}"
    assert right in refused.stdout
    assert allowed.returncode == 0
    assert listed.returncode == 0
    assert f"get on secrets in the namespace {namespace}" in listed.stdout
