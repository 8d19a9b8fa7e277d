"""Shared tables of a process: read once from ConfigMaps, and again when those change.

Expressions hold on to a dictionary of tables by name. A table that changed is read beside the old
one, in a thread, and put in its place in one assignment, so a look-up sees either of the two. One
that cannot be read any more stays as it was, and a log line says why.
"""

import asyncio
import os
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from isthmus_api.expressions.composition import Filled
from isthmus_api.plan import PlannedMapping, RoutePlan
from isthmus_api.shared_table import Data, SharedTable, TableError, rows
from isthmus_runtime import logs

_WATCHED_EVERY: Final = 5.0
_MOUNT_LINK: Final = "..data"
"""The kubelet's: it leads to the folder that has the files, and is replaced when they change."""


class ConfigMaps(Protocol):
    """Where ConfigMaps are read."""

    def read(self, namespace: str, name: str) -> Data | None:
        """The data of a ConfigMap; nothing where there is none."""

    def version(self) -> object:
        """Something that is another one when some ConfigMap may have changed."""


class ConfigMapMounts:
    """Folders `NAME/KEY` that the kubelet keeps up to date, in a pod of one namespace."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, namespace: str, name: str) -> Data | None:
        """The texts of a folder; what is mounted of a ConfigMap that is not there is empty."""
        try:
            files = [each for each in (self._folder / name).iterdir() if each.is_file()]
            return {each.name: each.read_text("utf-8") for each in files} or None
        except OSError:
            return None
        except UnicodeDecodeError:
            raise TableError(f"the ConfigMap '{name}' has a key that is no UTF-8") from None

    def version(self) -> object:
        """Where the kubelet's links lead."""
        links = sorted(self._folder.glob(f"*/{_MOUNT_LINK}"))
        return tuple((str(link), os.readlink(link)) for link in links)


class GivenConfigMaps:
    """ConfigMaps of manifests on a laptop."""

    def __init__(self, found: Mapping[tuple[str, str], Data] | None = None) -> None:
        self._found = found or {}

    def read(self, namespace: str, name: str) -> Data | None:
        """The data as it was written."""
        return self._found.get((namespace, name))

    def version(self) -> object:
        """Whoever reads the manifests again makes another one of these."""
        return self


class _Live(dict[str, Mapping[str, Any]]):
    """The tables of one Mapping by name. (A plain dict cannot be referred to weakly.)"""

    __slots__ = ("__weakref__",)


Filling = Mapping[str, Filled | PlannedMapping]
"""The Mappings of a plan, with all of their tables."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A table that some Route holds on to."""

    namespace: str
    name: str
    table: SharedTable
    live: "weakref.ref[_Live]"


class SharedTables:
    """The shared tables of a process."""

    def __init__(self, config_maps: ConfigMaps) -> None:
        self._config_maps = config_maps
        self._kept: list[_Kept] = []
        self._version = config_maps.version()

    @property
    def is_used(self) -> bool:
        """Whether some Route has such a table."""
        return bool(self._kept)

    def filled(self, plan: RoutePlan) -> Filling:
        """The Mappings of a plan with all their tables; `TableError` where one cannot be read."""
        return {
            name: self._fill(plan.namespace, mapping) if mapping.shared else mapping
            for name, mapping in plan.mappings.items()
        }

    def _fill(self, namespace: str, mapping: PlannedMapping) -> Filled:
        live = _Live(mapping.tables)
        for name, table in mapping.shared.items():
            live[name] = self._rows(namespace, name, table)
            self._kept.append(_Kept(namespace, name, table, weakref.ref(live)))
        return Filled(mapping.expression, live, mapping.input, mapping.output)

    def _rows(self, namespace: str, name: str, table: SharedTable) -> Mapping[str, Any]:
        return rows(name, table, lambda found: self._config_maps.read(namespace, found))

    def use(self, config_maps: ConfigMaps) -> None:
        """Read from elsewhere from now on."""
        self._config_maps = config_maps

    async def watch(self, every: float = _WATCHED_EVERY) -> None:
        """Take up changes until this is cancelled; `every` in seconds."""
        while True:
            await asyncio.sleep(every)
            await self.refresh()

    async def refresh(self) -> None:
        """Read all tables again if some ConfigMap may have changed."""
        try:
            version = self._config_maps.version()
        except OSError:
            return  # replaced while it was looked at: the next look has the new one
        if version == self._version:
            return
        self._version = version
        self._kept = [kept for kept in self._kept if kept.live() is not None]
        for kept in self._kept:
            try:
                # Parsing 100,000 rows takes 0.1 s, in which messages want to move.
                found = await asyncio.to_thread(self._rows, kept.namespace, kept.name, kept.table)
            except TableError as error:
                logs.warning("a table cannot be read; its last rows are used", detail=str(error))
                continue
            live = kept.live()
            if live is not None:
                live[kept.name] = found
        logs.info("tables were read again", count=len(self._kept))


NO_TABLES: Final = SharedTables(GivenConfigMaps())
"""Where no ConfigMaps are known."""
