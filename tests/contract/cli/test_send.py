"""`isthmus messages send`: the installed command on the journal of a folder."""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from journals import bodies

from isthmus_runtime.journal import opening

Isthmus = Callable[..., CompletedProcess[str]]
MANIFESTS = """
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: orders}
spec:
  source: {webhook: {path: /orders, open: true}}
  message: {key: "{% number %}"}
  privacy: {mask: [email]}
  steps: [{map: {expression: $}}]
---
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: prices}
spec:
  source: {poll: {every: 1h, call: {connector: pim, path: /prices}}}
  steps: [{map: {expression: $}}]
---
apiVersion: isthmus.dev/v1alpha1
kind: Connector
metadata: {name: pim}
spec: {http: {baseUrl: "http://127.0.0.1:1"}}
---
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: broken}
spec:
  source: {webhook: {path: /broken, open: true}}
  steps: [{map: {mapping: there-is-none}}]
"""


@pytest.fixture
def journal(folder: Callable[[Mapping[str, str]], Path]) -> str:
    """The address of the folder's journal, which is empty."""
    file = folder({"routes.yaml": MANIFESTS}) / ".isthmus/journal.db"
    file.parent.mkdir()
    address = f"sqlite:{file}"

    async def make() -> None:
        await (await opening.open(address)).close()

    asyncio.run(make())
    return address


def waiting(journal: str) -> list[str]:
    async def read() -> list[str]:
        opened = await opening.open(journal)
        try:
            return await bodies(opened, route="default/orders")
        finally:
            await opened.close()

    return asyncio.run(read())


def test_a_message_waits_with_its_parameters_and_is_audited(
    isthmus: Isthmus, journal: str, tmp_path: Path
) -> None:
    (tmp_path / "order.json").write_text('{"number": 7}')
    given = ("--body", "order.json", "--param", "express=true", "--param", "by=truck")

    sent = isthmus(
        *("messages", "send", "orders", "--dir", "manifests", "-o", "json"),
        *(*given, "--reason", "the shop lost it"),
    )
    shown = isthmus("messages", "show", "--dir", "manifests", *json.loads(sent.stdout)["ids"])
    audit = isthmus("messages", "audit", "--dir", "manifests", "-o", "json")

    assert (sent.returncode, sent.stderr) == (0, "")
    assert "key       7" in shown.stdout
    assert "send by" in shown.stdout
    assert json.loads(audit.stdout)["acts"][0]["why"] == "the shop lost it"
    assert list(map(json.loads, waiting(journal))) == [
        {"number": 7, "express": True, "by": "truck"}
    ]


def test_a_rehearsal_shows_what_may_be_seen_and_does_nothing(
    isthmus: Isthmus, journal: str
) -> None:
    ended = isthmus(
        *("messages", "send", "orders", "--dir", "manifests", "--dry-run"),
        *("--param", "number=7", "--param", "email=zoe@example.com"),
    )

    assert ended.returncode == 0, ended.stderr
    assert '"number": 7' in ended.stdout
    assert "zoe@example.com" not in ended.stdout
    assert ended.stdout.endswith("would send this to default/orders; nothing was done\n")
    assert waiting(journal) == []


@pytest.mark.parametrize(
    ("more", "said", "acts"),
    [
        pytest.param((), "default/prices reads within 5 seconds\n", ["read"], id="asked"),
        pytest.param(("--dry-run",), "would have default/prices read now\n", [], id="a rehearsal"),
    ],
)
def test_a_poll_reads_now(
    isthmus: Isthmus, journal: str, more: tuple[str, ...], said: str, acts: list[str]
) -> None:
    ended = isthmus("messages", "send", "prices", "--dir", "manifests", *more)
    audit = isthmus("messages", "audit", "--dir", "manifests", "-o", "json")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, said, "")
    assert [each["action"] for each in json.loads(audit.stdout)["acts"]] == acts


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(("orders",), 1, "give a body, or parameters", id="nothing to send"),
        pytest.param(("ordrs", "--param", "a=1"), 1, "no Route default/ordrs", id="no such Route"),
        pytest.param(("broken", "--param", "a=1"), 1, "has mistakes; `isthmus lint", id="broken"),
        pytest.param(("orders", "--param", "a"), 2, "is not NAME=VALUE", id="a parameter"),
        pytest.param(("orders", "--body", "none.json"), 2, "none.json", id="no such file"),
    ],
)
def test_what_cannot_be_sent_is_told(
    isthmus: Isthmus, journal: str, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ended = isthmus("messages", "send", "--dir", "manifests", *arguments)

    assert ended.returncode == code
    assert said in ended.stderr
    assert waiting(journal) == []
