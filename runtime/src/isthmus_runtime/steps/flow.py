"""filter, choice, split and scatter: which steps a message goes through."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from isthmus_api.step import Choice, Scatter, Split
from isthmus_runtime.body import Body
from isthmus_runtime.exchange import PLACE, Exchange
from isthmus_runtime.faults import out_of_time
from isthmus_runtime.steps.bound import Binder
from isthmus_runtime.steps.verb import Plain, Run, Waiting

_FILTERED = object()
NO_VARIABLES: Mapping[str, Any] = MappingProxyType({})


def compile_filter(condition: str, binder: Binder) -> Plain:
    """Let a message go on only when the condition is true."""
    template = binder.template(condition)

    def keep(x: Exchange) -> None:
        if not is_true(template.value(x)):
            x.end()

    return keep


def compile_choice(spec: Choice, binder: Binder, branches: Mapping[str, Run]) -> Waiting:
    """Run the first branch whose condition is true, on the message itself."""
    alternatives = [(binder.template(when.condition), branches[when.branch]) for when in spec.when]
    otherwise = branches[spec.otherwise] if spec.otherwise else None

    async def choose(x: Exchange) -> Body:
        before = x.body
        try:
            taken = next((run for test, run in alternatives if is_true(test.value(x))), otherwise)
            waiting = taken(x) if taken is not None else None
            if waiting is not None:
                await waiting
            return x.body
        finally:  # the branch's body is a result: with `into`, or when it failed, ours stays
            x.body = before

    return choose


def compile_split(spec: Split, binder: Binder, branches: Mapping[str, Run]) -> Waiting:
    """Run a branch for each element; the results come in the order of the elements."""
    items = binder.template(spec.items.strip())
    run = branches[spec.branch]

    async def split(x: Exchange) -> Body:
        elements = as_list(items.value(x))

        async def one(index: int) -> Any:
            place = f"{x.variables.get(PLACE, '')}.{index}"
            return await _result(run, x, Body.of(elements[index]), {"index": index, PLACE: place})

        results = await _bounded(one, len(elements), spec.concurrency, x.deadline)
        return Body.of([r for r in results if r is not _FILTERED])

    return split


def compile_scatter(spec: Scatter, branches: Mapping[str, Run]) -> Waiting:
    """Run branches side by side on copies of the message; a filtered one gives null."""
    runs = [branches[name] for name in spec.branches]

    async def scatter(x: Exchange) -> Body:
        async def one(index: int) -> Any:
            return await _result(runs[index], x, x.body.copy())

        results = await _bounded(one, len(runs), len(runs), x.deadline)
        gathered = (None if result is _FILTERED else result for result in results)
        return Body.of(dict(zip(spec.branches, gathered, strict=True)))

    return scatter


async def _result(
    run: Run, x: Exchange, body: Body, variables: Mapping[str, Any] = NO_VARIABLES
) -> Any:
    """What a branch makes of a body, on a message of its own."""
    fork = x.fork(body, **variables)
    waiting = run(fork)
    if waiting is not None:
        await waiting
    if fork.ended:
        return _FILTERED
    value = fork.body.value
    x.learn(fork.large)
    return value


_BREATH = 32
"""Pieces of work between two pauses: a branch that awaits nothing would keep all others waiting."""


async def _bounded(
    work: Callable[[int], Awaitable[Any]], count: int, limit: int, deadline: float
) -> list[Any]:
    """Do `count` pieces of work, `limit` at once; the first failure ends the rest and comes out."""
    results: list[Any] = [None] * count
    queue = iter(range(count))
    loop = asyncio.get_running_loop()

    async def worker() -> None:
        for index in queue:
            results[index] = await work(index)
            if index % _BREATH == _BREATH - 1:
                await asyncio.sleep(0)
                if loop.time() >= deadline:
                    raise out_of_time()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(limit, count)):
                group.create_task(worker())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return results


def is_true(value: Any) -> bool:
    """Whether a condition holds: only `true` does, so that a typo in a name holds nothing."""
    return value is True


def as_list(value: Any) -> list[Any]:
    """The elements to split: nothing is none, a single value is one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
