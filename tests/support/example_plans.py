"""The Routes of the example orders-to-erp as plans, with systems and patience of a test."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import manifests_text
import shop_load
import yaml

from isthmus_api.plan import RoutePlan

FOLDER = Path(__file__).parents[2] / "examples/orders-to-erp"
SIGN_IN = ("erp-user", "canary-password")
TOKEN = "canary-token"

Change = Mapping[str, Any]


def plan(name: str, *, connectors: Mapping[str, Change], spec: Change | None = None) -> RoutePlan:
    """A Route of the example. What is given takes the place of what is written, field by field;
    `connectors` are changes of their transport."""
    documents = []
    for document in _documents():
        match document["kind"], document["metadata"]["name"]:
            case "Connector", connector if connector in connectors:
                _change(document["spec"]["http"], connectors[connector])
            case "Route", route if route == name:
                _change(document["spec"], spec or {})
            case "Route", _:
                continue
        documents.append(yaml.safe_dump(document))
    (planned,) = manifests_text.plans(*documents)
    return planned


def secrets(folder: Path) -> Path:
    """The Secrets that the Routes name, as a pod mounts them."""
    values = {
        "erp/username": SIGN_IN[0],
        "erp/password": SIGN_IN[1],
        "shop/webhook": shop_load.SECRET,
        "shop/token": TOKEN,
    }
    for name, value in values.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(value)
    return folder


def _documents() -> list[dict[str, Any]]:
    files = sorted(FOLDER.glob("*.yaml"))
    every = [each for file in files for each in yaml.safe_load_all(file.read_text())]
    return [each for each in every if each["apiVersion"].startswith("isthmus.dev/")]


def _change(target: dict[str, Any], change: Change) -> None:
    for field, value in change.items():
        if value is None:
            target.pop(field, None)
        elif isinstance(value, Mapping) and isinstance(target.get(field), dict):
            _change(target[field], value)
        else:
            target[field] = value
