"""What people declared: Connectors, Mappings and Routes as the API server has them.

Kept as text and read when needed: five thousand Routes as models would take more memory than all
the rest of the operator. The index of who uses whom is kept with them, so that a change of a
Connector or a Mapping finds exactly the Routes that it touches, through Mappings that call it too.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import orjson

from isthmus_api import manifests, references
from isthmus_api.model import API_VERSION, Model
from isthmus_api.problems import Problem
from isthmus_api.resources import KINDS, MAPPING, NOWHERE, ROUTE, Key, Resource
from isthmus_operator.kept import packed
from isthmus_operator.metrics import State

Read = Resource[Model] | tuple[Problem, ...]
"""An object that fits its model, or what is wrong with it."""

_READ_AND_KEPT: Final = 1024
"""Connectors and Mappings are used by many Routes, so that many are not read again each time."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One object as it was last heard of."""

    key: Key
    uid: str
    generation: int
    version: int
    """The resourceVersion; Kubernetes lets clients compare them from 1.35 on."""
    deleting: bool
    manifest: bytes = field(repr=False)
    """Name, namespace and spec as JSON; nothing else of an object concerns a reconcile."""
    status: bytes = field(repr=False)
    references: frozenset[Key]
    standing: tuple[State, ...]
    """By the conditions that are true."""

    @classmethod
    def of(cls, found: dict[str, Any]) -> "Declared":
        """From an object as the API server gives it."""
        metadata, key = found["metadata"], key_of(found)
        named = {"name": key.name, "namespace": key.namespace}
        manifest = {
            "apiVersion": API_VERSION,
            "kind": key.kind,
            "metadata": named,
            "spec": found.get("spec", {}),
        }
        return cls(
            key=key,
            uid=metadata["uid"],
            generation=metadata["generation"],
            version=int(metadata["resourceVersion"]),
            deleting="deletionTimestamp" in metadata,
            manifest=packed(manifest),
            status=packed(found.get("status") or {}),
            references=frozenset(references.of(key, manifest["spec"])),
            standing=_standing(found.get("status") or {}),
        )

    def read(self) -> Read:
        """The object checked against its model."""
        if self.key.kind == ROUTE.name:
            return _read(self.manifest)
        return _read_and_kept(self.manifest)

    def known_status(self) -> dict[str, Any]:
        """The status as it was last heard of."""
        status: dict[str, Any] = orjson.loads(self.status)
        return status

    def same_wish(self, other: "Declared") -> bool:
        """Whether two sightings of an object ask for the same."""
        mine = (self.uid, self.generation, self.deleting)
        return mine == (other.uid, other.generation, other.deleting)


