"""The normal form of an object, for comparing what is rendered with what lives.

The API server adds to what it is given: defaults, a status, who wrote what. `as_applied` lets it
add the same to a rendered object, as a dry run of the operator's own apply: a field that is missing
goes, and one that is too much comes. What two objects never share is left out.
"""

import json
from typing import Any

import orjson
import yaml
from operating import Cluster

_NEVER_SHARED = frozenset({"managedFields", "resourceVersion", "generation", "creationTimestamp"})


def normal(found: dict[str, Any]) -> bytes:
    """An object as text."""
    metadata = {k: v for k, v in found["metadata"].items() if k not in _NEVER_SHARED}
    kept = {k: v for k, v in found.items() if k != "status"} | {"metadata": metadata}
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2)


async def as_applied(cluster: Cluster, manifest: dict[str, Any]) -> dict[str, Any]:
    """What the API server would make of an object if the operator applied it."""
    told = await cluster.kubectl(
        "apply",
        "--server-side",
        "--dry-run=server",
        "--field-manager=isthmus",
        "--force-conflicts",
        "-o",
        "json",
        "-f",
        "-",
        stdin=yaml.safe_dump(manifest),
    )
    found: dict[str, Any] = json.loads(told)
    return found
