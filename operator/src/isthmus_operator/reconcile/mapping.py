"""The reconcile of a Mapping: whether it may be used, and who uses it."""

from isthmus_api.resources import Key
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
    problems = await world.verdicts.of(declared, world.declared.called(key))
    came_to = outcome.of_problems(problems) or Running(
        "The expression is valid and its tests pass.", reason=Reason.VALID
    )
    findings = [*outcome.readiness(came_to), outcome.config(problems)]
    await world.reporter.write(declared, findings, users(key, world))
    return came_to
