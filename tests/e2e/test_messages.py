"""`isthmus messages` in a cluster: with the rights of who asks, by way of the API server."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from embedded_journal import embedded_journal
from kubernetes_cluster import Cluster, Namespace, eventually

COMMAND = Path(sys.executable).parent / "isthmus"
ROUTE = """
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: NAME}
spec:
  source: {webhook: {path: /orders, open: true}}
  message: {key: "{% number %}"}
  privacy: {mask: [customer.email]}
  steps: [{map: {expression: "{ 'number': number, 'total': $number(total) }"}}]
"""
ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: messages}
rules:
  - {apiGroups: [""], resources: [pods], verbs: [list]}
  - {apiGroups: [""], resources: [pods/exec], verbs: [get, create]}
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace with two Routes, whose orders without a total die."""
    with (
        cluster.namespace(f"e2e-messages-{os.getpid()}") as made,
        embedded_journal(cluster, made.name),
    ):
        made.apply(ROUTE.replace("NAME", "orders"), ROUTE.replace("NAME", "others"))
        for name in ("orders", "others"):
            made.wait(f"route/{name}")
        yield made


@pytest.fixture
def messages(namespace: Namespace) -> Run:
    """Run `isthmus messages` there; with `kubeconfig`, as somebody else."""

    def run(
        *arguments: str, kubeconfig: Path = namespace.cluster.kubeconfig
    ) -> subprocess.CompletedProcess[str]:
        ended = subprocess.run(
            [COMMAND, "messages", *arguments, "-n", namespace.name],
            env=os.environ | {"KUBECONFIG": str(kubeconfig)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert "Traceback" not in ended.stderr
        return ended

    return run


@pytest.fixture
def dead(namespace: Namespace, messages: Run) -> list[str]:
    """Three orders of `orders` that died, and one of `others`; the ids of the three."""
    for route, total in (
        ("orders", "much"),
        ("orders", "more"),
        ("orders", "most"),
        ("others", ""),
    ):
        order = {"number": 7, "total": total, "customer": {"email": "ada@example.com"}}
        path = f"/api/v1/namespaces/{namespace.name}/services/{route}:80/proxy/orders"
        namespace.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(order))

    def found(route: str) -> list[str]:
        listed = messages("list", "--route", route, "--state", "dead", "-o", "json")
        return [each["id"] for each in json.loads(listed.stdout)["messages"]]

    eventually(lambda: found("others"), until=lambda ids: len(ids) >= 1)
    return eventually(lambda: found("orders"), until=lambda ids: len(ids) == 3)


def shown(messages: Run, message: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(messages("show", message, "-o", "json").stdout)
    return found


def test_dead_ones_are_found_shown_mended_and_dropped(
    namespace: Namespace, messages: Run, dead: list[str]
) -> None:
    one, *others = dead
    groups = json.loads(messages("groups", "--route", "orders", "-o", "json").stdout)["groups"]
    before = shown(messages, one)["message"]

    assert [each["messages"] for each in groups] == [3]
    assert before["body"]["customer"] == {"email": "***"}
    assert "ada@example.com" not in messages("show", one).stdout

    mended = json.dumps(before["body"] | {"total": "12.50"})
    body = Path(os.environ.get("TMPDIR", "/tmp")) / f"{namespace.name}.json"  # noqa: S108 - ours
    body.write_text(mended)
    try:
        done = messages("replay", one, "--body", str(body), "--reason", "no total")
    finally:
        body.unlink()
    assert done.returncode == 0, done.stderr
    eventually(
        lambda: shown(messages, one)["message"]["state"], until=lambda state: state == "finished"
    )
    after = shown(messages, one)
    assert after["attempts"][-1]["journey"]["steps"][0]["output"] == {"number": 7, "total": 12.5}
    assert [(act["action"], act["why"]) for act in after["acts"]] == [("replay", "no total")]

    dropped = messages("drop", *others, "--yes", "--reason", "a test")
    assert dropped.stdout == "dropped 2 messages\n", dropped.stderr
    listed = messages("list", "--route", "orders", "--state", "dead", "-o", "json")
    assert json.loads(listed.stdout) == {"messages": [], "more": False}


def test_a_body_is_shown_by_a_pod_of_its_own_route(messages: Run, dead: list[str]) -> None:
    """The command asks the right pod; another one withholds the body."""
    listed = json.loads(messages("list", "--state", "dead", "-o", "json").stdout)["messages"]
    other = next(each["id"] for each in listed if each["route"].endswith("/others"))

    assert {shown(messages, each)["message"]["bodyIs"] for each in (other, dead[0])} == {"json"}
    of_key = json.loads(messages("show", "--key", "7", "-o", "json").stdout)["messages"]
    assert {each["message"]["bodyIs"] for each in of_key} == {"json"}
    assert {each["message"]["route"].split("/")[1] for each in of_key} == {"orders", "others"}
    messages("drop", "--all", "--yes", "--reason", "a test")


@pytest.fixture
def somebody(namespace: Namespace, tmp_path: Path) -> Path:
    """The kubeconfig of somebody who may do nothing."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "somebody"}}
    namespace.apply(account)
    token = namespace.kubectl("create", "token", "somebody").strip()
    config = yaml.safe_load(namespace.cluster.kubeconfig.read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return file


def test_rights_that_are_missing_are_named(
    namespace: Namespace, messages: Run, somebody: Path
) -> None:
    who = f"--serviceaccount={namespace.name}:somebody"

    no_pods = messages("list", kubeconfig=somebody)
    namespace.kubectl("create", "role", "look", "--verb=list", "--resource=pods")
    namespace.kubectl("create", "rolebinding", "look", "--role=look", who)
    no_exec = messages("list", kubeconfig=somebody)
    namespace.apply(ROLE)
    namespace.kubectl("create", "rolebinding", "messages", "--role=messages", who)
    allowed = messages("list", kubeconfig=somebody)

    assert (no_pods.returncode, no_exec.returncode) == (2, 2)
    assert f"it needs list on pods in the namespace {namespace.name}" in no_pods.stderr
    assert f"get and create on pods/exec in the namespace {namespace.name}" in no_exec.stderr
    assert allowed.returncode == 0, allowed.stderr


def test_acts_are_noted_under_the_name_that_the_cluster_knows(
    namespace: Namespace, messages: Run, somebody: Path, dead: list[str]
) -> None:
    who = f"system:serviceaccount:{namespace.name}:somebody"
    namespace.apply(ROLE)
    bind = ("create", "rolebinding", "noted", "--role=messages")
    namespace.kubectl(*bind, f"--serviceaccount={namespace.name}:somebody")

    done = messages("drop", dead[0], "--reason", "a test", kubeconfig=somebody)

    assert done.returncode == 0, done.stderr
    assert shown(messages, dead[0])["acts"][0]["who"] == who


def test_a_cluster_that_cannot_be_reached_is_told(
    namespace: Namespace, messages: Run, tmp_path: Path
) -> None:
    config = yaml.safe_load(namespace.cluster.kubeconfig.read_text())
    for each in config["clusters"]:
        each["cluster"]["server"] = "https://127.0.0.1:1"
    away = tmp_path / "away"
    away.write_text(yaml.safe_dump(config))

    ended = messages("list", kubeconfig=away)

    assert ended.returncode == 2
    assert "the API server cannot be reached" in ended.stderr


def test_a_message_is_sent_by_hand_in_a_pod_of_its_route(messages: Run) -> None:
    sent = messages(
        "send", "others", "--param", "number=8", "--param", 'total="9.95"', "-o", "json"
    )
    assert sent.returncode == 0, sent.stderr
    [message] = json.loads(sent.stdout)["ids"]

    eventually(
        lambda: shown(messages, message)["message"]["state"],
        until=lambda state: state == "finished",
    )

    found = shown(messages, message)
    assert (found["message"]["key"], found["acts"][0]["action"]) == ("8", "send")
