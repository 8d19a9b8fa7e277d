"""The reconcile of a Mapping: whether it may be used, and who uses it."""

from collections.abc import Sequence
from typing import cast

from isthmus_api.mapping import MappingSpec
from isthmus_api.resources import Key, Resource
from isthmus_operator.declared import Declared
from isthmus_operator.reasons import Reason
from isthmus_operator.reconcile import outcome
from isthmus_operator.reconcile.outcome import Outcome, Running
from isthmus_operator.reconcile.users import users
from isthmus_operator.reconcile.world import World


async def reconcile(key: Key, world: World) -> Outcome | None:
    """Judge one Mapping and say so in its status."""
    declared = world.declared.get(key)
    if declared is None or declared.deleting:
        world.verdicts.forget(key)
        return None
    called = world.declared.called(key)
    problems = await world.verdicts.of(declared, called)
    came_to = outcome.of_problems(problems) or Running(
        _praise((declared, *called)), reason=Reason.VALID
    )
    findings = [*outcome.readiness(came_to), outcome.config(problems)]
    await world.reporter.write(declared, findings, users(key, world))
    return came_to


def _praise(mappings: Sequence[Declared]) -> str:
    found = (each.read() for each in mappings)
    specs = (cast(MappingSpec, each.spec) for each in found if isinstance(each, Resource))
    if any(spec.shared_tables for spec in specs):
        return "The expression is valid; tests that need ConfigMaps are for `isthmus test` to run."
    return "The expression is valid and its tests pass."
