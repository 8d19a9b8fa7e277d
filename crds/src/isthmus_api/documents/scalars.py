"""Scalars: what text without quotes means."""

import math
import re
from typing import Final

# As resolve.go of go.yaml.in/yaml/v2 reads it, and the JSON that sigs.k8s.io/yaml makes of that.
_WORDS: Final[dict[str, bool | float | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGERS: Final = {
    16: re.compile(r"[-+]?0[xX][0-9a-fA-F]{1,16}"),
    8: re.compile(r"[-+]?0[oO]?[0-7]{1,22}"),
    2: re.compile(r"[-+]?0[bB][01]{1,64}"),
    10: re.compile(r"[-+]?(0|[1-9][0-9]{0,19})"),
}
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def plain(text: str) -> bool | int | float | str | None:
    """What the text means: YAML 1.1 as Go's yaml.v2 has it."""
    if text in _WORDS:
        return _WORDS[text]
    if not re.match(r"[-+]?\.?[0-9]", text):
        return text
    digits = text.replace("_", "")
    for base, form in _INTEGERS.items():
        if form.fullmatch(digits) and -(2**63) <= (integer := int(digits, base)) < 2**64:
            return integer
    if not _FLOAT.fullmatch(digits) or math.isinf(number := float(digits)):
        return text
    return int(number) if number.is_integer() and abs(number) < 2**63 else number
