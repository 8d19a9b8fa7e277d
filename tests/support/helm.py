"""Helm against a control plane, or against none for what needs no cluster."""

import os
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from control_plane import ControlPlane

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts/isthmus"
CRDS_CHART = ROOT / "charts/isthmus-crds"
TIMEOUT_SECONDS = 120.0


@cache
def program() -> Path:
    """Helm itself; built the first time, which takes minutes."""
    build = ROOT / "tests/cluster/build"
    built = subprocess.run([build, "helm"], stdout=subprocess.PIPE, text=True, check=True)
    return Path(built.stdout.splitlines()[-1]) / "helm"


class Helm:
    """Runs Helm with its files in a folder of ours, so that nobody's own settings take part."""

    def __init__(self, folder: Path, plane: ControlPlane | None = None) -> None:
        config = plane.kubeconfig if plane else folder / "no-cluster"
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith("HELM_")
        } | {
            "HELM_CACHE_HOME": str(folder / "cache"),
            "HELM_CONFIG_HOME": str(folder / "config"),
            "HELM_DATA_HOME": str(folder / "data"),
            "KUBECONFIG": str(config),
        }

    def __call__(self, *args: str | Path) -> str:
        """What Helm prints; a failure is an AssertionError with what it says."""
        done = self._run(args)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refusal(self, *args: str | Path) -> str:
        """What Helm says when it refuses; an AssertionError when it does not."""
        done = self._run(args)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def outcome(self, *args: str | Path) -> tuple[int, str]:
        """The exit code, and what Helm prints, where either is well."""
        done = self._run(args)
        return done.returncode, done.stdout

    def _run(self, args: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program(), *args],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
