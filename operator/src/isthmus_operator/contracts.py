"""Contracts: the OpenAPI documents of Connectors, read from ConfigMaps and held against Routes.

A document is read when its Connector is reconciled, and kept parsed while there is room: a vendor's
document takes ten times its size in memory. Of the Routes the findings are kept, until a Route or a
document is another one.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from isthmus_api.connector import ConnectorSpec
from isthmus_api.contract import DocumentKeyRef
from isthmus_api.contracts import document, misfits
from isthmus_api.contracts.document import Unreadable
from isthmus_api.contracts.operations import Directory
from isthmus_api.plan import RoutePlan
from isthmus_api.problems import Code, Path, Problem, Severity
from isthmus_api.resources import Key, Resource, Resources
from isthmus_api.route import RouteSpec
from isthmus_operator.kube import Client, NotFound, kinds

KEPT: Final = 8
"""Documents kept parsed; others are read again when a Route that calls their system changes."""

_FIELD: Final[Path] = ("spec", "http", "contract", "openapi")


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was found of a Route, with the plan and the documents that it was found with."""

    sign: tuple[str, ...]
    problems: tuple[Problem, ...]


class Contracts:
    """The documents of all Connectors."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._stamps: dict[Key, str] = {}
        self._asked: set[Key] = set()
        """Connectors whose document this process has looked for."""
        self._kept: OrderedDict[str, Directory] = OrderedDict()
        self._judged: dict[Key, _Judged] = {}

    async def read(self, connector: Resource[ConnectorSpec]) -> tuple[Problem | None, bool]:
        """Read a Connector's document anew: what is wrong with it, and whether it is another one.

        Nothing is wrong, nor new, where it names none.
        """
        key, before = connector.key, self._stamps.get(connector.key, "")
        stamp, found = await self._document(connector)
        self._asked.add(key)
        if isinstance(found, Directory):
            self._stamps[key] = stamp
            return None, stamp != before
        self._stamps.pop(key, None)
        return found, before != ""

    def forget(self, key: Key) -> None:
        """A Connector or a Route is gone."""
        self._asked.discard(key)
        self._stamps.pop(key, None)
        self._judged.pop(key, None)

    async def of_route(
        self, route: Resource[RouteSpec], resources: Resources, plan: RoutePlan
    ) -> tuple[Problem, ...] | None:
        """What does not fit; None where no document of a Connector that it calls is known."""
        found = ((name, resources.connector(route.key.namespace, name)) for name in plan.connectors)
        known = {name: it for name, it in found if it is not None and await self._is_known(it)}
        if not known:
            return None
        sign = (plan.hash, *(self._stamps[it.key] for it in known.values()))
        judged = self._judged.get(route.key)
        if judged is None or judged.sign != sign:
            documents = {name: (await self._document(it))[1] for name, it in known.items()}
            there = {name: it for name, it in documents.items() if isinstance(it, Directory)}
            problems = await asyncio.to_thread(_misfits, route, resources, there)
            judged = self._judged[route.key] = _Judged(sign, problems)
        return judged.problems

    async def _is_known(self, connector: Resource[ConnectorSpec]) -> bool:
        """Whether its document was read. A new leader reads what nobody has asked for yet, lest it
        took back what was said of the Route."""
        if connector.key not in self._asked:
            await self.read(connector)
        return connector.key in self._stamps

    async def _document(
        self, connector: Resource[ConnectorSpec]
    ) -> tuple[str, Directory | Problem | None]:
        """The document of a Connector with a stamp of its version, or what is wrong with it."""
        named = connector.spec.http and connector.spec.http.contract
        if not named:
            return "", None
        ref = named.openapi.config_map_key_ref
        if ref is None:
            return "", _unreadable(
                "file",
                "a file is for the command line; in a cluster the document is in a ConfigMap",
                "name it with configMapKeyRef as well",
            )
        try:
            found = await self._client.get(kinds.CONFIG_MAPS, connector.key.namespace, ref.name)
            text = found["data"][ref.key]
        except (NotFound, KeyError):
            return "", _unreadable(
                "configMapKeyRef",
                f"there is no ConfigMap '{ref.name}' with a key '{ref.key}'",
                "make it; it is looked for every ten minutes, and when the Connector changes",
            )
        metadata = found["metadata"]
        stamp = f"{metadata['uid']}/{metadata['resourceVersion']}/{ref.key}"
        if stamp in self._kept:
            self._kept.move_to_end(stamp)
            return stamp, self._kept[stamp]
        directory = await asyncio.to_thread(_directory, text, ref)
        if isinstance(directory, Directory):
            self._kept[stamp] = directory
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return stamp, directory


def _directory(text: str, ref: DocumentKeyRef) -> Directory | Problem:
    """The operations of a document; parsing takes a while, and the event loop has watches."""
    try:
        return Directory(document.read(text.encode(), name=f"ConfigMap {ref.name}/{ref.key}"))
    except Unreadable as fault:
        line = f", line {fault.line}" if fault.line else ""
        return _unreadable(
            "configMapKeyRef", f"{ref.name}/{ref.key}{line}: {fault.message}", fault.hint
        )


def _misfits(
    route: Resource[RouteSpec], resources: Resources, directories: Mapping[str, Directory]
) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys(misfits.of_route(route, resources, directories)))


def _unreadable(field: str, message: str, hint: str) -> Problem:
    path = (*_FIELD, field)
    return Problem(
        Code.CONTRACT_UNREADABLE, message, hint=hint, path=path, severity=Severity.WARNING
    )
