"""Real Helm, and a real kube-apiserver on which it has installed the chart in both modes."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from control_plane import ControlPlane
from golden import compare
from helm import CHART, Helm

HERE = Path(__file__).parent
# What a namespaced operator leaves to whoever manages the cluster.
NO_CLUSTER_OBJECTS = ("--set=crds.install=false", "--set=rbac.aggregateRoles=false")
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm without a cluster."""
    return Helm(tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def plane() -> Iterator[ControlPlane]:
    """An API server with two releases: `isthmus` in all-seeing, and `team` in `team-operator`.

    The second watches only the namespaces team-a and team-b.
    """
    with ControlPlane() as plane:
        helm = Helm(plane.folder, plane)
        for name in ("team-a", "team-b", "elsewhere"):
            plane.kubectl("create", "namespace", name)
        install = ("install", "--create-namespace", "--set=runtime.image.tag=dev")
        helm(*install, "isthmus", CHART, "--namespace=all-seeing")
        watch = "--set=watch.namespaces={team-a,team-b}"
        helm(*install, "team", CHART, "--namespace=team-operator", watch, *NO_CLUSTER_OBJECTS)
        plane.until_established()
        yield plane


@pytest.fixture
def namespace(plane: ControlPlane) -> str:
    """A namespace that is empty when the test starts."""
    name = f"chart-{next(_numbers)}"
    plane.kubectl("create", "namespace", name)
    return name


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare a text with the golden file of that name."""
    return lambda name, text: compare(HERE / "golden" / name, text)


@pytest.fixture
def empty() -> Iterator[ControlPlane]:
    """An API server on which nothing of ours was ever installed."""
    with ControlPlane() as plane:
        yield plane
