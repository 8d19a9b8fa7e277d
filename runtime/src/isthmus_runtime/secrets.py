"""Secrets: looked up by name and key at the moment they are needed, never kept in a plan.

A pod mounts each Secret as a folder with one file a key. A laptop uses such a folder, or an env
file. Keys of ConfigMaps are read in the same way, from `configmap@NAME/KEY`. A value that changes
on disk is seen within a second; nothing here logs a value.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from isthmus_api.model import KeyRef
from isthmus_runtime import logs

_MOUNT_LINK: Final = "..data"
"""The kubelet's: it leads to the folder that has the files, and is replaced when they change."""


class MissingSecret(Exception):
    """A Secret or one of its keys is not there; the message names both and no value."""


class Secrets(Protocol):
    """Where secret values come from."""

    def read(self, ref: KeyRef) -> str:
        """The value, or `MissingSecret`."""
        ...


class SecretMount:
    """A folder `NAME/KEY` that the kubelet keeps up to date, in a pod.

    It replaces all files at once, and they are read at once: a user name and a password that change
    together are used together. A key that goes away keeps its last value, for the pod serves on;
    pods that start wait for it.
    """

    _FRESH_SECONDS = 1.0

    def __init__(self, folder: Path) -> None:
        self._link = folder / _MOUNT_LINK
        self._target = ""
        self._look_at = 0.0
        self._values: dict[tuple[str, str], str | None] = {}
        self._look()

    def read(self, ref: KeyRef) -> str:
        """The value; looked at again when the last look is more than a second ago."""
        if time.monotonic() >= self._look_at:
            self._look()
        value = self._values.get((ref.folder, ref.key))
        if value is None:
            raise self._missing(ref)
        return value

    def _missing(self, ref: KeyRef) -> MissingSecret:
        if (ref.folder, ref.key) in self._values:
            return _no_text(ref)
        there = any(name == ref.folder for name, _ in self._values)
        return _no_key(ref) if there else _no_secret(ref)

    def _look(self) -> None:
        self._look_at = time.monotonic() + self._FRESH_SECONDS
        try:
            target = os.readlink(self._link)
            if target == self._target:
                return
            found = dict(_files(self._link.parent / target))
            if os.readlink(self._link) != target:
                return  # replaced while it was read: the next look has all of the new one
        except OSError:
            return  # likewise
        for name, key in self._values.keys() - found.keys():
            logs.warning("a key of a Secret is gone; its last value is used", secret=name, key=key)
        self._values |= found
        self._target = target


def _files(folder: Path) -> Iterator[tuple[tuple[str, str], str | None]]:
    """All values by folder and key; nothing for one that is no text."""
    for secret in folder.iterdir():
        for key in secret.iterdir():
            yield (secret.name, key.name), _text(key.read_bytes())


class SecretFolder:
    """A folder `NAME/KEY` on a laptop."""

    _FRESH_SECONDS = 1.0

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[tuple[str, str], tuple[float, str]] = {}

    def read(self, ref: KeyRef) -> str:
        """The value; read again when the last look is more than a second ago."""
        now = time.monotonic()
        known = self._known.get((ref.folder, ref.key))
        if known and now - known[0] < self._FRESH_SECONDS:
            return known[1]
        value = self._load(ref)
        self._known[ref.folder, ref.key] = (now, value)
        return value

    def _load(self, ref: KeyRef) -> str:
        path = self._folder / ref.folder / ref.key
        try:
            value = _text(path.read_bytes())
        except FileNotFoundError as error:
            raise (_no_key(ref) if path.parent.is_dir() else _no_secret(ref)) from error
        except OSError as error:
            raise _no_text(ref) from error
        if value is None:
            raise _no_text(ref)
        return value


class SecretFile:
    """An env file of lines `NAME/KEY=value`; lines that are empty or start with # are skipped."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._values: dict[str, str] = {}
        self._stamp = -1
        self._reload()

    def read(self, ref: KeyRef) -> str:
        """The value, as the file has it now."""
        self._reload()
        value = self._values.get(f"{ref.folder}/{ref.key}")
        if value is None:
            raise MissingSecret(f"{self._file} has no line {ref.folder}/{ref.key}=…")
        return value

    def _reload(self) -> None:
        try:
            stamp = self._file.stat().st_mtime_ns
            if stamp != self._stamp:
                self._values = parse(self._file.read_text("utf-8"), file=str(self._file))
                self._stamp = stamp
        except OSError as error:
            raise MissingSecret(f"{self._file} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise MissingSecret(f"{self._file} is not UTF-8") from error


class NoSecrets:
    """Where no secrets were given."""

    def read(self, ref: KeyRef) -> str:
        """Always `MissingSecret`."""
        raise MissingSecret(
            f"the {ref.kind} '{ref.name}' with key '{ref.key}' is needed; none were given"
        )


class NotedSecrets:
    """Secrets of which it is known what was read: these values must not be seen anywhere."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._values: set[str] = set()

    def read(self, ref: KeyRef) -> str:
        """The value, or `MissingSecret`."""
        value = self._secrets.read(ref)
        self._values.add(value)
        return value

    def values(self) -> frozenset[str]:
        """All values that were read."""
        return frozenset(self._values)


def _text(value: bytes) -> str | None:
    """A value as text, without the end of its line; nothing where it is no text."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text.removesuffix("\n").removesuffix("\r")


def _no_secret(ref: KeyRef) -> MissingSecret:
    return MissingSecret(f"there is no {ref.kind} '{ref.name}'")


def _no_key(ref: KeyRef) -> MissingSecret:
    return MissingSecret(f"the {ref.kind} '{ref.name}' has no key '{ref.key}'")


def _no_text(ref: KeyRef) -> MissingSecret:
    return MissingSecret(
        f"the key '{ref.key}' of the {ref.kind} '{ref.name}' cannot be read as text"
    )


def parse(text: str, *, file: str) -> dict[str, str]:
    """Read an env file; `MissingSecret` names the line that is none."""
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or name.count("/") != 1:
            raise MissingSecret(f"{file}:{number}: write NAME/KEY=value, such as erp/password=…")
        values[name.strip()] = _unquoted(value.strip())
    return values


def _unquoted(value: str) -> str:
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if is_quoted else value


def everything(place: Path) -> frozenset[str]:
    """All values that a place has, as far as they are text: whoever shows anything masks them."""
    if place.is_dir():
        # A pod's mount has each file twice: below the kubelet's link, and through links to that.
        found = (file for file in place.glob("*/*") if file.is_file())
        return frozenset(file.read_text("utf-8", "replace").strip() for file in found)
    return frozenset(parse(place.read_text("utf-8"), file=str(place)).values())


def at(place: Path | None) -> Secrets:
    """The secrets in a pod's mount, a folder or an env file."""
    if place is None:
        return NoSecrets()
    if (place / _MOUNT_LINK).is_symlink():
        return SecretMount(place)
    return SecretFolder(place) if place.is_dir() else SecretFile(place)
