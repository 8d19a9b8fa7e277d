"""Shared tables of a folder: ConfigMaps among its manifests, and whether their rows can be read."""

from collections.abc import Iterator, Mapping
from functools import partial

from isthmus_api.manifests import ConfigMap
from isthmus_api.problems import Code, Path, Problem
from isthmus_api.resources import Resources
from isthmus_api.shared_table import ConfigMaps, Data, TableError, rows

Found = Mapping[tuple[str, str], Data]
"""ConfigMaps by namespace and name."""


def collected(config_maps: tuple[ConfigMap, ...]) -> Found:
    """ConfigMaps by what names them."""
    return {(each.namespace, each.name): each.data for each in config_maps}


def within(namespace: str, found: Found) -> ConfigMaps:
    """The ConfigMaps of one namespace."""
    return partial(_read, namespace, found)


def _read(namespace: str, found: Found, name: str) -> Data | None:
    return found.get((namespace, name))


def problems(resources: Resources, found: Found) -> Iterator[Problem]:
    """Shared tables that cannot be read; a concern of those who look something up in them."""
    for mapping in resources.mappings():
        for name, table in mapping.spec.shared_tables.items():
            path: Path = ("spec", "sharedTables", name)
            try:
                rows(name, table, within(mapping.key.namespace, found))
            except TableError as error:
                yield Problem(
                    Code.TABLE_UNREADABLE,
                    str(error),
                    hint="mend the rows, or put the ConfigMap among these manifests",
                    subject=str(mapping.key),
                    path=path,
                    location=mapping.origin.locate(path),
                )
