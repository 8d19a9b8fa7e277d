"""Runs the real command on real folders."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import json_shapes
import pytest

COMMAND = Path(sys.executable).parent / "isthmus"

Ended = subprocess.CompletedProcess[str]
Isthmus = Callable[..., Ended]
Folder = Callable[[Mapping[str, str | bytes]], Path]


@pytest.fixture
def isthmus(tmp_path: Path) -> Isthmus:
    """Run `isthmus` with arguments, in the folder of the test."""

    def run(*arguments: str | Path) -> Ended:
        environment = {key: value for key, value in os.environ.items() if key != "ISTHMUS_DEBUG"}
        ended = subprocess.run(
            [COMMAND, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in ended.stderr
        json_shapes.check(arguments, ended.stdout)
        return ended

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Write files into the folder `manifests` of the test."""

    def write(files: Mapping[str, str | bytes]) -> Path:
        for name, content in files.items():
            file = tmp_path / "manifests" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / "manifests"

    return write
