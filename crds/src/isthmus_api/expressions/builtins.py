"""The functions of JSONata 2.2 itself, by name. A test compares them with the engine's."""

from __future__ import annotations

from typing import Final

_NAMES: Final = """
    string length substring substringBefore substringAfter lowercase uppercase trim pad match
    contains replace split join formatNumber formatBase formatInteger parseInteger
    encodeUrl encodeUrlComponent decodeUrl decodeUrlComponent base64encode base64decode
    number abs floor ceil round power sqrt random sum max min average
    boolean not exists type
    now millis fromMillis toMillis
    count append sort reverse shuffle distinct zip map filter single reduce
    keys lookup spread merge sift each clone error assert eval
"""

NAMES: Final = frozenset(_NAMES.split())
