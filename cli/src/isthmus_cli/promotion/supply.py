"""Supply: which Secrets and ConfigMaps the target has, and which keys they hold.

Three places tell: the manifests of the target, a list beside them, and a cluster that is named.
Of a Secret its keys are looked at, and its values neither kept nor shown.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from isthmus_cli.cluster import kinds
from isthmus_cli.cluster.errors import NotFound, Refused
from isthmus_cli.cluster.options import Place
from isthmus_cli.promotion.needs import ANY, Wanted
from isthmus_cli.promotion.sets import Object

Keys = Mapping[tuple[str, str], frozenset[str]]
"""Keys by kind and name."""

_LINE: Final = re.compile(r"(Secret|ConfigMap) ([-.a-z0-9]+)/([-._A-Za-z0-9]+)")
_FORBIDDEN: Final = 403
_KINDS: Final = {"Secret": kinds.SECRETS, "ConfigMap": kinds.CONFIG_MAPS}


class UnreadableList(Exception):
    """A line of the list says nothing that can be read; the message names it."""


def has(keys: Keys, wanted: Wanted) -> bool:
    """Whether a key is among those that are known."""
    found = keys.get((wanted.kind, wanted.name))
    return found is not None and (wanted.key == ANY or wanted.key in found)


def joined(parts: Iterable[Keys]) -> Keys:
    """What is known from several places."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for part in parts:
        for at, keys in part.items():
            found[at] = found.get(at, frozenset()) | keys
    return found


def listed(text: str, file: Path) -> Keys:
    """Lines `Secret NAME/KEY` and `ConfigMap NAME/KEY`; `#` begins a comment."""
    found: list[Keys] = []
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition("#")[0].strip()
        read = _LINE.fullmatch(said)
        if read:
            found.append({(read[1], read[2]): frozenset({read[3]})})
        elif said:
            raise UnreadableList(f"{file}:{number}: write Secret NAME/KEY or ConfigMap NAME/KEY")
    return joined(found)


def declared(objects: Iterable[Object]) -> Keys:
    """What manifests make: Secrets and ConfigMaps, and what makes Secrets in a cluster."""
    return joined({at: keys} for each in objects for at, keys in _made_by(each))


def _made_by(made: Object) -> Iterator[tuple[tuple[str, str], frozenset[str]]]:
    value, spec = made.value, _object(made.value.get("spec"))
    match made.kind:
        case "Secret" | "ConfigMap":
            parts = ("data", "stringData", "binaryData")
            keys = {str(key) for part in parts for key in _object(value.get(part))}
            yield (made.kind, made.name), frozenset(keys)
        case "SealedSecret":
            yield ("Secret", made.name), frozenset(_object(spec.get("encryptedData")))
        case "ExternalSecret":
            name = str(_object(spec.get("target")).get("name") or made.name)
            data = spec.get("data")
            items = data if isinstance(data, list) else []
            keys = {str(_object(each).get("secretKey")) for each in items}
            yield ("Secret", name), frozenset(keys)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a namespace of a cluster has, as far as the user may see it."""

    namespace: str
    keys: Keys
    refused: frozenset[tuple[str, str]] = frozenset()
    """What the user may not read, by kind and name."""

    def right(self, kind: str) -> str:
        """The right that is missing, in the words of RBAC."""
        return f"get on {_KINDS[kind].plural} in the namespace {self.namespace}"


def look(place: Place, wanted: Iterable[Wanted]) -> Seen:
    """Read the Secrets and ConfigMaps that are wanted, each once, for their keys."""
    keys: dict[tuple[str, str], frozenset[str]] = {}
    refused: set[tuple[str, str]] = set()
    for kind, name in sorted({(each.kind, each.name) for each in wanted}):
        try:
            found = place.api.get(_KINDS[kind], place.namespace, name)
        except NotFound:
            continue
        except Refused as error:
            if error.status != _FORBIDDEN:
                raise
            refused.add((kind, name))
            continue
        parts = (found.get("data"), found.get("binaryData"))
        keys[kind, name] = frozenset(key for part in parts for key in _object(part))
    return Seen(place.namespace, keys, frozenset(refused))
