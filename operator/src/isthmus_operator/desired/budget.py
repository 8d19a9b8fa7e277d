"""The PodDisruptionBudget: draining nodes takes a Route's pods away one at a time.

A pod that does not answer protects nobody, so it never keeps a node from being drained.
"""

from isthmus_operator.desired.manifest import Manifest, Owner, child


def manifest(owner: Owner) -> Manifest:
    """The PodDisruptionBudget."""
    spec = {
        "maxUnavailable": 1,
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
        "selector": {"matchLabels": owner.match},
    }
    return child(owner, "policy/v1", "PodDisruptionBudget", {"spec": spec})
