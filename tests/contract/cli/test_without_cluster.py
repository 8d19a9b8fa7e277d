"""Every verb that asks a cluster says what it needs where there is none."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

VERBS = (
    ("status",),
    ("status", "-A"),
    ("rollout", "status", "it"),
    ("rollout", "history", "it"),
    ("rollout", "restart", "it"),
    ("rollout", "undo", "it"),
    ("pause", "it"),
    ("resume", "it"),
    ("logs", "it"),
    ("logs", "-f", "it"),
    ("top",),
    ("trace", "it"),
)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_without_a_kubeconfig(
    isthmus: Callable[..., CompletedProcess[str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    verb: tuple[str, ...],
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))

    ended = isthmus(*verb)

    assert ended.stderr.startswith("isthmus: no cluster: ")
    assert ended.stderr.endswith("; set KUBECONFIG, or --context\n")
    assert (ended.stdout, ended.returncode) == ("", 2)
