"""The journal, as one Route needs it: which there is for its pods, or what is wrong without one.

Its address is a key of a Secret of the Route's namespace, mounted like those of Connectors. Pods
that only share limits or tokens of Connectors use it where there is one, and start without that
Secret, too.
"""

from isthmus_api.plan import RoutePlan
from isthmus_api.problems import Code, Problem
from isthmus_api.resources import Resource
from isthmus_api.route import RouteSpec
from isthmus_operator.desired.context import Context, Journal


def of(plan: RoutePlan, context: Context) -> Journal | None:
    """The journal that the pods of a plan use; None where they use none."""
    return context.journal if plan.needs_journal or plan.shares_with_others else None


def not_configured(route: Resource[RouteSpec], plan: RoutePlan, context: Context) -> Problem | None:
    """A problem when a Route needs a journal and there is none."""
    if context.journal or not plan.needs_journal:
        return None
    path = ("spec", "source") if plan.source.is_asynchronous else ("spec", "steps")
    return Problem(
        Code.JOURNAL_NOT_CONFIGURED,
        "this Route needs a journal, and the operator knows of none",
        hint="set journal.postgres.secretName in the values of the operator's chart, and make that "
        "Secret in this namespace",
        subject=str(route.key),
        path=path,
        location=route.origin.locate(path),
    )
