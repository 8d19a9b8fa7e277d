"""OpenAPI documents of made-up vendors, the Routes that call them, and new versions of both."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import yaml

from isthmus_api import manifests
from isthmus_api.contracts import document, routes
from isthmus_api.contracts.document import OpenApi
from isthmus_api.contracts.findings import Finding
from isthmus_api.contracts.operations import Directory
from isthmus_api.model import Model
from isthmus_api.resources import Resource, Resources

FOLDER = Path(__file__).parent / "contracts"
INTEGRATION = FOLDER / "integration"
FILES = {"pim": FOLDER / "pim-1.yaml", "erp": FOLDER / "erp-1.json"}

Root = dict[str, Any]
Change = Callable[[Root], object]


def plain(vendor: str) -> Root:
    """The document of a vendor, to be changed."""
    root: Root = copy.deepcopy(dict(document.read(FILES[vendor].read_bytes(), name=vendor).root))
    return root


def directory(root: Root, name: str = "the document") -> Directory:
    """The operations of a document."""
    return Directory(OpenApi(name, root))


def of_text(text: str, name: str = "api.yaml") -> Directory:
    """The operations of a document that is written down."""
    return Directory(document.read(text.encode(), name=name))


def resources(text: str | None = None) -> Resources:
    """The objects of a text, by default those of the integration."""
    files = {path.name: path.read_bytes() for path in sorted(INTEGRATION.glob("*.yaml"))}
    found: list[Resource[Model]] = []
    for name, raw in ({"r.yaml": text.encode()} if text else files).items():
        read = manifests.read(raw, file=name)
        assert not read.problems
        found += read.resources
    return Resources.of(found)


def breaks(
    vendor: str, old: Root | None, new: Root, held: Resources | None = None
) -> list[tuple[str, Finding]]:
    """What a new document of a vendor breaks, with the names of the Routes."""
    held = held or resources()
    before = directory(old) if old is not None else None
    after = directory(new)
    found = []
    for route in held.routes():
        connector = held.connector(route.key.namespace, vendor)
        assert connector is not None
        assert connector.spec.http is not None
        calls = routes.calls(route, held)
        told = calls.breaks(vendor, connector.spec.http, before, after)
        found += [(route.key.name, each) for each in told]
    return found


def written(root: Root, file: Path) -> Path:
    """A document as a file, YAML or JSON by its name."""
    if file.suffix == ".json":
        file.write_bytes(orjson.dumps(root))
    else:
        file.write_text(yaml.safe_dump(root, sort_keys=False))
    return file
