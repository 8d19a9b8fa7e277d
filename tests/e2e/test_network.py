"""A Route's pods in a namespace whose network lets nothing through that no policy names.

That its calls, its callers, its probes and its metrics get through is seen by all tests here.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import quotes
import script_pods
from kubernetes_cluster import Cluster, Namespace, eventually

LISTENER = Path(__file__).parents[1] / "support/listener.py"
PORT = 7070
CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2).close()
    print("open")
except TimeoutError:
    print("closed")
"""


@pytest.fixture
def elsewhere(cluster: Cluster, namespace: Namespace) -> Iterator[Namespace]:
    """Another namespace, whose pods no policy holds back."""
    with cluster.namespace(f"{namespace.name}-elsewhere") as made:
        yield made


def connects(namespace: Namespace, pod: str, address: str) -> bool:
    """Whether a pod gets a connection."""
    command = ("python3", "-c", CONNECT, address, str(PORT))
    return namespace.kubectl("exec", pod, "--", *command).strip() == "open"


def test_a_route_goes_nowhere_that_no_connector_names(
    namespace: Namespace, elsewhere: Namespace
) -> None:
    for name in ("listener", "neighbour"):
        elsewhere.apply(*script_pods.manifests(name, LISTENER, str(PORT)))
        elsewhere.wait(f"pod/{name}")
    address = elsewhere.get("pod/listener")["status"]["podIP"]
    quotes.start(namespace, quotes.route())
    (pod,) = namespace.pods("quotes").values()

    eventually(lambda: connects(elsewhere, "neighbour", address), until=bool)
    assert not connects(namespace, pod, address)
