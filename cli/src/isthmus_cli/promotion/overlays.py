"""Overlays: a folder with a kustomization, and what it builds on."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

PROMOTED: Final = "promoted"
"""The folder of an overlay into which sets are copied."""
NAMES: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""The names that kustomize knows, in its order."""


class Unusable(Exception):
    """A kustomization cannot be read, or edited; the message says why and what to write."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """An overlay as it is written."""

    folder: Path
    file: Path
    text: str
    namespace: str | None
    resources: tuple[str, ...]

    def places(self) -> dict[str, str]:
        """What each resource leads to: a path, or the address of something remote."""
        return {each: place(self.folder, each) for each in self.resources}


def place(folder: Path, resource: str) -> str:
    """Where a resource of a kustomization is: absolute when it is on this machine."""
    there = folder / resource
    return str(there.resolve()) if there.exists() else resource


def read(folder: Path) -> Overlay:
    """Read the kustomization of a folder."""
    file = next((folder / name for name in NAMES if (folder / name).is_file()), None)
    if file is None:
        raise Unusable(
            f"{folder} has no kustomization.yaml; write one with its namespace, `resources` and "
            "what differs there (`isthmus init` shows how)"
        )
    try:
        text = file.read_bytes().decode("utf-8")
        value = yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise Unusable(f"{file} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(value, dict):
        raise Unusable(f"{file}: it holds no object; write kind: Kustomization")
    return Overlay(folder, file, text, _namespace(value, file), _resources(value, file))


def _namespace(value: dict[str, Any], file: Path) -> str | None:
    found = value.get("namespace")
    if found is None or isinstance(found, str):
        return found
    raise Unusable(f"{file}: namespace: write a name")


def _resources(value: dict[str, Any], file: Path) -> tuple[str, ...]:
    found = value.get("resources")
    if isinstance(found, list) and found and all(isinstance(each, str) for each in found):
        return tuple(found)
    raise Unusable(f"{file}: resources: write a list of files and folders that it builds on")


def scratch(resources: Iterable[str], *, below: Path, namespace: str | None, origins: bool) -> str:
    """A kustomization of resources that stand elsewhere; `below` is the folder it is written to."""
    value: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [
            os.path.relpath(each, below) if Path(each).is_absolute() else each for each in resources
        ],
    }
    if namespace:
        value["namespace"] = namespace
    if origins:
        value["buildMetadata"] = ["originAnnotations"]
    return yaml.safe_dump(value, sort_keys=False)


def on_promoted(overlay: Overlay, replaced: Iterable[str]) -> str:
    """The text of the overlay with the promoted set in place of the resources it `replaced`.

    Nothing but these entries is changed, so comments stay.
    """
    gone = {*replaced, PROMOTED}
    text, node = overlay.text, _list(overlay.text)
    if node.flow_style:
        wanted = ", ".join(_wanted(overlay.resources, gone))
        return f"{text[: node.start_mark.index]}[{wanted}]{text[node.end_mark.index :]}"
    taken = [item for item in node.value if item.value in gone]
    for item in reversed(taken[1:]):
        start = text.rindex("\n", 0, item.start_mark.index)
        end = text.find("\n", item.end_mark.index)
        text = text[:start] + (text[end:] if end >= 0 else "\n")
    if taken:
        start, end = taken[0].start_mark.index, taken[0].end_mark.index
        return f"{text[:start]}{PROMOTED}{text[end:]}"
    start = node.start_mark.index
    newline = "\r\n" if "\r\n" in text else "\n"
    return f"{text[:start]}- {PROMOTED}{newline}{' ' * node.start_mark.column}{text[start:]}"


def _list(text: str) -> yaml.SequenceNode:
    """The list of resources as it is written."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    items = root.value if isinstance(root, yaml.MappingNode) else []
    found: yaml.SequenceNode = next(value for key, value in items if key.value == "resources")
    return found


def _wanted(resources: Iterable[str], gone: set[str]) -> list[str]:
    """The resources with the promoted set in place of the first one that is gone."""
    listed = list(resources)
    at = next((number for number, each in enumerate(listed) if each in gone), 0)
    kept = [each for each in listed if each not in gone]
    before = sum(each not in gone for each in listed[:at])
    return [*kept[:before], PROMOTED, *kept[before:]]
