"""The reconcile of a Route: from what was declared to children that run, and a status that says so.

Steps run in order, and each adds to the `Work`. The first outcome that one of them comes to is
what the status says; the others still run, so that a Route whose change cannot be used keeps its
children whole and can be scaled.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from isthmus_api.model import Model
from isthmus_api.plan import RoutePlan, UnreadablePlan, plan
from isthmus_api.problems import Problem, errors
from isthmus_api.resources import MAPPING, ROUTE, Key, Resource, Resources
from isthmus_api.route import RouteSpec
from isthmus_operator import desired, sightings
from isthmus_operator.conditions import Finding, Type
from isthmus_operator.declared import Declared
from isthmus_operator.kube import NotFound, kinds
from isthmus_operator.live import NO_PROGRESS, MissingSecret, Pod, Progress
from isthmus_operator.reasons import Reason
from isthmus_operator.reconcile import family, handover, outcome, scaling, wanted, workload
from isthmus_operator.reconcile.outcome import Outcome
from isthmus_operator.reconcile.world import World

_TOLD_AT_MOST: Final = 20
"""Names of other objects that a message can list."""


@dataclass(slots=True)
class Work:
    """One Route while it is reconciled."""

    declared: Declared
    route: Resource[RouteSpec] | None = None
    problems: tuple[Problem, ...] = ()
    plan: RoutePlan | None = None
    misfits: tuple[Problem, ...] | None = None
    """What of it does not fit the contracts of its Connectors; None where there are none."""
    applied: bool = False
    """Whether the children are those of this generation."""
    gone: bool = False
    """Whether the Route turned out to be deleted."""

    @property
    def key(self) -> Key:
        """The Route's."""
        return self.declared.key


Step = Callable[[Work, World], Awaitable[Outcome | None]]


async def reconcile(key: Key, world: World) -> Outcome | None:
    """Bring one Route to where it should be, as far as that goes now."""
    declared = world.declared.get(key)
    if declared is None or declared.deleting:
        world.heard_of_secrets(key, None)
        world.contracts.forget(key)
        world.sightings.expect(key, has_contract=False)
        return None
    work = Work(declared)
    outcomes = [await step(work, world) for step in STEPS]
    if work.gone:
        world.heard_of_secrets(key, None)
        world.declared.forget(key, uid=declared.uid)
        return None
    came_to = next((each for each in outcomes if each), None)
    world.heard_of_secrets(key, _secrets(work, world))
    came_to = came_to or _workload(work, world)
    await _report(work, world, came_to)
    return came_to


async def read(work: Work, world: World) -> Outcome | None:
    """Check the Route against its model."""
    found = work.declared.read()
    if isinstance(found, Resource):
        work.route = cast(Resource[RouteSpec], found)
        return None
    work.problems = found
    return outcome.of_problems(found)


async def resolve(work: Work, world: World) -> Outcome | None:
    """Join the Route with what it names into a plan."""
    if work.route is None:
        return None
    resources, wrong = await _named(work, world)
    planned = plan(work.route, resources, passed=_runs(work.key, world))
    found = [*errors(planned.problems), *wrong]
    if planned.plan:
        found += desired.check(work.route, planned.plan, world.context)
    work.problems = tuple(dict.fromkeys(found))
    work.plan = None if found else planned.plan
    if work.plan:
        work.misfits = await world.contracts.of_route(work.route, resources, work.plan)
    return outcome.of_problems(work.problems)


async def go_on(work: Work, world: World) -> Outcome | None:
    """Without a plan for this generation, go on with the one that runs."""
    work.applied = work.plan is not None
    if work.plan is None and work.route is not None:
        work.plan = await _running_plan(work.key, world)
    return None


async def apply(work: Work, world: World) -> Outcome | None:
    """Make the children what they should be."""
    if work.plan is None or work.route is None:
        return None
    uid = work.declared.uid
    manifests = wanted.children(work.route, work.plan, uid=uid, world=world)
    if manifests is None:
        return None
    if family.lacks(manifests, world) and await _is_gone(work.declared, world):
        work.gone = True
        return None
    await handover.settle(work.route, work.plan, world)
    refused = await family.apply(work.declared, manifests, world)
    work.applied = work.applied and refused is None
    if refused is None:
        await handover.settle(work.route, work.plan, world)
        await family.prune(work.declared, manifests, world)
    return refused


async def _is_gone(declared: Declared, world: World) -> bool:
    """Whether a Route whose children were made is there no more.

    Of what is deleted in a gap of the watch no event tells. Its children go too, and to make them
    again would be a fight with the garbage collector.
    """
    if "lastAppliedGeneration" not in declared.known_status():
        return False
    try:
        found = await world.client.get(kinds.ROUTES, declared.key.namespace, declared.key.name)
    except NotFound:
        return True
    world.declared.take(found)
    return bool(found["metadata"]["uid"] != declared.uid)


STEPS: Final[tuple[Step, ...]] = (read, resolve, go_on, apply)


