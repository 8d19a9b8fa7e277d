"""The reconcile of a Connector: what can be proved of it without sending anything.

Its spec is read, and the pods of the Routes that use it tell whether its Secrets are there. The
operator itself never reads a Secret.
"""

from collections.abc import Iterable, Iterator
from typing import Final, cast

from isthmus_api.connector import ConnectorSpec
from isthmus_api.resources import Key, Resource
from isthmus_operator import desired
from isthmus_operator.conditions import Finding, Type
from isthmus_operator.live import MissingSecret
from isthmus_operator.reasons import Reason
from isthmus_operator.reconcile import outcome
from isthmus_operator.reconcile.outcome import Outcome, Running, Waiting
from isthmus_operator.reconcile.users import users
from isthmus_operator.reconcile.world import World

_VALID: Final = Running("The spec is valid.", reason=Reason.VALID)


async def reconcile(key: Key, world: World) -> Outcome | None:
    """Judge one Connector and say so in its status."""
    declared = world.declared.get(key)
    if declared is None or declared.deleting:
        world.contracts.forget(key)
        return None
    read = declared.read()
    if not isinstance(read, Resource):
        came_to: Outcome = outcome.of_problems(read) or _VALID
        findings = [outcome.config(read)]
    else:
        named = desired.secrets(read.spec)
        wanted = [each for each in named if isinstance(each, desired.SecretKey)]
        told = [world.secrets.get(user) for user in world.declared.users(key)]
        missing = sorted(set(_missing(wanted, told)), key=str)
        came_to = _came_to(missing)
        mounted = any(each == frozenset() for each in told)
        findings = [outcome.config(()), *_secrets(wanted, missing, mounted=mounted)]
        findings += await _contract(cast(Resource[ConnectorSpec], read), world)
    findings = [*outcome.readiness(came_to), *findings]
    await world.reporter.write(declared, findings, users(key, world))
    return came_to


async def _contract(connector: Resource[ConnectorSpec], world: World) -> list[Finding]:
    """Read its contract, and wake the Routes that are held against it when it is another one."""
    problem, is_news = await world.contracts.read(connector)
    if is_news:
        for user in world.declared.users(connector.key):
            world.wake(user)
    if not (connector.spec.http and connector.spec.http.contract):
        return []
    kind = Type.CONTRACT_READABLE
    if problem:
        return [Finding(kind, False, problem.code, outcome.told([problem]))]
    return [Finding(kind, True, Reason.CONTRACT_READ, "The vendor's document was read.")]


def _missing(
    wanted: Iterable[desired.SecretKey], told: Iterable[frozenset[MissingSecret] | None]
) -> Iterator[MissingSecret]:
    """What pods miss of the Secrets that this Connector names; they may miss others too."""
    names = {each.name for each in wanted}
    keys = {(each.name, each.key) for each in wanted}
    for missing in (each for told_by_one in told for each in told_by_one or ()):
        whole = not missing.key and missing.name in names
        if whole or (missing.name, missing.key) in keys:
            yield missing


def _came_to(missing: list[MissingSecret]) -> Outcome:
    if missing:
        return Waiting(Reason.SECRET_NOT_FOUND, f"{missing[0]}; {missing[0].advice}")
    return _VALID


def _secrets(
    wanted: Iterable[desired.SecretKey], missing: list[MissingSecret], *, mounted: bool
) -> Iterator[Finding]:
    kind = Type.REFERENCES_RESOLVED
    if not wanted:
        return None
    if missing:
        yield Finding(kind, False, Reason.SECRET_NOT_FOUND, "; ".join(map(str, missing)))
    elif mounted:
        yield Finding(kind, True, Reason.MOUNTED, "Pods have all Secret keys that it names.")
    else:
        yield Finding(kind, None, Reason.NOT_MOUNTED, "No pod has told of its Secrets yet.")
