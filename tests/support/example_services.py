"""The systems of the examples as processes, for tests that call them."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

SERVICES = Path(__file__).parents[2] / "examples/services"
SIGN_IN = ("isthmus", "demo")
PATIENCE = 20


@dataclass(frozen=True, slots=True)
class Service:
    """A started process and where it listens."""

    process: subprocess.Popen[str]
    url: str

    def stop(self, number: signal.Signals) -> tuple[int, str]:
        """Its exit code, and what it said."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors


@contextlib.contextmanager
def importable() -> Iterator[None]:
    """Make their plain modules importable, and leave no trace of it afterwards."""
    ours = {path.stem for path in SERVICES.glob("*.py")}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SERVICES))
        yield
    for name in ours & set(sys.modules):
        del sys.modules[name]


@contextlib.contextmanager
def started(name: str, directory: Path, *arguments: str, **environment: str) -> Iterator[Service]:
    """Start a service on a free port, from a folder that has nothing to do with it.

    Nobody reads what it says meanwhile; one that is to answer a lot is started with --quiet.
    """
    process = subprocess.Popen(
        command(name, "--port", "0", *arguments),
        cwd=directory,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        announced = process.stdout.readline()
        assert " listens on " in announced, process.communicate(timeout=PATIENCE)
        yield Service(process, announced.split()[-1])
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


def client(url: str, auth: tuple[str, str] | None = None) -> httpx.Client:
    """A caller of it."""
    return httpx.Client(base_url=url, auth=auth, timeout=PATIENCE, trust_env=False)


def assert_problem(answer: httpx.Response, status: int) -> None:
    """An error is a problem document, whatever raised it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["title"]
    assert answer.json()["detail"]


def run(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start one that is to end by itself."""
    return subprocess.run(
        command(name, *arguments),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def command(name: str, *arguments: str) -> list[str]:
    """How one is started."""
    return [sys.executable, "-B", str(SERVICES / f"{name}.py"), *arguments]
