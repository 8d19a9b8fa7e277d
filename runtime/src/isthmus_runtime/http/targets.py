"""What a request line may aim at: paths, `*`, and whole addresses (RFC 9112 3.2)."""

import re

_HOST = re.compile(rb"(?:\[[0-9A-Za-z:.%]+\]|[A-Za-z0-9\-._~%!$&'()*+,;=]*)(?::[0-9]*)?")
_ABSOLUTE = re.compile(rb"https?://([^/?]+)(.*)", re.IGNORECASE | re.DOTALL)


def is_host(value: bytes) -> bool:
    """Say whether a Host header holds a host with or without a port, or nothing."""
    return _HOST.fullmatch(value) is not None


def origin_form(target: bytes, *, method: str) -> tuple[bytes, bytes | None] | None:
    """Return the path and query of a target, and its authority where it names one.

    Nothing is returned for a target that is unsound, or not for this method.
    """
    if b"#" in target:
        return None
    if target == b"*":
        return (target, None) if method == "OPTIONS" else None
    if target.startswith(b"/"):
        return target, None
    match = _ABSOLUTE.fullmatch(target)
    if match is None or not is_host(match[1]):
        return None
    rest: bytes = match[2]
    return rest if rest.startswith(b"/") else b"/" + rest, match[1]
