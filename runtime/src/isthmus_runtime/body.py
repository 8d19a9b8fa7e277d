"""The body of a message: bytes as they came, until a step needs them as a value."""

import copy
from typing import Any

from isthmus_api import json_text
from isthmus_runtime.faults import Broken, Fault, Rejected, Upstream

JSON = b"application/json"


class Body:
    """Bytes, a value, or both; meets the `Body` that expressions evaluate on.

    `text` stays for as long as it is exactly what was received, so an untouched body is passed on
    byte for byte. `connector` names who sent it; without one it is the caller's.
    """

    __slots__ = ("_decoded", "_is_plain", "_value", "connector", "content_type", "large", "text")

    def __init__(
        self,
        text: bytes | None,
        *,
        content_type: bytes = JSON,
        connector: str = "",
        value: Any = None,
        large: frozenset[str] = frozenset(),
    ) -> None:
        self.text = text
        self.content_type = content_type
        self.connector = connector
        self.large = large
        self._value = value
        self._decoded = text is None
        self._is_plain = False

    @classmethod
    def of(cls, value: Any, large: frozenset[str] = frozenset()) -> "Body":
        """A body that is a value."""
        return cls(None, value=value, large=large)

    @property
    def raw(self) -> bytes | None:
        """JSON text that an expression may read directly; none when the value must be used."""
        if self._decoded or self.large or not self.text:
            return None
        if not self._is_plain:
            if self.content_type != JSON:
                self._must_be_json()
            if json_text.has_large_integers(self.text):
                self._decode()
                return None
            self._is_plain = True
        return self.text

    @property
    def value(self) -> Any:
        """The decoded body; a fault when it is no JSON."""
        if not self._decoded:
            self._decode()
        return self._value

    def json(self) -> bytes:
        """The body as JSON text."""
        if self.text is None:
            try:
                self.text = json_text.encode(self._value, self.large)
            except json_text.NotEncodable as error:
                raise not_encodable(error) from error
        return self.text

    @property
    def is_empty(self) -> bool:
        """Whether nothing was received. A value is never nothing: it may be null."""
        return self.text == b""

    def copy(self) -> "Body":
        """The same body, to be taken along another branch."""
        return copy.copy(self)

    def _decode(self) -> None:
        if self.text:
            if self.content_type != JSON:
                self._must_be_json()
            try:
                if self._is_plain:
                    self._value = json_text.decode_plain(self.text)
                else:
                    decoded = json_text.decode(self.text)
                    self._value, self.large = decoded.value, self.large | decoded.large
            except json_text.InvalidJson as error:
                raise self.not_json(str(error)) from error
        self._decoded = True

    def _must_be_json(self) -> None:
        if not is_json(self.content_type):
            kind = self.content_type.split(b";")[0].decode("latin-1") or "no content type"
            raise self._unfit(415, f"{kind} where JSON is needed", "UnsupportedMediaType")

    def not_json(self, detail: str) -> Fault:
        """The fault of a body that says it is JSON and is not."""
        return self._unfit(400, f"a body that is no JSON: {detail}", "InvalidJson")

    def _unfit(self, status: int, detail: str, reason: str) -> Fault:
        if self.connector:
            return Upstream(
                "InvalidAnswer", f"{self.connector} answered {detail}", connector=self.connector
            )
        return Rejected(reason, f"the request has {detail}", status)


def not_encodable(error: json_text.NotEncodable) -> Broken:
    """The fault of a result that JSON cannot say."""
    return Broken("NotEncodable", f"a step made a value that has no JSON form: {error}")


def is_json(content_type: bytes) -> bool:
    """Whether a content type is JSON; one that is not given is taken for it."""
    kind = content_type.split(b";")[0].strip().lower()
    return not kind or kind == JSON or kind.endswith(b"+json")
