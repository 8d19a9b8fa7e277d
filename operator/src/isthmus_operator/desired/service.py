"""The Service: the address of a Route inside the cluster, `http://NAME.NAMESPACE`."""

from typing import Final

from isthmus_operator.desired import pod
from isthmus_operator.desired.manifest import Manifest, Owner, child

PORT: Final = 80


def manifest(owner: Owner) -> Manifest:
    """The Service."""
    port = {
        "name": pod.TRAFFIC,
        "port": PORT,
        "targetPort": pod.TRAFFIC,
        "protocol": "TCP",
        "appProtocol": "http",
    }
    spec = {"type": "ClusterIP", "selector": owner.match, "ports": [port]}
    return child(owner, "v1", "Service", {"spec": spec})
