"""An example as `make run` starts it, whole, from a copy and on ports of its own."""

import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
import route_process
from programs import PATIENCE, Program, Start

EXAMPLES = Path(__file__).parents[2] / "examples"
T = TypeVar("T")


@dataclass(frozen=True)
class Whole:
    """What was started. `urls` are those of the systems by name, and of the Route as `route`."""

    program: Program
    folder: Path
    urls: Mapping[str, str]

    def isthmus(self, *command: str) -> str:
        """What a person does with it on the command line; what that prints."""
        ended = subprocess.run(
            [sys.executable, "-m", "isthmus_cli", *command, "--dir", self.folder],
            check=True,
            capture_output=True,
            text=True,
        )
        return ended.stdout

    def secret(self, name: str) -> str:
        """One of the secrets that were made for it."""
        lines = (self.folder / ".isthmus/secrets.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)[name]


def started(start: Start, folder: Path, name: str, hurried: Mapping[str, str]) -> Whole:
    """Start an example in `folder`; `hurried` are texts of its manifests, and what suits a test."""
    _copy(name, folder)
    file = folder / name / "example.toml"
    services = tomllib.loads(file.read_text())["services"]
    ports = {each: route_process.free_port() for each in [*services, "route", "admin"]}
    moved = {str(service["port"]): str(ports[each]) for each, service in services.items()}
    _rewrite([file], {f"port = {port}\n": f"port = {free}\n" for port, free in moved.items()})
    addresses = {f"127.0.0.1:{port}": f"127.0.0.1:{free}" for port, free in moved.items()}
    _rewrite(sorted((folder / name).glob("*.yaml")), {**addresses, **hurried})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PORT", str(ports["route"]))
        patch.setenv("ADMIN_PORT", str(ports["admin"]))
        program = start(folder / "start.py", name)
    program.wait_for("Ctrl-C ends everything")
    urls = {each: f"http://127.0.0.1:{port}" for each, port in ports.items()}
    return Whole(program, folder / name, urls)


def until(read: Callable[[], T], so: Callable[[T], bool]) -> T:
    """Read until it is so; what was read then."""
    deadline = time.monotonic() + PATIENCE
    while not so(found := read()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def holds(name: str) -> None:
    """Its own lint finds nothing and its own tests pass."""
    for command in ("lint", "test"):
        ended = subprocess.run(
            [sys.executable, "-m", "isthmus_cli", command, EXAMPLES / name],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "warning " not in ended.stdout


def _copy(name: str, folder: Path) -> None:
    ignored = shutil.ignore_patterns(".isthmus", "__pycache__")
    for each in ("services", name):
        shutil.copytree(EXAMPLES / each, folder / each, ignore=ignored)
    shutil.copy(EXAMPLES / "start.py", folder)


def _rewrite(files: list[Path], changes: Mapping[str, str]) -> None:
    texts = {file: file.read_text() for file in files}
    for written, instead in changes.items():
        assert any(written in text for text in texts.values()), written
        texts = {file: text.replace(written, instead) for file, text in texts.items()}
    for file, text in texts.items():
        file.write_text(text)