class Declarations:
    """All objects of ours, by key."""

    def __init__(self, wake: Callable[[Key], None]) -> None:
        """`wake` gets the key of each object that a reconcile should look at."""
        self._wake = wake
        self._declared: dict[Key, Declared] = {}
        self._users: defaultdict[Key, set[Key]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._declared)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._declared)

    def get(self, key: Key) -> Declared | None:
        """What was declared under a key."""
        return self._declared.get(key)

    def take(self, found: dict[str, Any]) -> bool:
        """Take in an object as it was heard of, or as a request returned it; whether it is news."""
        if not self.is_news(found):
            return False
        now = Declared.of(found)
        before = self._declared.get(now.key)
        self._declared[now.key] = now
        if not (before and before.same_wish(now)):
            self._changed(now.key, before, now)
        return True

    def is_news(self, found: dict[str, Any]) -> bool:
        """Whether an object is otherwise, and later, than what is known."""
        known, metadata = self._declared.get(key_of(found)), found["metadata"]
        same = known is not None and known.uid == metadata["uid"]
        return known is None or not same or int(metadata["resourceVersion"]) > known.version

    def forget(self, key: Key, *, uid: str) -> bool:
        """Take in that an object is gone, but no namesake of it; whether it is news."""
        before = self._declared.get(key)
        if before is None or before.uid != uid:
            return False
        del self._declared[key]
        self._changed(key, before, None)
        return True

    def unseen(
        self, kind: str, namespace: str | None, *, seen: set[Key], since: int
    ) -> list[Declared]:
        """What a list should have had and did not; what came after its version is not meant."""
        return [
            declared
            for key, declared in self._declared.items()
            if key.kind == kind and namespace in (None, key.namespace)
            if key not in seen and declared.version < since
        ]

    def standings(self, kind: str) -> Counter[State]:
        """How many objects of a kind there are, and how many of them are in each state."""
        counts: Counter[State] = Counter()
        for key, declared in self._declared.items():
            if key.kind == kind:
                counts.update(("all", *declared.standing))
        return counts

    def users(self, key: Key) -> list[Key]:
        """The Routes that name a Connector, a Mapping, or a Route as their source; by name.

        Also those that name a Mapping which calls this one, however many are in between.
        """
        routes = (user for user in self._above(key) if user.kind == ROUTE.name)
        return sorted(routes, key=lambda user: user.name)

    def called(self, mapping: Key) -> list[Declared]:
        """The Mappings that one calls, and those that they call in turn, as far as they are there;
        by name."""
        found = (self._declared.get(key) for key in sorted(self.below(mapping), key=str))
        return [each for each in found if each and not each.deleting]

    def below(self, key: Key) -> set[Key]:
        """The Mappings that an object leads to, whether they are there or not."""
        found: set[Key] = set()
        ahead = [key]
        while ahead:
            new = {used for used in self.used_by(ahead.pop()) if used.kind == MAPPING.name} - found
            found |= new
            ahead += new
        return found - {key}

    def _above(self, key: Key) -> set[Key]:
        """All that uses an object, itself or through Mappings."""
        found: set[Key] = set()
        ahead = [key]
        while ahead:
            new = self._users.get(ahead.pop(), set()) - found
            found |= new
            ahead += (user for user in new if user.kind == MAPPING.name)
        return found - {key}

    def used_by(self, user: Key) -> frozenset[Key]:
        """What a Route or a Mapping names, whether it is there or not."""
        declared = self._declared.get(user)
        return declared.references if declared else frozenset()

    def others(self, like: Key, *, at_most: int) -> Iterator[Key]:
        """Objects of the same kind in the same namespace, to tell people what there is."""
        place = (like.kind, like.namespace)
        found = (key for key in self._declared if (key.kind, key.namespace) == place)
        return itertools.islice(found, at_most)

    def _changed(self, key: Key, before: Declared | None, now: Declared | None) -> None:
        """Note who uses whom; wake the object, those that use it, and those it uses or used."""
        old = before.references if before else frozenset()
        new = now.references if now else frozenset()
        for reference in old - new:
            self._users[reference].discard(key)
            if not self._users[reference]:
                del self._users[reference]
        for reference in new - old:
            self._users[reference].add(key)
        # What a Route does depends on how those read what it feeds them.
        feeding = {each for each in old | new if each.kind == ROUTE.name}
        called = set().union(*(self.below(each) for each in old ^ new))
        for each in dict.fromkeys((key, *self._above(key), *(old ^ new), *called, *feeding)):
            self._wake(each)


def key_of(found: dict[str, Any]) -> Key:
    """What names an object."""
    return Key(found["kind"], found["metadata"]["namespace"], found["metadata"]["name"])


_STATES: Final[Mapping[str, State]] = {
    "Ready": "ready",
    "Reconciling": "reconciling",
    "Stalled": "stalled",
    "Paused": "paused",
}


def _standing(status: dict[str, Any]) -> tuple[State, ...]:
    conditions = status.get("conditions") or ()
    true = (each["type"] for each in conditions if each["status"] == "True")
    return tuple(_STATES[each] for each in true if each in _STATES)


def _read(manifest: bytes) -> Read:
    value = orjson.loads(manifest)
    found = manifests.check(value, kind=KINDS[value["kind"]], origin=NOWHERE)
    return found if isinstance(found, Resource) else tuple(found)


_read_and_kept = lru_cache(maxsize=_READ_AND_KEPT)(_read)
