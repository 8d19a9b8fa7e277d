"""A real kube-apiserver that serves our kinds, for all tests of this folder."""

import itertools
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[3]
sys.path.append(str(ROOT / "tests/cluster"))

from control_plane import ControlPlane  # noqa: E402 (its folder is on no path before)
from operating import Cluster  # noqa: E402 (it needs the control plane)

from isthmus_operator.kube import Access, Client  # noqa: E402

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def plane() -> Iterator[ControlPlane]:
    """An API server that serves our kinds, from the committed files."""
    with ControlPlane() as plane:
        plane.kubectl("apply", "-f", str(ROOT / "crds"))
        plane.until_established()
        yield plane


@pytest.fixture(scope="session")
def api(plane: ControlPlane) -> Iterator[httpx.Client]:
    """An HTTP client of the API server, for tests that ask it many things."""
    trust = ssl.create_default_context(cafile=plane.certificate)
    bearer = {"Authorization": f"Bearer {plane.token}"}
    with httpx.Client(
        base_url=plane.server, verify=trust, headers=bearer, timeout=30, trust_env=False
    ) as client:
        yield client


@pytest.fixture
def namespace(plane: ControlPlane) -> str:
    """A namespace that is empty when the test starts."""
    name = f"test-{next(_numbers)}"
    plane.kubectl("create", "namespace", name)
    return name


@pytest.fixture
async def cluster(plane: ControlPlane, namespace: str) -> Cluster:
    """A namespace for an operator to work in; its client is the test's to close."""
    return Cluster(plane, Client(Access.of_kubeconfig(plane.kubeconfig)), namespace)