async def _named(work: Work, world: World) -> tuple[Resources, tuple[Problem, ...]]:
    """What a Route is planned with, and what is wrong with that.

    A Route that it feeds and that cannot be read is a problem of this one, too: planned without it,
    its messages would be lost.
    """
    found: list[Resource[Model]] = []
    wrong: list[Problem] = []
    for key in sorted(_related(work.declared, world), key=str):
        declared = world.declared.get(key)
        if declared is None or declared.deleting:
            found += _others(key, world)
            continue
        if key.kind == MAPPING.name:
            wrong += await world.verdicts.of(declared, world.declared.called(key))
        resource = declared.read()
        if isinstance(resource, Resource):
            found.append(resource)
        elif key.kind != MAPPING.name:
            wrong += resource
    return Resources.of(found), errors(wrong)


def _related(route: Declared, world: World) -> set[Key]:
    """What a Route names and its Mappings call, the Routes that it feeds, and all those that it is
    fed by in turn."""
    feeders: set[Key] = set()
    ahead = _feeders(route.references)
    while ahead:
        feeders |= ahead
        ahead = _feeders(used for each in ahead for used in world.declared.used_by(each)) - feeders
    declared = world.declared
    return {*route.references, *declared.below(route.key), *declared.users(route.key), *feeders}


def _feeders(references: Iterable[Key]) -> set[Key]:
    return {each for each in references if each.kind == ROUTE.name}


def _others(missing: Key, world: World) -> Iterator[Resource[Model]]:
    """What there is instead, for the message."""
    for key in world.declared.others(missing, at_most=_TOLD_AT_MOST):
        declared = world.declared.get(key)
        if declared and isinstance(resource := declared.read(), Resource):
            yield resource


def _runs(key: Key, world: World) -> str:
    """The hash of the plan that the Route's own Deployment runs, which passed all checks."""
    deployment = family.deployment(key, world)
    return deployment.plan if deployment else ""


async def _running_plan(key: Key, world: World) -> RoutePlan | None:
    runs = _runs(key, world)
    if not runs:
        return None
    name = desired.config_map_name(key.name, runs)
    try:
        found = await world.client.get(kinds.CONFIG_MAPS, key.namespace, name)
        return RoutePlan.from_json(found["data"][desired.PLAN_FILE].encode())
    except (NotFound, KeyError, UnreadablePlan):
        return None


def _schema_drift(work: Work, world: World) -> Iterator[Finding]:
    """What the pods tell of answers, where a contract says how those are to be."""
    has_contract = work.plan is not None and bool(desired.documents(work.plan))
    world.sightings.expect(work.key, has_contract=has_contract)
    if work.plan is not None and has_contract:
        told = world.sightings.of(work.key, _present(work, world))
        before = work.declared.known_status().get("conditions") or ()
        known = next((each for each in before if each["type"] == Type.SCHEMA_DRIFT), None)
        yield sightings.finding(told, known)


def _secrets(work: Work, world: World) -> frozenset[MissingSecret] | None:
    """What the pods tell of the Route's Secrets; None before they told anything."""
    missing = frozenset(pod.missing for pod in _present(work, world) if pod.missing)
    return missing if missing or _progress(work, world).available else None


def _present(work: Work, world: World) -> list[Pod]:
    """The pods that run the present plan."""
    present = work.plan.hash if work.plan else ""
    return [pod for pod in world.children.pods(work.key) if pod.plan == present]


def _progress(work: Work, world: World) -> Progress:
    deployment = family.deployment(work.key, world)
    return (deployment.progress if deployment else None) or NO_PROGRESS


def _workload(work: Work, world: World) -> Outcome:
    """How far the pods have come."""
    return workload.came_to(
        _progress(work, world),
        _present(work, world),
        plan=work.plan,
        paused=work.route is not None and work.route.spec.paused,
    )


async def _report(work: Work, world: World, came_to: Outcome) -> None:
    progress = _progress(work, world)
    before = work.declared.known_status()
    settled = work.plan is not None and progress.complete
    scale, scaled = _scale(work, world, before.get("scale") or {})
    findings = [
        *outcome.readiness(came_to),
        outcome.config(work.problems),
        outcome.references(work.problems),
        workload.available(progress),
        *_scaling(work, world),
        *outcome.contract(work.misfits),
        *_schema_drift(work, world),
    ]
    fields = {
        "replicas": progress.replicas,
        "updatedReplicas": progress.updated,
        "availableReplicas": progress.available,
        "selector": desired.selector(work.key.name),
        "scale": scale,
        "planHash": work.plan.hash if work.plan and settled else before.get("planHash"),
        "lastAppliedGeneration": work.declared.generation
        if work.applied
        else before.get("lastAppliedGeneration"),
    }
    if await world.reporter.write(work.declared, findings, fields) and scaled:
        world.reporter.tell(work.declared, "Normal", Reason.SCALED, scaled)


def _scale(
    work: Work, world: World, before: Mapping[str, Any]
) -> tuple[Mapping[str, Any] | None, str | None]:
    """`status.scale`, and what to tell of it."""
    if work.route is None:
        return before or None, None
    spec = work.route.spec
    autoscaler = scaling.scaler(spec, world.autoscalers.of(work.key))
    replicas = scaling.count(spec, family.deployment(work.key, world))
    now = scaling.scale(replicas, before=before, autoscaler=autoscaler, plan=work.plan)
    return now, scaling.told(before, now)


def _scaling(work: Work, world: World) -> Iterator[Finding]:
    if work.route is not None:
        yield from scaling.active(work.route.spec, work.plan, world.autoscalers.of(work.key))
