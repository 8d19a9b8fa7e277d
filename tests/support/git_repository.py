"""A git repository of manifests, as Argo CD and others read it: on this machine, by its path."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

MAIN = "main"


class Repository:
    """A repository with a working tree that only its commits show to others."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self._git("init", "--quiet", f"--initial-branch={MAIN}")

    @property
    def url(self) -> str:
        """Where it is cloned from."""
        return self._folder.as_uri()

    def commit(self, path: str, *manifests: dict[str, Any]) -> str:
        """Have a folder hold these manifests and no others; the revision that has it so."""
        folder = self._folder / path
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "manifests.yaml").write_text(yaml.safe_dump_all(manifests))
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", "a change")
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *args: str) -> str:
        someone = {"NAME": "somebody", "EMAIL": "somebody@example.com"}
        who = {
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in someone.items()
        }
        nobodys = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        return subprocess.run(
            ["git", "-C", self._folder, *args],
            env=os.environ | who | nobodys,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
