"""Bodies and parameters of requests, read with care: what is wrong is the caller's to mend."""

import json
import re
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request


async def json_object(request: Request, *, such_as: str) -> dict[str, Any]:
    """Read an object; anything else is refused, with an example of what was wanted."""
    value = await _json(request)
    if not isinstance(value, dict):
        raise HTTPException(400, f"The body must be an object such as {such_as}.")
    return value


async def json_list(request: Request, *, such_as: str) -> list[Any]:
    """Read a list; anything else is refused, with an example of what was wanted."""
    value = await _json(request)
    if not isinstance(value, list):
        raise HTTPException(400, f"The body must be a list such as {such_as}.")
    return value


def whole_number(request: Request, name: str, *, default: int, low: int, high: int) -> int:
    """Read a number of the query."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if re.fullmatch(r"[0-9]{1,18}", text) and low <= int(text) <= high:
        return int(text)
    raise HTTPException(400, f"{name} must be a whole number from {low} to {high}.")


async def _json(request: Request) -> object:
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError):
        raise HTTPException(400, "The body must be JSON.") from None
