"""While nobody changes anything nothing is written: watchers of our objects are left in peace."""

import time

import quotes
from kubernetes_cluster import CHILDREN, Namespace, eventually

IDLE_SECONDS = 60
SETTLED_SECONDS = 5


def _versions(namespace: Namespace) -> dict[tuple[str, str], str]:
    """The resourceVersion of our objects, their children, and what was told of them."""
    found = namespace.get(f"routes,connectors,mappings,events,{CHILDREN}")["items"]
    return {
        (each["kind"], each["metadata"]["name"]): each["metadata"]["resourceVersion"]
        for each in found
    }


def _settled(namespace: Namespace) -> dict[tuple[str, str], str] | None:
    """The versions, when they are the same for a while."""
    before = _versions(namespace)
    time.sleep(SETTLED_SECONDS)
    return before if _versions(namespace) == before else None


def test_an_idle_route_is_written_by_nobody(namespace: Namespace) -> None:
    quotes.start(namespace, quotes.route(replicas=2))
    before = eventually(lambda: _settled(namespace), until=bool)
    assert before

    time.sleep(IDLE_SECONDS)  # the passing of time is what is tried

    assert _versions(namespace) == before
