"""`kubectl isthmus`: the plugin, found by a real kubectl, and what it is told for completion."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import manifests_text
import pytest
from cluster_command import Command
from operating import Cluster

BIN = Path(sys.executable).parent


async def test_kubectl_finds_the_plugin(cluster: Cluster, isthmus: Command) -> None:
    await cluster.apply(manifests_text.route("- respond: {body: 1}"))
    kubectl = cluster.plane.kubectl_program
    environment = isthmus.environment() | {"PATH": f"{BIN}:{os.environ['PATH']}"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [kubectl, "isthmus", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    told = await asyncio.to_thread(run, "rollout", "--help")
    status = await asyncio.to_thread(run, "status", "it")

    assert told.stdout.startswith("Usage: kubectl isthmus rollout [OPTIONS] COMMAND")
    assert "NotObserved" in status.stdout
    assert status.returncode == 1


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        pytest.param(("rollout", "restart", "o"), ["offers", "orders"], id="a name"),
        pytest.param(("logs", "-f", "route/or"), ["route/orders"], id="with its kind"),
        pytest.param(("logs", "pod/o"), [], id="of another kind"),
        pytest.param(("logs", "-n", "default", ""), [], id="in another namespace"),
        pytest.param(("logs", "--context", "none", ""), [], id="in no cluster"),
        pytest.param(
            ("roll",), ["rollout\tFollow and restart the roll-outs of Routes."], id="verb"
        ),
        pytest.param((), None, id="everything"),
    ],
)
async def test_kubectl_is_told_how_to_complete(
    cluster: Cluster, isthmus: Command, typed: tuple[str, ...], offered: list[str] | None
) -> None:
    for name in ("orders", "offers", "stock"):
        await cluster.apply(manifests_text.route("- respond: {body: 1}", name=name))

    ended = await isthmus.run(*typed, program=BIN / "kubectl_complete-isthmus")

    *words, directive = ended.stdout.splitlines()
    assert directive == ":4"
    assert words == offered if offered is not None else len(words) > 10
    assert (ended.stderr, ended.returncode) == ("", 0)
