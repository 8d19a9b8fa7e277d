"""map and aggregate: make a new body of the present one."""

from isthmus_api.expressions import composition
from isthmus_api.expressions.watch import Watch
from isthmus_api.plan import RoutePlan
from isthmus_api.step import Aggregate, Map
from isthmus_runtime.shared_tables import Filling
from isthmus_runtime.steps import contract
from isthmus_runtime.steps.bound import Binder
from isthmus_runtime.steps.verb import Plain


def compile_map(
    spec: Map, binder: Binder, plan: RoutePlan, labels: tuple[str, ...], filled: Filling
) -> Plain:
    """The verb of a map step: a Mapping of the plan, `filled` with its tables, or an expression in
    place."""
    if spec.mapping is not None:
        name, mapping = spec.mapping, filled[spec.mapping]
        watched = Watch()
        verb: contract.Translate = binder.bind(
            composition.compile(mapping, filled, watched=watched)
        ).body
        if composition.are_held(mapping, filled):
            verb = contract.watching(verb, watched, labels)
        return contract.around(verb, plan.mappings[name], name, labels)
    return binder.expression(spec.expression or "$").body


def compile_aggregate(spec: Aggregate, binder: Binder) -> Plain:
    """The verb of an aggregate step."""
    return binder.tree(spec.expression.strip()).body
