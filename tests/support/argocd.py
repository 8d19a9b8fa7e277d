"""Argo CD's own command, with the patch of its ConfigMap from the chart. It asks no cluster."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PATCH = ROOT / "charts/isthmus/files/argocd/argocd-cm.yaml"
TIMEOUT_SECONDS = 120.0
# Given the file before and the file after, as `diff` is; the latter is all that we want.
_SHOW_AFTER = "sh -c 'cat \"$1\"'"


@cache
def program() -> Path:
    """The command; built the first time, which takes minutes."""
    build = ROOT / "tests/cluster/build"
    built = subprocess.run([build, "argocd"], stdout=subprocess.PIPE, text=True, check=True)
    return Path(built.stdout.splitlines()[-1]) / "argocd"


def definition(kind: str) -> Path:
    """The definition of a kind of Argo CD's own, as its module has it."""
    found = subprocess.run(
        ["go", "mod", "download", "-json", "github.com/argoproj/argo-cd/v3"],
        cwd=ROOT / "tests/cluster/argocd",
        env=os.environ | {"GOWORK": "off"},
        check=True,
        capture_output=True,
        text=True,
    )
    return Path(json.loads(found.stdout)["Dir"]) / f"manifests/crds/{kind}-crd.yaml"


class ArgoCD:
    """Judges objects and runs actions on them, with its files in a folder of ours."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = os.environ | {
            "KUBECONFIG": str(folder / "no-cluster"),
            "KUBECTL_EXTERNAL_DIFF": _SHOW_AFTER,
            "TMPDIR": str(folder),
        }

    def health(self, found: dict[str, Any]) -> tuple[str, str]:
        """The health of an object, and the message that goes with it."""
        status, _, message = self._ask("health", found).partition("\n")
        return status.removeprefix("STATUS: "), message.removeprefix("MESSAGE: ").rstrip("\n")

    def actions(self, found: dict[str, Any]) -> set[str]:
        """The actions that an object offers as it is."""
        _, *rows = self._ask("list-actions", found).splitlines()
        return {name for name, disabled in map(str.split, rows) if disabled == "false"}

    def run(self, action: str, found: dict[str, Any], **parameters: str) -> dict[str, Any]:
        """An object as an action wants to have it."""
        told = self._ask("run-action", found, action, *_parameters(parameters))
        after: dict[str, Any] = yaml.safe_load(told.partition("\n\n")[2])
        return after

    def refusal(self, action: str, found: dict[str, Any], **parameters: str) -> str:
        """What is said when an action refuses; an AssertionError when it does not."""
        done = self._start("run-action", found, action, *_parameters(parameters))
        assert done.returncode != 0, done.stdout
        said: str = json.loads(done.stderr.splitlines()[-1])["msg"]
        return said

    def _ask(self, what: str, found: dict[str, Any], *args: str) -> str:
        done = self._start(what, found, *args)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _start(
        self, what: str, found: dict[str, Any], *args: str
    ) -> subprocess.CompletedProcess[str]:
        file = self._folder / "object.yaml"
        file.write_text(yaml.safe_dump(found))
        override = ("admin", "settings", "resource-overrides", what)
        return subprocess.run(
            [program(), *override, file, *args, "--argocd-cm-path", PATCH],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )


def _parameters(given: dict[str, str]) -> list[str]:
    return [word for name, value in given.items() for word in ("--param", f"{name}={value}")]


def change(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The merge patch between two objects (RFC 7386), which Argo CD sends after an action."""
    gone = dict.fromkeys(before.keys() - after.keys())
    return gone | {
        name: _change(before.get(name), value)
        for name, value in after.items()
        if before.get(name) != value
    }


def _change(before: Any, after: Any) -> Any:
    both = isinstance(before, dict) and isinstance(after, dict)
    return change(before, after) if both else after
