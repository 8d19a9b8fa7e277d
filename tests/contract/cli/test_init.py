"""isthmus init: what it writes is a repository that works as it is."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import httpx
import kubectl
import pytest
import yaml

Isthmus = Callable[..., CompletedProcess[str]]

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent


@pytest.fixture
def made(isthmus: Isthmus, tmp_path: Path) -> Path:
    """A new repository, as it is written without options."""
    ended = isthmus("init", "shop")

    assert (ended.returncode, ended.stderr) == (0, "")
    return tmp_path / "shop"


def path_with_programs(tmp_path: Path) -> dict[str, str]:
    """An environment whose PATH has `isthmus` and the kubectl of the tests."""
    return {**os.environ, "PATH": kubectl.on_path(tmp_path / "bin")}


def run(command: str, folder: Path, environment: dict[str, str]) -> CompletedProcess[str]:
    return subprocess.run(
        shlex.split(command),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def documents(file: Path) -> list[Any]:
    return list(yaml.safe_load_all(file.read_text()))


def test_it_passes_lint_and_test_as_a_whole(isthmus: Isthmus, made: Path) -> None:
    linted = isthmus("lint", "--strict", made)
    tested = isthmus("test", made)

    assert linted.returncode == 0, linted.stdout
    assert "0 errors, 0 warnings" in linted.stdout
    assert tested.returncode == 0, tested.stdout
    assert "has no tests" not in tested.stdout


def test_what_ci_runs_passes_and_sees_a_wrong_overlay(made: Path, tmp_path: Path) -> None:
    environment = path_with_programs(tmp_path)
    workflow = yaml.safe_load((made / ".github/workflows/check.yaml").read_text())
    command = workflow["jobs"]["check"]["steps"][-1]["run"]

    right = run(command, made, environment)
    overlay = made / "overlays/production/kustomization.yaml"
    overlay.write_text(overlay.read_text().replace("/spec/replicas", "/spec/replica"))
    wrong = run(command, made, environment)

    assert right.returncode == 0, right.stdout + right.stderr
    assert "overlays/test/" in right.stdout
    assert wrong.returncode == 1
    assert "did you mean 'replicas'?" in wrong.stdout, wrong.stdout


def test_the_hooks_of_pre_commit_pass_and_see_a_mistake(made: Path, tmp_path: Path) -> None:
    environment = path_with_programs(tmp_path)
    (repository,) = yaml.safe_load((made / ".pre-commit-config.yaml").read_text())["repos"]
    hooks = {hook["id"]: hook for hook in repository["hooks"]}

    right = {name: run(hook["entry"], made, environment) for name, hook in hooks.items()}
    mapping = made / "integrations/base/mappings.yaml"
    mapping.write_text(mapping.read_text().replace("onHand - reserved", "onHand"))
    wrong = {name: run(hook["entry"], made, environment) for name, hook in hooks.items()}

    assert {hook["language"] for hook in hooks.values()} == {"system"}
    assert {name: ended.returncode for name, ended in right.items()} == {
        "isthmus-lint": 0,
        "isthmus-test": 0,
    }
    assert {name: ended.returncode for name, ended in wrong.items()} == {
        "isthmus-lint": 0,
        "isthmus-test": 1,
    }


@pytest.mark.parametrize("environment", ["test", "production"])
def test_overlays_differ_in_what_is_theirs(made: Path, environment: str) -> None:
    built = subprocess.run(
        [kubectl.program(), "kustomize", made / "overlays" / environment],
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    found = {each["kind"]: each for each in yaml.safe_load_all(built)}

    assert {each["metadata"]["namespace"] for each in found.values()} == {f"shop-{environment}"}
    address = found["Connector"]["spec"]["http"]["baseUrl"]
    assert address.startswith(f"https://warehouse.{environment}.example.com/")
    assert found["Route"]["spec"]["env"] == {"site": environment}
    assert found["Route"]["spec"].get("replicas") == {"production": 2}.get(environment)


def test_run_serves_it_with_the_stand_in(made: Path) -> None:
    port = free_port()
    connectors = made / "integrations/base/connectors.yaml"
    connectors.write_text(connectors.read_text().replace(":8080/", f":{port}/"))
    command: list[str | Path] = [BIN / "isthmus", "run", "integrations", "--port", str(port)]
    command += ["--admin-port", "0", "--secrets", "integrations/local/secrets.env"]

    with subprocess.Popen(command, cwd=made, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        next(line for line in process.stdout if line.startswith("health"))
        answer = httpx.get(f"http://127.0.0.1:{port}/availability?sku=CH-1", timeout=30)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0

    assert answer.json() == {"sku": "CH-1", "available": 5, "inStock": True}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        number: int = found.getsockname()[1]
        return number


def test_argo_cd_and_flux_follow_overlays_that_are_there(isthmus: Isthmus, tmp_path: Path) -> None:
    url = "https://git.example.com/shop/integrations.git"
    isthmus("init", "made", "--name", "shop", "--repo-url", url, "--branch", "trunk")
    deploy = tmp_path / "made" / "deploy"

    for environment in ("test", "production"):
        (application,) = documents(deploy / "argocd" / f"{environment}.yaml")
        source = application["spec"]["source"]
        assert (source["repoURL"], source["targetRevision"]) == (url, "trunk")
        overlay = yaml.safe_load(
            (tmp_path / "made" / source["path"] / "kustomization.yaml").read_text()
        )
        assert application["spec"]["destination"]["namespace"] == overlay["namespace"]
        repository, kustomization = documents(deploy / "flux" / f"{environment}.yaml")
        assert repository["spec"]["url"] == url
        assert repository["spec"]["ref"] == {"branch": "trunk"}
        assert kustomization["spec"]["sourceRef"]["name"] == repository["metadata"]["name"]
        assert kustomization["spec"]["path"] == f"./{source['path']}"


def test_what_is_still_to_be_written_is_named(isthmus: Isthmus, tmp_path: Path) -> None:
    ended = isthmus("init", "shop", "--ci", "gitlab", "--gitops", "flux")

    files = [each for each in (tmp_path / "shop").rglob("*") if each.is_file()]
    unfinished = {
        str(each.relative_to(tmp_path / "shop"))
        for each in files
        if "CHANGE-ME" in each.read_text() and each.name != "README.md"
    }
    (told,) = (line for line in ended.stdout.splitlines() if "replace CHANGE-ME in: " in line)
    assert set(told.partition(": ")[2].split(", ")) == unfinished
    assert {f"wrote shop/{each.relative_to(tmp_path / 'shop')}" for each in files} == {
        line for line in ended.stdout.splitlines() if line.startswith("wrote ")
    }
    assert (tmp_path / "shop/.gitlab-ci.yml").exists()
    assert not (tmp_path / "shop/.github").exists()
    assert not (tmp_path / "shop/deploy/argocd").exists()


def test_nothing_that_is_there_is_overwritten(isthmus: Isthmus, tmp_path: Path) -> None:
    (tmp_path / "shop/scripts").mkdir(parents=True)
    (tmp_path / "shop/README.md").write_text("mine")
    (tmp_path / "shop/scripts/check").symlink_to("nowhere")
    (tmp_path / "shop/other").write_text("stays")

    ended = isthmus("init", "shop")

    assert ended.returncode == 2
    assert "shop/README.md, shop/scripts/check are there already; nothing was written" in " ".join(
        ended.stderr.split()
    )
    left = {each.name for each in (tmp_path / "shop").rglob("*") if not each.is_dir()}
    assert left == {"README.md", "check", "other"}
    assert (tmp_path / "shop/README.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("Shop Floor",), "'Shop Floor' cannot name namespaces; write --name"),
        (("shop", "--name", "Shop"), "'Shop': write small letters, digits and '-'"),
        (("shop", "--repo-url", 'x" y'), "without white space, quotes and backslashes"),
    ],
)
def test_names_that_cannot_be_used_are_refused(
    isthmus: Isthmus, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    ended = isthmus("init", *arguments)

    assert ended.returncode == 2
    assert told in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_wheel_has_every_template(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT / "cli",
        check=True,
        capture_output=True,
    )

    templates = ROOT / "cli/src/isthmus_cli/repository/templates"
    wanted = {
        f"isthmus_cli/repository/templates/{each.relative_to(templates)}"
        for each in templates.rglob("*")
        if each.is_file()
    }
    (wheel,) = tmp_path.glob("*.whl")
    assert wanted <= set(zipfile.ZipFile(wheel).namelist())
    assert len(wanted) > 15
