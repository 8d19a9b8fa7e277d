"""Credentials: which keys of Secrets and ConfigMaps a plan names. Their values are never seen."""

from dataclasses import dataclass
from typing import Any, ClassVar

from isthmus_api import secret_references
from isthmus_api.model import ConfigMapKeyRef, KeyRef, Model


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One key of an object that pods get values from."""

    source: ClassVar[str]
    """What a pod calls such an object."""

    name: str
    key: str

    @property
    def folder(self) -> str:
        """The folder of the mount that has the key as a file."""
        return self.name

    def projection(self, items: list[dict[str, Any]]) -> dict[str, Any]:
        """The source of a projected volume that has `items`, or what is there of them."""
        return {self.source: {"name": self.name, "optional": True, "items": items}}

    def env(self) -> dict[str, Any]:
        """Where the value of an environment variable comes from."""
        return {f"{self.source}KeyRef": {"name": self.name, "key": self.key}}


class SecretKey(Key):
    """One key of one Secret."""

    source = "secret"


class ConfigMapKey(Key):
    """One key of one ConfigMap."""

    source = "configMap"

    @property
    def folder(self) -> str:
        """A folder that no Secret has."""
        return ConfigMapKeyRef(name=self.name, key=self.key).folder


def secrets(model: Model) -> tuple[Key, ...]:
    """Every key that a plan, or a part of one, names: once, in order."""
    return in_order({_key(ref) for ref in secret_references.within(model)})


def in_order(keys: set[Key]) -> tuple[Key, ...]:
    """Keys as they are listed: by their folders."""
    return tuple(sorted(keys, key=lambda key: (key.folder, key.key)))


def _key(ref: KeyRef) -> Key:
    if isinstance(ref, ConfigMapKeyRef):
        return ConfigMapKey(ref.name, ref.key)
    return SecretKey(ref.name, ref.key)
