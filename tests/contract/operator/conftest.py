"""A real kube-apiserver that serves our kinds, and the operator's client of it."""

import asyncio
import itertools
import json
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import uvloop
from cluster_command import Command
from control_plane import ControlPlane
from operating import Cluster

from isthmus_operator.kube import Access, Client

ROOT = Path(__file__).parents[3]
GATEWAY = ROOT / "tests/cluster/gateway"

_numbers = itertools.count(1)


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="session")
def plane() -> Iterator[ControlPlane]:
    """An API server that serves our kinds, from the committed files."""
    with ControlPlane() as plane:
        plane.kubectl("apply", "-f", str(ROOT / "crds"))
        plane.until_established()
        yield plane


@pytest.fixture(scope="session")
def gateway_api(plane: ControlPlane) -> None:
    """The kind HTTPRoute, as the Gateway API publishes it in its Go module."""
    found = subprocess.run(
        ["go", "mod", "download", "-json", "sigs.k8s.io/gateway-api"],
        cwd=GATEWAY,
        env=os.environ | {"GOWORK": "off"},
        check=True,
        capture_output=True,
        text=True,
    )
    folder = Path(json.loads(found.stdout)["Dir"]) / "config/crd/standard"
    definition = folder / "gateway.networking.k8s.io_httproutes.yaml"
    plane.kubectl("apply", "--server-side", "-f", str(definition))
    plane.until_established()


@pytest.fixture
async def client(plane: ControlPlane) -> AsyncIterator[Client]:
    """The operator's own client."""
    async with Client(Access.of_kubeconfig(plane.kubeconfig)) as client:
        yield client


@pytest.fixture
def namespace(plane: ControlPlane) -> str:
    """A namespace that is empty when the test starts."""
    name = f"operator-{next(_numbers)}"
    plane.kubectl("create", "namespace", name)
    return name


@pytest.fixture
def cluster(plane: ControlPlane, client: Client, namespace: str) -> Cluster:
    """A namespace for an operator to work in."""
    return Cluster(plane, client, namespace)


@pytest.fixture
def isthmus(plane: ControlPlane, namespace: str, tmp_path: Path) -> Command:
    """The installed command, in the namespace of the test."""
    return Command(plane, namespace, tmp_path)
