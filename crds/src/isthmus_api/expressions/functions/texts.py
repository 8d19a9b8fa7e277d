"""Texts within texts: JSON, and digests of whatever is text."""

import binascii
import hashlib
from typing import Any, Final

from isthmus_api import json_text
from isthmus_api.expressions.functions.arguments import FunctionError, shown, string

_ALGORITHMS: Final = ("sha256", "sha512", "sha1", "md5")


def parse_json(text: Any) -> Any:
    """$parseJson(text)

    Read JSON that stands in a string. Integers beyond 2^53 become strings of their digits. Text
    that is no JSON is an error with line and column. The way back is JSONata's `$string(value)`.

    Examples:
        $parseJson('{"sku": "CH-1", "sizes": [1, 2]}').sizes => [1, 2]
        $string({"sku": "CH-1", "sizes": [1, 2]}) => "{\\"sku\\":\\"CH-1\\",\\"sizes\\":[1,2]}"
    """
    if text is None:
        return None
    try:
        return json_text.decode(string(text, "text").encode()).value
    except json_text.InvalidJson as error:
        raise FunctionError(f"argument text is no JSON: {error}") from None


def hash_(text: Any, algorithm: Any = None, form: Any = None) -> str | None:
    """$hash(text, algorithm?, form?)

    The digest of a text in UTF-8. `algorithm` is one of `sha256` (the default), `sha512`, `sha1`,
    `md5`; the last two are for systems that ask for them, and protect nothing. `form` is `hex` (the
    default) or `base64`.

    Examples:
        $hash("CH-1")
            => "2f08cbcb64abe067b7d637167566d8baab09787c379def37780959ab8757a68b"
        $hash("CH-1", "md5") => "c2dbcc82808bf5760cfc8a3ce5b9fb19"
        $hash("CH-1", "sha1", "base64") => "f/pygtGnTUhYbvIEdNlik+aKYXs="
    """
    if text is None:
        return None
    name = "sha256" if algorithm is None else algorithm
    if name not in _ALGORITHMS:
        known = ", ".join(_ALGORITHMS)
        raise FunctionError(f"argument algorithm must be one of {known}, not {shown(name)}")
    data = string(text, "text").encode()
    digest = hashlib.new(name, data, usedforsecurity=False).digest()
    match form:
        case None | "hex":
            return digest.hex()
        case "base64":
            return binascii.b2a_base64(digest, newline=False).decode()
        case _:
            raise FunctionError(f"argument form must be hex or base64, not {shown(form)}")
