"""Charsets: what a content type says of a text, and the text itself."""

import codecs
from typing import Final, get_args

from isthmus_api.answer import Charset

KNOWN: Final[tuple[str, ...]] = get_args(Charset)
USUAL: Final = "utf-8"


def media(content_type: bytes) -> tuple[str, str]:
    """The media type in small letters, and the charset, UTF-8 where none is named."""
    written = content_type.decode("latin-1").lower()
    kind, *parameters = (part.strip() for part in written.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset":
            return kind, value.strip().strip('"')
    return kind, USUAL


def named(content_type: bytes) -> str | None:
    """The charset that a content type names."""
    return media(content_type)[1] if b"charset" in content_type.lower() else None


def is_known(charset: str) -> bool:
    """Whether it is one of those that are read, by whichever of its names."""
    try:
        return codecs.lookup(charset).name in _CODECS
    except (LookupError, ValueError):
        return False


def decoded(text: bytes, charset: str) -> str:
    """The text without a byte order mark; `UnicodeDecodeError` where it is written otherwise."""
    return text.decode(charset).removeprefix("\ufeff")


_CODECS: Final = frozenset(codecs.lookup(name).name for name in KNOWN)
