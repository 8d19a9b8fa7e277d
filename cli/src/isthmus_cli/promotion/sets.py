"""Sets: the objects of a build, each with its text and the file that it comes from."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from isthmus_api.model import GROUP

_SEPARATOR: Final = re.compile(r"^---\n", re.MULTILINE)
_ORIGIN: Final = "config.kubernetes.io/origin"
_HEAD: Final = (
    "# Written by `isthmus promote`, which writes it again; what differs here goes into patches.\n"
)


@dataclass(frozen=True, slots=True)
class Object:
    """One object of a build."""

    text: str
    value: dict[str, Any]
    source: Path | None = None
    """The file that it comes from, where that is on this machine."""

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.value.get("kind"))

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.value["metadata"]["name"])

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from the others of a namespace."""
        return (str(self.value.get("apiVersion")).partition("/")[0], self.kind, self.name)

    @property
    def is_ours(self) -> bool:
        """Whether it is a Connector, Mapping or Route."""
        return self.key[0] == GROUP

    @property
    def is_secret(self) -> bool:
        """Whether it holds what never leaves its environment."""
        return self.kind == "Secret" and self.value.get("apiVersion") == "v1"


def read(built: str) -> Iterator[Object]:
    """The objects that kustomize has built, in its order."""
    for text in _SEPARATOR.split(built):
        value = yaml.safe_load(text)
        if isinstance(value, dict):
            yield Object(text, value)


def with_sources(plain: str, with_origins: str, folder: Path) -> Iterator[Object]:
    """The objects of one build, and where they come from as another build of it tells.

    `folder` is the one that was built.
    """
    for found, told in zip(read(plain), read(with_origins), strict=True):
        yield Object(found.text, found.value, _source(told.value, folder))


def _source(value: dict[str, Any], folder: Path) -> Path | None:
    annotations = value["metadata"].get("annotations") or {}
    origin = yaml.safe_load(annotations.get(_ORIGIN, "")) or {}
    at = origin.get("path") or origin.get("configuredIn")
    return None if at is None or "repo" in origin else (folder / at).resolve()


def files(objects: Iterable[Object]) -> dict[str, str]:
    """The files of a folder that holds a set, and the kustomization that lists them."""
    found = {f"{name}.yaml": each.text for name, each in _named(objects)}
    listed = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(found),
    }
    return {**found, "kustomization.yaml": _HEAD + yaml.safe_dump(listed, sort_keys=False)}


def _named(objects: Iterable[Object]) -> Iterator[tuple[str, Object]]:
    """Objects by `kind-name`; those of another group that would have the same, with its group."""
    first: set[str] = set()
    for each in sorted(objects, key=lambda found: (not found.is_ours, found.key)):
        plain = f"{each.kind.lower()}-{each.name}"
        name = plain if plain not in first else f"{plain}-{each.key[0]}"
        first.add(plain)
        yield name, each
