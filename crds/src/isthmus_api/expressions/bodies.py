"""The message body as expressions meet it: JSON text until something needs it as a value."""

from __future__ import annotations

from typing import Any, Protocol

from isthmus_api import json_text


class Body(Protocol):
    """What templates evaluate on.

    `raw` is JSON text that an engine may read directly: present only while the body has not been
    decoded, and never when it holds integers beyond 2^53, because those must become strings first.
    `value` decodes on first use. `large` are the digits of such integers, as `json_text` has them.
    """

    @property
    def raw(self) -> bytes | None: ...

    @property
    def value(self) -> Any: ...

    @property
    def large(self) -> frozenset[str]: ...


class ValueBody:
    """A body that is a value already."""

    __slots__ = ("large", "raw", "value")

    def __init__(self, value: Any, large: frozenset[str] = frozenset()) -> None:
        self.value = value
        self.large = large
        self.raw: bytes | None = None


class TextBody:
    """A body received as JSON text; decoded when its value is first asked for."""

    __slots__ = ("_decoded", "_text", "raw")

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._decoded: json_text.Decoded | None = None
        self.raw: bytes | None = None if json_text.has_large_integers(text) else text

    @property
    def value(self) -> Any:
        return self._decode().value

    @property
    def large(self) -> frozenset[str]:
        # Text that an engine may read directly has none, so this must not decode it.
        return frozenset() if self.raw is not None else self._decode().large

    def _decode(self) -> json_text.Decoded:
        if self._decoded is None:
            self._decoded = json_text.decode(self._text)
            self.raw = None
        return self._decoded
