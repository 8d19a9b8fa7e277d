"""The Routes that use an object, as its status names them."""

from typing import Any, Final

from isthmus_api.resources import Key
from isthmus_operator.reconcile.world import World

NAMED_AT_MOST: Final = 20
"""A status is for reading; `usedBy` counts all of them."""


def users(key: Key, world: World) -> dict[str, Any]:
    """The fields `usedBy` and `routes`."""
    found = world.declared.users(key)
    return {"usedBy": len(found), "routes": [user.name for user in found[:NAMED_AT_MOST]]}
