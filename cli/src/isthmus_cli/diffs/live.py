"""Live: the Connectors, Mappings and Routes that a cluster has."""

from collections.abc import Iterable

from isthmus_api import manifests
from isthmus_api.model import Model
from isthmus_api.problems import Problem
from isthmus_api.resources import KINDS, NOWHERE, Key, Resource, Resources
from isthmus_cli.cluster import kinds
from isthmus_cli.cluster.api import Api
from isthmus_cli.folder import Loaded


def load(api: Api, namespaces: Iterable[str]) -> Loaded:
    """What is in these namespaces, and what of it this version cannot read."""
    found: dict[Key, Resource[Model]] = {}
    problems: list[Problem] = []
    for namespace in sorted(set(namespaces)):
        for kind in kinds.OURS.values():
            for each in api.list(kind, namespace):
                checked = manifests.check(each, kind=KINDS[kind.name], origin=NOWHERE)
                if isinstance(checked, Resource):
                    found[checked.key] = checked
                else:
                    problems += checked
    return Loaded(Resources(found), tuple(problems))
