"""YAML of OpenAPI documents, read as YAML 1.2 reads it: `NO` is a country, `2024-01-01` a text.

libyaml finds the events and values are built of them here. The reader of manifests keeps the place
of every field, which takes too long for the megabytes that vendors publish; libyaml's own way to
values recurses, and ends the process where a text nests too deeply.
"""

import re
from typing import Any, Final

import yaml

from isthmus_api.contracts.document import Unreadable

MAX_DEPTH: Final = 200

_CONSTANTS: Final = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,18}", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII)


def parse(text: bytes) -> Any:
    """The value of the first document; raises `Unreadable`."""
    builder = _Builder()
    try:
        for event in yaml.parse(text, yaml.CSafeLoader):
            if builder.take(event):
                break
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        raise _unreadable(str(fault.problem or fault.context), mark) from fault
    except (yaml.YAMLError, ValueError) as fault:
        raise Unreadable(
            f"the document is not YAML: {type(fault).__name__}",
            hint="save it as YAML or JSON, in UTF-8",
        ) from fault
    return builder.value


def _unreadable(message: str, mark: Any) -> Unreadable:
    return Unreadable(
        f"the document is not YAML: {message}",
        hint="mend it there",
        line=mark.line + 1 if mark else None,
        column=mark.column + 1 if mark else None,
    )


class _Builder:
    """Values under construction: the objects and lists that are open, from the root inwards."""

    def __init__(self) -> None:
        self.value: Any = None
        self._open: list[tuple[Any, str | None]] = []
        self._anchors: dict[str, Any] = {}
        self._keys: list[str | None] = []

    def take(self, event: Any) -> bool:
        """Take an event in; whether the document ends with it."""
        match event:
            case yaml.ScalarEvent():
                value = _scalar(event)
                self._name(event.anchor, value)
                self._add(value, event)
            case yaml.AliasEvent():
                if event.anchor not in self._anchors:
                    raise _unreadable(f"*{event.anchor} stands for nothing", event.start_mark)
                self._add(self._anchors[event.anchor], event)
            case yaml.MappingStartEvent():
                self._enter({}, event)
            case yaml.SequenceStartEvent():
                self._enter([], event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                value, anchor = self._open.pop()
                self._keys.pop()
                self._name(anchor, value)
                self._add(value, event)
            case yaml.DocumentEndEvent():
                return True
        return False

    def _enter(self, value: Any, event: Any) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise _unreadable(f"it nests deeper than {MAX_DEPTH} levels", event.start_mark)
        self._open.append((value, event.anchor))
        self._keys.append(None)

    def _name(self, anchor: str | None, value: Any) -> None:
        # An anchor counts once its value is whole, so that no value is inside itself.
        if anchor is not None:
            self._anchors[anchor] = value

    def _add(self, value: Any, event: Any) -> None:
        if not self._open:
            self.value = value
            return
        around = self._open[-1][0]
        if isinstance(around, list):
            around.append(value)
        elif (key := self._keys[-1]) is not None:
            around[key] = value
            self._keys[-1] = None
        elif isinstance(event, yaml.ScalarEvent):
            self._keys[-1] = event.value
        else:
            raise _unreadable("a key must be a text", event.start_mark)


def _scalar(event: Any) -> Any:
    text: str = event.value
    if not event.implicit[0]:  # quoted, a block, or with a tag of its own
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
