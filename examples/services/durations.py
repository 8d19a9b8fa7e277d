"""Durations as people write them: 300ms, 2s, 1m."""

import re

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def seconds(text: str) -> float:
    """Read a duration; what is none counts as endless, so that any limit refuses it."""
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(ms|s|m)", text)
    return float(match[1]) * UNITS[match[2]] if match else float("inf")
