"""Planning: from resources to a RoutePlan, or to the problems that stand in the way.

The operator, the command line and the tests all call `plan`; the runtime reads what it returns.
Nothing here does I/O. Names are loaded when they are first used: a runtime reads plans and must not
pay at its start for the planner and the linter.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from isthmus_api.plan.planner import Planned, check, joined, plan
    from isthmus_api.plan.routeplan import PlannedFeed, PlannedMapping, RoutePlan, UnreadablePlan

__all__ = [
    "Planned",
    "PlannedFeed",
    "PlannedMapping",
    "RoutePlan",
    "UnreadablePlan",
    "check",
    "joined",
    "plan",
]

_MODULES: Final = {
    "Planned": "planner",
    "check": "planner",
    "joined": "planner",
    "plan": "planner",
    "PlannedFeed": "routeplan",
    "PlannedMapping": "routeplan",
    "RoutePlan": "routeplan",
    "UnreadablePlan": "routeplan",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
