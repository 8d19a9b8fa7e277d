"""`isthmus run` with Routes that need a journal: where it keeps one, and what it says of them."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.contract.cli.conftest import COMMAND, Folder

HOOK = """
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: hook}
spec:
  source: {webhook: {path: /hook, open: true}}
  steps:
    - map: {expression: "{ 'seen': number }"}
"""


@contextmanager
def running(folder: Path, *options: str) -> Iterator[dict[str, str]]:
    """`isthmus run` on ports of its own; what it announced, by name of the Route."""
    command: list[str | Path] = [
        COMMAND,
        "run",
        folder,
        "--port",
        "0",
        "--admin-port",
        "0",
        *options,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield _announced(process)
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0


def _announced(process: subprocess.Popen[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    assert process.stdout
    for line in process.stdout:
        if line.startswith("health"):
            found["admin"] = line.split()[-1]
            break
        method_and_url, _, route = line.strip().partition("  ")
        found[route] = method_and_url
    return found


def test_messages_are_kept_beside_the_manifests_and_out_of_git(folder: Folder) -> None:
    place = folder({"hook.yaml": HOOK})
    with running(place) as announced:
        method, url = announced["default/hook"].split()
        answer = httpx.request(method, url, json={"number": 1})

    assert (method, answer.status_code) == ("POST", 202)
    assert (place / ".isthmus" / "journal.db").exists()
    assert (place / ".isthmus" / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("scheme", ["", "sqlite:"])
def test_a_journal_can_be_kept_elsewhere(folder: Folder, tmp_path: Path, scheme: str) -> None:
    place, elsewhere = folder({"hook.yaml": HOOK}), tmp_path / "elsewhere.db"
    with running(place, "--journal", f"{scheme}{elsewhere}") as announced:
        status = httpx.get(announced["admin"]).json()

    assert status["ready"] is True, json.dumps(status)
    assert elsewhere.exists()
    assert not (place / ".isthmus").exists()


LIMITED = """
apiVersion: isthmus.dev/v1alpha1
kind: Connector
metadata: {name: erp}
spec: {http: {baseUrl: "http://127.0.0.1:9", rateLimit: {requests: 60}}}
"""


@pytest.mark.parametrize("more", ["", "    - call: {connector: erp}"], ids=["plain", "limited"])
def test_a_folder_without_such_routes_gets_no_journal(folder: Folder, more: str) -> None:
    http = HOOK.replace("webhook: {path: /hook, open: true}", "http: {method: POST, path: /hook}")
    place = folder({"http.yaml": http + more, "erp.yaml": LIMITED})
    with running(place) as announced:
        assert announced["default/hook"].startswith("POST http://127.0.0.1:")

    assert not (place / ".isthmus").exists()
