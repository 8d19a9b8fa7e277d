"""Deliveries: what a Route says of its messages fits its source and its steps."""

from collections.abc import Iterator
from typing import Final

from isthmus_api.delivery import Delivery
from isthmus_api.plan import scope, shape, steps
from isthmus_api.plan.sources import at_least
from isthmus_api.problems import Code, Path, Problem
from isthmus_api.route import RouteSpec
from isthmus_api.step import Step

_DELIVERY: Path = ("spec", "delivery")


def check(spec: RouteSpec) -> Iterator[Problem]:
    """Everything that is wrong with how a Route delivers."""
    if not spec.source.is_asynchronous:
        yield from _without_messages(spec)
        return
    for path, step in steps.each(spec):
        yield from _answers(step, path)
    if spec.delivery:
        yield from _keyless(spec, spec.delivery)
        yield from _times(spec.delivery)
    if scope.is_batched(spec):
        yield from _filtered_batches(spec)


def _without_messages(spec: RouteSpec) -> Iterator[Problem]:
    for name in ("message", "delivery", "retention"):
        if name in spec.written():
            yield Problem(
                Code.MISPLACED,
                f"{name} has no meaning for an http source: its caller waits for the answer, and "
                "nothing is kept",
                hint="remove it, or take messages with a webhook source",
                path=("spec", name),
            )


def _answers(step: Step, path: Path) -> Iterator[Problem]:
    """A message has no caller. Ending early is what choice and filter are for."""
    if step.respond:
        yield Problem(
            Code.MISPLACED,
            "nobody waits for an answer: this Route delivers messages",
            hint="remove it; the body after the last step is the result, filter skips a message",
            path=(*path, "respond"),
        )
    if step.on_error and step.on_error.respond:
        yield Problem(
            Code.MISPLACED,
            "nobody waits for an answer: this Route delivers messages",
            hint="write use: … to go on with a value; without onError the message is tried again "
            "or put aside",
            path=(*path, "onError", "respond"),
        )


def _keyless(spec: RouteSpec, delivery: Delivery) -> Iterator[Problem]:
    """What goes by the key of a message needs one."""
    if spec.message and spec.message.key:
        return
    for name, is_asked in (
        ("order", delivery.order == "key"),
        ("skipIfDelivered", delivery.skip_if_delivered),
    ):
        if is_asked:
            yield Problem(
                Code.MISSING_FIELD,
                f"{name} goes by message.key, and this Route has none",
                hint="write message: {key: …} with what the message is about, such as {% id %}",
                path=(*_DELIVERY, name),
            )


_LEAST: Final = "1ms"


def _times(delivery: Delivery) -> Iterator[Problem]:
    yield from at_least(_LEAST, delivery.timeout, (*_DELIVERY, "timeout"))
    if delivery.deadline:
        yield from at_least(_LEAST, delivery.deadline, (*_DELIVERY, "deadline"))


def _filtered_batches(spec: RouteSpec) -> Iterator[Problem]:
    """A filter looks at the whole batch: one order that is not paid would skip all of them."""
    parallel = shape.parallel_branches(spec)
    for path, found in steps.lists(spec):
        if path[-1] in parallel:
            continue
        for index, step in enumerate(found):
            if step.filter:
                yield Problem(
                    Code.MISPLACED,
                    "a filter would skip all messages of a batch at once",
                    hint="choose among them with map, such as $[status = 'paid'], or deliver one "
                    "by one",
                    path=(*path, index, "filter"),
                )
