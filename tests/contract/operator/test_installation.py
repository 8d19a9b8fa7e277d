"""What `helm test` runs, on a real API server and real sockets."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from control_plane import ControlPlane

from isthmus_operator.health import Health
from isthmus_operator.installation import examine
from isthmus_operator.kube import Client
from isthmus_operator.lease import Lease
from isthmus_operator.settings import Settings

READ = "Connectors, Mappings and Routes can be read"
RENEWED = "an operator renews the Lease"
READY = "an operator is ready"
SOON = 0.0
"""One look: what is wrong stays wrong in these tests."""


def _environment(namespace: str, **more: str) -> dict[str, str]:
    return {
        "ISTHMUS_RUNTIME_IMAGE": "runtime:1",
        "ISTHMUS_NAMESPACE": namespace,
        "ISTHMUS_POD": "isthmus-operator-test",
        **more,
    }


@pytest.fixture
def settings(namespace: str) -> Settings:
    return Settings.of(_environment(namespace))


@pytest.fixture
async def lease(client: Client, settings: Settings) -> AsyncIterator[Lease]:
    """The Lease, held by an operator's pod that renews it."""
    lease = Lease(
        client,
        namespace=settings.namespace,
        name=settings.lease,
        holder="isthmus-operator-1",
        renew_every=0.05,
    )
    await lease.acquire()
    holding = asyncio.create_task(lease.hold())
    yield lease
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)


@contextlib.asynccontextmanager
async def _operator(*, unready: str | None = None) -> AsyncIterator[str]:
    health = Health()
    health.ready("caches", lambda: unready)
    async with health.serving("127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.usefixtures("lease")
async def test_an_operator_at_work_is_found_so(client: Client, settings: Settings) -> None:
    async with _operator() as address:
        found = await examine(client, settings, address)

    assert found == {READ: None, RENEWED: None, READY: None}


@pytest.mark.usefixtures("lease")
async def test_without_a_service_nobody_is_asked_whether_it_is_ready(
    client: Client, settings: Settings
) -> None:
    assert await examine(client, settings, None) == {READ: None, RENEWED: None}


async def test_a_lease_that_nobody_made_is_told(client: Client, settings: Settings) -> None:
    found = await examine(client, settings, None, seconds=SOON)

    assert "the Lease isthmus-operator: " in (found[RENEWED] or "")
    assert "not found" in (found[RENEWED] or "")


async def test_a_lease_that_was_given_up_is_told(
    client: Client, settings: Settings, lease: Lease
) -> None:
    await lease.release()

    found = await examine(client, settings, None, seconds=SOON)

    assert found[RENEWED] == "nobody holds the Lease isthmus-operator"


async def test_a_holder_that_is_gone_is_told(client: Client, settings: Settings) -> None:
    gone = Lease(client, namespace=settings.namespace, name=settings.lease, holder="gone-1")
    await gone.acquire()

    found = await examine(client, settings, None, seconds=1.0)

    assert found[RENEWED] == "gone-1 holds the Lease isthmus-operator and does not renew it"


async def test_an_operator_that_is_not_ready_is_told_with_why(
    client: Client, settings: Settings
) -> None:
    async with _operator(unready="the cluster is being read") as address:
        found = await examine(client, settings, address, seconds=SOON)

    assert "the cluster is being read" in (found[READY] or "")


async def test_an_operator_that_does_not_answer_is_told(client: Client, settings: Settings) -> None:
    async with _operator() as address:
        pass

    found = await examine(client, settings, address, seconds=SOON)

    assert found[READY] == f"{address}: no answer (ClientConnectorError)"


def _run(plane: ControlPlane, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "isthmus_operator.installation"],
        env={"PATH": os.environ["PATH"], "KUBECONFIG": str(plane.kubeconfig), **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.usefixtures("lease")
async def test_the_process_says_what_it_found(plane: ControlPlane, namespace: str) -> None:
    ended = await asyncio.to_thread(_run, plane, _environment(namespace))

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"ok     {READ}\nok     {RENEWED}\n"


def test_the_process_says_what_it_cannot_be_told(plane: ControlPlane, namespace: str) -> None:
    ended = _run(plane, _environment(namespace, ISTHMUS_LEASE="A B"))

    assert ended.returncode == 2
    assert "ISTHMUS_LEASE is 'A B': write the name of an object" in ended.stderr
