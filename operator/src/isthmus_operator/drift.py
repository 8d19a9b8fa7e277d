"""Drift: whether what lives is what is desired.

The API server fills in defaults and other writers add fields of their own, so a live object has
more than we asked for. It is as desired when everything that we asked for is there.
"""

from typing import Any


def fits(desired: Any, live: Any) -> bool:
    """Whether `live` has all that `desired` asks for."""
    if desired in ({}, []):
        return not live  # the API server leaves out what is empty
    match desired:
        case dict():
            return isinstance(live, dict) and all(
                fits(value, live.get(name)) for name, value in desired.items()
            )
        case list():
            return isinstance(live, list) and _all_there(desired, live)
        case _:
            return bool(desired == live)


def _all_there(desired: list[Any], live: list[Any]) -> bool:
    """Lists of named things may have grown by somebody else's; other lists are what they are."""
    if desired and all(isinstance(each, dict) and "name" in each for each in desired):
        known = {each.get("name"): each for each in live if isinstance(each, dict)}
        return all(fits(each, known.get(each["name"])) for each in desired)
    return len(desired) == len(live) and all(map(fits, desired, live))
