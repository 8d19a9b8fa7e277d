"""A process that does one thing with a journal, and prints how it went as JSON.

python bench/journal/subject.py bare  ADDRESS --count N --batch B [--plain] [--orders]
python bench/journal/subject.py accept ADDRESS --count N --callers C
python bench/journal/subject.py deliver ADDRESS --workers W [--ordered] [--share N]
    python bench/journal/subject.py limit ADDRESS
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import time
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

import payloads
from isthmus_runtime.journal import opening
from isthmus_runtime.journal.entries import Claim, Message, Settlement, State
from isthmus_runtime.journal.journal import Journal
from journal import bare, limit, messages

LEASE = 60.0


def main() -> None:
    """Do it, and say how it went."""
    asked = _parse()
    if asked.what == "bare":
        found = {"rate": _bare(asked)}
    elif asked.what == "limit":
        found = uvloop.run(limit.hold(asked.address))
    else:
        found = uvloop.run(_with_journal(asked))
    found["rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(found))


def _bare(asked: argparse.Namespace) -> float:
    body = payloads.encode(payloads.order()) if asked.orders else messages.BODY
    made = messages.drafts(asked.count, body)
    if asked.address.startswith("sqlite:"):
        path = opening.file(asked.address)
        return bare.sqlite(path, made, batch=asked.batch, plain=asked.plain)
    return bare.postgres(asked.address, made, batch=asked.batch, plain=asked.plain)


async def _with_journal(asked: argparse.Namespace) -> dict[str, float]:
    journal = await opening.open(asked.address)
    try:
        if asked.what == "accept":
            return await _accept(journal, asked.count, asked.callers)
        return await _deliver(journal, asked)
    finally:
        await journal.close()


async def _accept(journal: Journal, count: int, callers: int) -> dict[str, float]:
    """Callers that each wait until theirs is safe, as webhooks do."""
    made = iter(messages.drafts(count))
    took: list[float] = []

    async def call() -> None:
        for draft in made:
            began = time.perf_counter()
            await journal.accept([draft])
            took.append(time.perf_counter() - began)

    started = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(callers)))
    rate = count / (time.perf_counter() - started)
    took.sort()
    return {"rate": rate, "p50": took[len(took) // 2], "p99": took[len(took) * 99 // 100]}


async def _deliver(journal: Journal, asked: argparse.Namespace) -> dict[str, float]:
    """Workers that settle at once what they claim: the target takes no time. Said every tenth."""
    wish = Claim(
        route=messages.ROUTE,
        owner="bench",
        limit=2 * asked.workers,
        lease=LEASE,
        serial=asked.ordered,
    )
    done = 0
    marks = [time.perf_counter()]
    waiting: asyncio.Queue[Message] = asyncio.Queue(asked.workers)
    share = asked.share or await journal.backlog(messages.ROUTE)

    async def work() -> None:
        nonlocal done
        while True:
            message = await waiting.get()
            end = Settlement(message=message, state=State.FINISHED, journey=messages.JOURNEY)
            await journal.settle(end)
            done += 1
            waiting.task_done()
            if done % max(1, share // 10) == 0:
                marks.append(time.perf_counter())

    async def feed() -> None:
        """Claim ahead, so that workers need not wait for it."""
        while done < share and (found := await journal.claim(wish)):
            for message in found:
                await waiting.put(message)

    workers = [asyncio.create_task(work()) for _ in range(asked.workers)]
    await feed()
    await waiting.join()
    took = time.perf_counter() - marks[0]
    for worker in workers:
        worker.cancel()
    first = (marks[1] - marks[0]) if len(marks) > 1 else took
    last = (marks[-1] - marks[-2]) if len(marks) > 1 else took
    return {"rate": done / took, "done": done, "first": first, "last": last}


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("bare", "accept", "deliver", "limit"))
    parser.add_argument("address")
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--workers", type=int, default=32)
    parser.add_argument("--share", type=int, default=0)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--orders", action="store_true", help="bodies of twenty lines")
    parser.add_argument("--ordered", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
