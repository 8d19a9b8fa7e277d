"""The workload of a Route: how far its pods have come, and what that means. Pure."""

from collections.abc import Sequence

from isthmus_api.plan import RoutePlan
from isthmus_operator import desired
from isthmus_operator.conditions import Finding, Type
from isthmus_operator.live import NO_PROGRESS, Pod, Progress
from isthmus_operator.reasons import Reason
from isthmus_operator.reconcile.outcome import (
    Outcome,
    Paused,
    Rolling,
    Running,
    Stalled,
    Waiting,
)


def came_to(
    progress: Progress, pods: Sequence[Pod], *, plan: RoutePlan | None, paused: bool
) -> Outcome:
    """What a Route whose children are applied comes to; `pods` are those of the present plan."""
    if paused:
        return Paused("No pods run while spec.paused is true.")
    if missing := next((pod.missing for pod in pods if pod.missing), None):
        return Waiting(Reason.SECRET_NOT_FOUND, f"{missing}; {missing.advice}")
    if refused := next((pod.trouble for pod in pods if pod.refused), None):
        return Stalled(Reason.PLAN_UNUSABLE, f"The runtime refuses the plan: {refused}")
    if progress.stuck:
        return Stalled(
            Reason.PROGRESS_DEADLINE_EXCEEDED, f"The pods do not come up: {progress.stuck}"
        )
    if not progress.complete:
        return Rolling(_so_far(progress, pods))
    if progress.wanted == 0:
        return Running("Scaled to zero, as the spec says.", reason=Reason.SCALED_TO_ZERO)
    return Running(_answering(progress.available, plan))


def available(progress: Progress) -> Finding:
    """Whether all pods answer."""
    if progress.available >= progress.wanted and progress is not NO_PROGRESS:
        return Finding(Type.WORKLOAD_AVAILABLE, True, Reason.AVAILABLE, "All pods answer.")
    return Finding(
        Type.WORKLOAD_AVAILABLE,
        False,
        Reason.UNAVAILABLE,
        f"{progress.available} of {progress.wanted} pods answer.",
    )


def _so_far(progress: Progress, pods: Sequence[Pod]) -> str:
    trouble = progress.refused or next((pod.trouble for pod in pods if pod.trouble), "")
    told = (
        f"{progress.updated} of {progress.wanted} pods run the present plan, "
        f"{progress.available} of them answer"
    )
    return f"{told}; {trouble}" if trouble else f"{told}."


def _answering(number: int, plan: RoutePlan | None) -> str:
    answering = "1 pod answers." if number == 1 else f"{number} pods answer."
    most = desired.most_useful(plan) if plan else None
    if most is None or number <= most:
        return answering
    return (
        f"{answering} No more than {most} can work at a time: messages of a schedule come singly."
    )
