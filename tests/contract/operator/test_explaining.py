"""What every verb says where the cluster cannot be asked, and that no secret is ever said."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import populations
import pytest
from cluster_command import COMMAND, TIMEOUT_SECONDS, Command
from control_plane import ControlPlane
from operating import Cluster

SECRET = "planted-ZmFrZQ-in-a-secret"
VERBS: tuple[tuple[str, ...], ...] = (
    ("status", "route-0"),
    ("status", "-A"),
    ("status", "-o", "json"),
    ("rollout", "status", "route-0", "--no-watch"),
    ("rollout", "history", "route-0"),
    ("rollout", "restart", "route-0"),
    ("rollout", "undo", "route-0"),
    ("pause", "route-0"),
    ("resume", "route-0"),
    ("logs", "route-0"),
    ("top", "--interval", "10ms"),
    ("trace", "route-0"),
    ("trace", "route-0", "-o", "json"),
    ("trace", "route-0", "-o", "dot"),
    ("messages", "list", "-n", "NAMESPACE"),
    ("diff", "."),
    ("render", ".", "--cluster"),
)
OF_ONE = tuple(each for each in VERBS if "route-0" in each)


def _words(verb: tuple[str, ...], namespace: str) -> tuple[str, ...]:
    return tuple(namespace if each == "NAMESPACE" else each for each in verb)


@pytest.fixture
async def filled(cluster: Cluster, isthmus: Command) -> Command:
    """A Route with all that belongs to it, and its manifests in the folder of the command."""
    await populations.fill(cluster.client, cluster.namespace, 1, secret=SECRET)
    made = [each(cluster.namespace, 0) for each in (populations.mapping, populations.route)]
    for number, each in enumerate([populations.connector(cluster.namespace, 0), *made]):
        (isthmus.folder / f"{number}.yaml").write_text(json.dumps(each))
    return isthmus


async def test_no_verb_tells_a_secret_or_a_token(filled: Command) -> None:
    nobody = filled.with_rights()
    token = json.loads(nobody.read_text())["users"][0]["user"]["token"]
    for verb in VERBS:
        for kubeconfig in (None, nobody):
            ended = await filled.run(
                *_words(verb, filled.namespace),
                kubeconfig=kubeconfig,
                environment={"ISTHMUS_DEBUG": "1"},
            )
            for planted in (SECRET, token):
                assert planted not in ended.stdout + ended.stderr, verb


async def test_a_right_that_is_missing_is_named(filled: Command) -> None:
    nobody = filled.with_rights()
    for verb in VERBS:
        ended = await filled.run(*_words(verb, filled.namespace), kubeconfig=nobody)

        assert "it needs " in ended.stderr, verb
        assert (ended.stdout, ended.returncode) == ("", 2), verb


async def test_a_name_that_is_not_there_is_told_with_one_that_is(filled: Command) -> None:
    for verb in OF_ONE:
        ended = await filled.run(*("route-O" if each == "route-0" else each for each in verb))

        assert "did you mean route/route-0?" in ended.stderr, verb
        assert (ended.stdout, ended.returncode) == ("", 2), verb


async def test_a_server_that_does_not_answer_is_named(filled: Command) -> None:
    away = filled.kubeconfig(server="https://127.0.0.1:9")
    for verb in VERBS:
        ended = await filled.run(*_words(verb, filled.namespace), kubeconfig=away)

        assert "cannot be reached at https://127.0.0.1:9: " in ended.stderr, verb
        assert (ended.stdout, ended.returncode) == ("", 2), verb


@pytest.fixture(scope="module")
def bare() -> Iterator[ControlPlane]:
    """An API server that does not have our kinds."""
    with ControlPlane() as plane:
        yield plane


def test_a_cluster_without_our_kinds_is_told_apart(bare: ControlPlane, tmp_path: Path) -> None:
    environment = os.environ | {"KUBECONFIG": str(bare.kubeconfig)}
    for verb in (each for each in VERBS if each[0] not in ("top", "messages", "diff", "render")):
        ended = subprocess.run(
            [COMMAND, *verb],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )

        assert "this cluster has no routes" in ended.stderr, verb
        assert "install the chart" in ended.stderr, verb
        assert (ended.stdout, ended.returncode) == ("", 2), verb


async def test_what_is_changed_is_told_as_json(filled: Command) -> None:
    told = [
        json.loads((await filled.run(*verb, "route-0", "-o", "json")).stdout)
        for verb in (("rollout", "restart"), ("pause",), ("pause",), ("resume",))
    ]

    restarted, paused, again, resumed = told
    who = {"route": "route-0", "namespace": filled.namespace}
    assert restarted == who | {"restartedAt": restarted["restartedAt"]}
    assert paused == who | {"paused": True, "changed": True, "replicas": 1, "warnings": []}
    assert again == paused | {"changed": False}
    assert resumed == paused | {"paused": False}
