"""Contracts: the ConfigMaps with vendors' documents that pods hold answers against."""

from typing import Any

from isthmus_api.contract import DocumentKeyRef
from isthmus_api.plan import RoutePlan

FOLDER = "/etc/isthmus/contracts"


def named(plan: RoutePlan) -> tuple[DocumentKeyRef, ...]:
    """Every key that a plan's Connectors name: once, in order."""
    contracts = (each.http.contract for each in plan.connectors.values() if each.http)
    refs = (each.openapi.config_map_key_ref for each in contracts if each)
    found = {(ref.name, ref.key): ref for ref in refs if ref}
    return tuple(found[key] for key in sorted(found))


def sources(refs: tuple[DocumentKeyRef, ...]) -> list[dict[str, Any]]:
    """Each ConfigMap's keys as the files `NAME/KEY`; one that is missing keeps no pod waiting."""
    return [
        {
            "configMap": {
                "name": ref.name,
                "optional": True,
                "items": [{"key": ref.key, "path": f"{ref.name}/{ref.key}"}],
            }
        }
        for ref in refs
    ]
