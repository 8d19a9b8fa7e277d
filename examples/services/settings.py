"""Settings of a service from the environment; a `SettingError` says what is wrong with one."""

from collections.abc import Mapping

import httpx

import durations


class SettingError(ValueError):
    """A setting of the environment cannot be used."""


def base_url(environment: Mapping[str, str], name: str, default: str) -> str:
    """Read where another system is, without the slash at the end."""
    text = environment.get(name) or default
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise SettingError(f"{name}={text} is no URL: {error}") from None
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise SettingError(f"{name}={text} must look like {default}")
    return text.rstrip("/")


def secret(environment: Mapping[str, str], name: str) -> str:
    """Read what must not be guessed, so there is no default."""
    if text := environment.get(name):
        return text
    raise SettingError(f"{name} is not set; it is what this service and its peer both know")


def seconds(environment: Mapping[str, str], name: str, default: str, *, longest: float) -> float:
    """Read a duration."""
    text = environment.get(name) or default
    found = durations.seconds(text)
    if found > longest:
        raise SettingError(
            f"{name}={text} must be a duration of at most {longest:g}s, as {default}"
        )
    return found
