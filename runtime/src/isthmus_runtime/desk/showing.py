"""Showing: bodies of messages as people may see them, and edited ones as they are meant.

What a Route masks, and what came from its Secrets, is `***`. Who edits a body sees these marks; as
long as they are left where they are, what is behind them stays.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any, Final, Literal

from isthmus_api.masking import MASK, Mask

_JSON: Final = "json"


class NotRestorable(ValueError):
    """An edited body holds a mark where nothing is masked; the message says where."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A body to look at: a JSON value, text where it is no JSON, or base64 where it is no text."""

    value: Any
    kind: Literal["json", "text", "base64"]

    @property
    def is_json(self) -> bool:
        """Whether it is a value, and no text."""
        return self.kind == "json"


@dataclass(frozen=True, slots=True)
class Window:
    """What may be seen of the messages of one Route."""

    paths: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    def body(self, body: bytes, content_type: str) -> Shown:
        """A body, masked."""
        mask = Mask(self.paths, self.secrets)
        decoded = _decoded(body, content_type)
        match decoded.kind:
            case "json":
                return Shown(mask.value(decoded.value), "json")
            case "text":
                return Shown(mask.text(decoded.value), "text")
            case _:
                return decoded

    def journey(self, journey: Any, body: bytes, content_type: str) -> Any:
        """A journey. It was masked when it was written; Secrets may have been named since."""
        decoded = _decoded(body, content_type)
        hidden = Mask(self.paths).texts(decoded.value) if decoded.is_json else ()
        return Mask((), {*self.secrets, *hidden}).value(journey)

    def restored(self, edited: str, body: bytes, content_type: str) -> bytes:
        """An edited body with what its marks stand for; `NotRestorable` where that is not known."""
        shown = self.body(body, content_type)
        if MASK not in edited:
            return edited.encode()
        original = _decoded(body, content_type)
        if not shown.is_json:
            if shown.value == original.value:
                return edited.encode()
            raise NotRestorable(f"it has {MASK} in a text, where what is masked cannot be told")
        try:
            value = json.loads(edited)
        except json.JSONDecodeError as error:
            raise NotRestorable(f"it has {MASK} and is no JSON") from error
        restored = _restored(value, shown.value, original.value, "$")
        return edited.encode() if restored == value else _encoded(restored)


def _decoded(body: bytes, content_type: str) -> Shown:
    """A body as it is. What looks like an object is one, whatever its sender calls it: something in
    it may have to be masked."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return Shown(base64.b64encode(body).decode(), "base64")
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return Shown(text, "text")
    is_json = isinstance(value, dict | list) or _JSON in content_type or not content_type
    return Shown(value, "json") if is_json else Shown(text, "text")


def _restored(edited: Any, shown: Any, original: Any, place: str) -> Any:
    """`edited` with `original` wherever both it and what was shown are marks."""
    match edited:
        case dict():
            return {
                name: _restored(inner, _at(shown, name), _at(original, name), f"{place}.{name}")
                for name, inner in edited.items()
            }
        case list():
            return [
                _restored(inner, _at(shown, at), _at(original, at), f"{place}[{at}]")
                for at, inner in enumerate(edited)
            ]
        case str() if MASK in edited:
            if edited != shown:
                raise NotRestorable(
                    f"{place} has {MASK}, which stands for what is masked; write what it is to be"
                )
            return original
        case _:
            return edited


def _at(value: Any, place: str | int) -> Any:
    """What an object or a list has at a place; None where it has nothing."""
    try:
        return value[place]
    except (KeyError, IndexError, TypeError):
        return None


def _encoded(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
