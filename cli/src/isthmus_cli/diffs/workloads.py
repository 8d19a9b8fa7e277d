"""Workloads: what becomes of the pods of each Route, and why. Pure.

What decides is what the operator would do: a Route's pods are replaced when its pod template
differs, and that has the hash of the plan in it. Settings of the chart are taken to be the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from isthmus_api.plan import RoutePlan, plan
from isthmus_api.problems import Problem, errors
from isthmus_api.resources import ROUTE, Key, Resource
from isthmus_api.route import RouteSpec
from isthmus_cli.diffs import fields
from isthmus_cli.diffs.capacity import Share
from isthmus_cli.diffs.objects import Verb
from isthmus_cli.diffs.sides import Side, Sides
from isthmus_operator import desired
from isthmus_operator.desired import Context, Journal, Manifest, SecretKey

_CONTEXT: Final = Context(
    image="runtime", gateway_api=True, journal=Journal(SecretKey("journal", "dsn"), 5432)
)
"""The same for both sides, so that what it says makes no difference."""


class Effect(StrEnum):
    """What becomes of the pods of a Route."""

    STARTS = "starts"
    STOPS = "stops"
    RESTARTS = "restarts"
    SCALES = "scales"
    GOES_ON = "goes on"
    """Its pods stay; something around them differs."""
    REFUSED = "refused"
    """It has errors; the pods that run go on as they are."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What of the plan or of the pods differs: an object, and the field of it."""

    subject: str
    path: str = ""
    note: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.subject, self.path, self.note) if part)


@dataclass(frozen=True, slots=True)
class Child:
    """An object that the operator makes of a Route, and that differs."""

    name: str
    verb: Verb


@dataclass(frozen=True, slots=True)
class Workload:
    """A Route whose pods, or what is around them, differ."""

    key: Key
    effect: Effect
    old: Share
    new: Share
    reasons: tuple[Reason, ...] = ()
    children: tuple[Child, ...] = ()
    problems: tuple[Problem, ...] = ()
    """Why it is refused."""


def changes(sides: Sides) -> Iterator[Workload]:
    """Every Route whose pods, or what is around them, differ."""
    for key in sides.keys:
        if key.kind == ROUTE.name and (found := _change(key, sides)):
            yield found


@dataclass(frozen=True, slots=True)
class _Running:
    """A Route as it runs on one side; without `manifests` it does not."""

    route: Resource[RouteSpec] | None
    plan: RoutePlan | None
    problems: tuple[Problem, ...] = ()
    manifests: tuple[Manifest, ...] = ()

    @property
    def share(self) -> Share:
        return Share.of(self.route.spec) if self.route and self.manifests else Share()

    @property
    def template(self) -> Any:
        return next(
            (each["spec"]["template"] for each in self.manifests if each["kind"] == "Deployment"),
            None,
        )


def _change(key: Key, sides: Sides) -> Workload | None:
    old_plan, new_plan = (side.plans.get(key) for side in (sides.old, sides.new))
    if _is_same(key, sides) and old_plan == new_plan:
        return None
    old = _running(key, sides.old, trusted=True)
    new = _running(key, sides.new, trusted=old_plan == new_plan)
    if new.problems:
        return Workload(key, Effect.REFUSED, old.share, old.share, problems=new.problems)
    children = tuple(_children(old.manifests, new.manifests))
    if not children:
        return None
    effect = _effect(old, new)
    reasons = tuple(_reasons(old, new)) if effect is Effect.RESTARTS else ()
    return Workload(key, effect, old.share, new.share, reasons, children)


def _is_same(key: Key, sides: Sides) -> bool:
    """Whether a Route is written alike on both sides."""
    old, new = sides.old.route(key), sides.new.route(key)
    return old is new or (old is not None and new is not None and old.spec == new.spec)


def _running(key: Key, side: Side, *, trusted: bool) -> _Running:
    """`trusted`: its expressions have been looked at before, or run."""
    route = side.route(key)
    if route is None:
        return _Running(None, None)
    planned = plan(route, side.resources, passed=side.plans[key].hash if trusted else "")
    wrong = errors(planned.problems)
    if planned.plan is None:
        return _Running(route, None, wrong)
    if wrong := desired.check(route, planned.plan, _CONTEXT):
        return _Running(route, planned.plan, wrong)
    made = desired.children(route, planned.plan, uid="", context=_CONTEXT)
    return _Running(route, planned.plan, manifests=made)


def _effect(old: _Running, new: _Running) -> Effect:
    match bool(old.share.pods), bool(new.share.pods):
        case False, True:
            return Effect.STARTS
        case True, False:
            return Effect.STOPS
        case True, True if old.template != new.template:
            return Effect.RESTARTS
    return Effect.SCALES if old.share.pods != new.share.pods else Effect.GOES_ON


def _children(old: tuple[Manifest, ...], new: tuple[Manifest, ...]) -> Iterator[Child]:
    before, after = _by_name(old), _by_name(new)
    for name in {**before, **after}:
        if name not in before:
            yield Child(name, Verb.ADDED)
        elif name not in after:
            yield Child(name, Verb.REMOVED)
        elif before[name] != after[name]:
            yield Child(name, Verb.CHANGED)


def _by_name(manifests: tuple[Manifest, ...]) -> dict[str, Manifest]:
    return {f"{each['kind']} {each['metadata']['name']}": each for each in manifests}


_POD_FIELDS: Final[tuple[str, ...]] = ("resources", "podTemplate")
_PARTS: Final = {"connectors": "Connector", "mappings": "Mapping", "feeds": "Route"}
"""Fields of a plan that hold other objects, by name."""
_MAPPING_FIELDS: Final = {"shared": "sharedTables"}
"""Where a Mapping says otherwise than the plan."""


def _reasons(old: _Running, new: _Running) -> Iterator[Reason]:
    if old.plan and new.plan:
        yield from _of_plans(old.plan.canonical(), new.plan.canonical(), old.plan)
    if old.route and new.route:
        before, after = _pod_fields(old.route), _pod_fields(new.route)
        for change in fields.changes(before, after, "spec"):
            yield Reason(str(new.route.key), change.path)


def _pod_fields(route: Resource[RouteSpec]) -> dict[str, Any]:
    """What a Route says of its pods beside what runs in them."""
    spec = route.spec.canonical()
    return {name: spec[name] for name in _POD_FIELDS if name in spec}


def _of_plans(old: dict[str, Any], new: dict[str, Any], plan: RoutePlan) -> Iterator[Reason]:
    for part, kind in _PARTS.items():
        before, after = old.pop(part, {}), new.pop(part, {})
        for name in {**before, **after}:
            subject = str(Key(kind, plan.namespace, name))
            if name not in before or name not in after:
                yield Reason(subject, note=_note(part, is_new=name in after))
            else:
                for path in _paths(before[name], after[name]):
                    yield Reason(subject, path)
    own = str(Key(ROUTE.name, plan.namespace, plan.name))
    for path in _paths(old, new):
        yield Reason(own, path)


def _note(part: str, *, is_new: bool) -> str:
    verb = "is fed" if part == "feeds" else "is used"
    return f"{verb} now" if is_new else f"{verb} no more"


def _paths(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for change in fields.changes(_as_written(old), _as_written(new), "spec"):
        yield change.path


def _as_written(part: dict[str, Any]) -> dict[str, Any]:
    return {_MAPPING_FIELDS.get(name, name): value for name, value in part.items()}
