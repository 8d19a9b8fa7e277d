"""A real cluster with the operator installed by Helm, as a platform team has it.

The cluster is the one of KUBECONFIG, or one on this machine, which is left up: `make cluster-down`
ends it. Images are built first, where they are not what the sources make.
"""

import itertools
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes_cluster import Cluster, Namespace
from seen_states import judged

ROOT = Path(__file__).parents[2]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster, with images on its node and the operator in `isthmus-system`.

    Whatever state its Routes, Connectors and Mappings were in, kstatus saw it as it should.
    """
    kubeconfig = _script("cluster", "up").splitlines()[-1]
    operator = next(Path(each) for each in _script("images").split() if "operator" in each)
    found = Cluster(Path(kubeconfig), operator.with_suffix(".made-of").read_text().split()[0])
    found.install()
    with judged(found, tmp_path_factory.mktemp("seen")):
        yield found


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """A namespace that takes only pods of the restricted standard; gone after the test."""
    name = f"e2e-{os.getpid()}-{next(_numbers)}"
    with cluster.namespace(name) as made:
        yield made


def _script(name: str, *args: str) -> str:
    done = subprocess.run([ROOT / "scripts" / name, *args], stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, f"scripts/{name} failed: it says why on standard error"
    return done.stdout
