"""The ServiceAccount of a Route's pods: an identity that has no token and no rights."""

from isthmus_operator.desired.manifest import Manifest, Owner, child


def manifest(owner: Owner) -> Manifest:
    """The ServiceAccount."""
    return child(owner, "v1", "ServiceAccount", {"automountServiceAccountToken": False})
