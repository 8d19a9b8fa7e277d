"""The contracts of a folder: the OpenAPI documents that its Connectors name.

A document comes from a ConfigMap among the manifests, or from a file beside the Connector's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from isthmus_api.connector import ConnectorSpec
from isthmus_api.contract import OpenApiDocument
from isthmus_api.contracts import document, misfits
from isthmus_api.contracts.document import OpenApi, Unreadable
from isthmus_api.contracts.operations import Directory
from isthmus_api.problems import Code, Problem, Severity
from isthmus_api.problems import Path as FieldPath
from isthmus_api.resources import Key, Resource
from isthmus_cli import openapi_file
from isthmus_cli.folder import Loaded

_OPENAPI: FieldPath = ("spec", "http", "contract", "openapi")


@dataclass(slots=True)
class Contracts:
    """What was read, by Connector, and what could not be."""

    directories: dict[Key, Directory] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def of(self, namespace: str) -> dict[str, Directory]:
        """The documents of a namespace, by the names of Connectors."""
        found = self.directories.items()
        return {key.name: each for key, each in found if key.namespace == namespace}


def read(loaded: Loaded) -> Contracts:
    """Read the documents of all Connectors."""
    contracts = Contracts()
    for connector in loaded.resources.connectors():
        named = connector.spec.http and connector.spec.http.contract
        if not named:
            continue
        found = _document(connector, named.openapi, loaded)
        if isinstance(found, OpenApi):
            contracts.directories[connector.key] = Directory(found)
        else:
            contracts.problems.append(found)
    return contracts


def check(loaded: Loaded) -> Iterator[Problem]:
    """What cannot be read, and what does not fit what can."""
    contracts = read(loaded)
    yield from contracts.problems
    if contracts.directories:
        told: set[Problem] = set()
        for route in loaded.resources.routes():
            directories = contracts.of(route.key.namespace)
            for problem in misfits.of_route(route, loaded.resources, directories):
                if problem not in told:
                    told.add(problem)
                    yield problem


def reader(connector: Resource[ConnectorSpec], loaded: Loaded) -> Callable[[], bytes] | None:
    """What reads the text of a Connector's document; nothing where there is none."""
    named = connector.spec.http and connector.spec.http.contract
    if not named:
        return None
    ref = named.openapi.config_map_key_ref
    held = loaded.config_maps.get((connector.key.namespace, ref.name), {}) if ref else {}
    if ref and ref.key in held:
        return held[ref.key].encode
    return _beside(connector, named.openapi.file).read_bytes if named.openapi.file else None


def _beside(connector: Resource[ConnectorSpec], file: str) -> Path:
    """A file, from the folder of the Connector's manifest on."""
    place = connector.origin.locate(_OPENAPI)
    return (Path(place.file).parent if place else Path()) / file


def _document(
    connector: Resource[ConnectorSpec], named: OpenApiDocument, loaded: Loaded
) -> OpenApi | Problem:
    ref = named.config_map_key_ref
    held = loaded.config_maps.get((connector.key.namespace, ref.name)) if ref else None
    if ref and held is not None and ref.key in held:
        return _of_config_map(connector, f"ConfigMap {ref.name}/{ref.key}", held[ref.key])
    if named.file:
        return _of_file(connector, named.file)
    missing = f"ConfigMap '{ref.name}' with a key '{ref.key}'" if ref else "document"
    return _unreadable(
        connector,
        (*_OPENAPI, "configMapKeyRef"),
        f"there is no {missing} among the manifests, so calls are not held against it",
        "add it, or name the file as well: file: openapi.yaml",
        Severity.WARNING,
    )


def _of_config_map(connector: Resource[ConnectorSpec], name: str, text: str) -> OpenApi | Problem:
    try:
        return document.read(text.encode(), name=name)
    except Unreadable as fault:
        line = f", line {fault.line} of it" if fault.line else ""
        path = (*_OPENAPI, "configMapKeyRef")
        return _unreadable(connector, path, f"{name}{line}: {fault.message}", fault.hint)


def _of_file(connector: Resource[ConnectorSpec], file: str) -> OpenApi | Problem:
    path = (*_OPENAPI, "file")
    found = openapi_file.parsed(_beside(connector, file))
    if isinstance(found, OpenApi):
        return found
    return _unreadable(
        connector,
        path,
        f"{found.location}: {found.message}",
        found.hint or "name a file that is there, from the folder of this manifest on",
    )


def _unreadable(
    connector: Resource[ConnectorSpec],
    path: FieldPath,
    message: str,
    hint: str,
    severity: Severity = Severity.ERROR,
) -> Problem:
    return Problem(
        Code.CONTRACT_UNREADABLE,
        message,
        hint=hint,
        subject=str(connector.key),
        path=path,
        location=connector.origin.locate(path),
        severity=severity,
    )
