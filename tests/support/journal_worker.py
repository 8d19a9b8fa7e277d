"""A process that works on a journal and says what returned, line by line, until it is killed.

    python journal_worker.py accept ADDRESS     accepts messages, six callers side by side
    python journal_worker.py settle ADDRESS     claims and settles what is there
    python journal_worker.py open ADDRESS       opens the journal, says `open`, and waits

A line is written when the call has returned, never before: `accepted UID`, `settled UID`.
"""

import asyncio
import os
import sys

from journals import draft, ended, wish

from isthmus_runtime.journal import opening
from isthmus_runtime.journal.journal import Journal, JournalError

CALLERS = 6


def say(*words: str) -> None:
    """One line, in one write: a kill leaves whole lines."""
    os.write(1, f"{' '.join(words)}\n".encode())


async def accept(journal: Journal) -> None:
    """Accept for ever."""

    async def call(name: int) -> None:
        number = 0
        while True:
            drafts = [draft("x" * 200, key=f"{name}-{number % 5}") for _ in range(1 + number % 3)]
            await journal.accept(drafts)
            for each in drafts:
                say("accepted", each.uid)
            number += 1

    await asyncio.gather(*(call(name) for name in range(CALLERS)))


async def settle(journal: Journal) -> None:
    """Settle for ever; each message feeds another Route."""

    async def call(name: int) -> None:
        while True:
            claimed = await journal.claim(wish(owner=str(name), limit=3, lease=2.0))
            for message in claimed:
                feed = draft(message.uid, route="shop/fed", parent=message.uid)
                if await journal.settle(ended(message, feeds=(feed,))):
                    say("settled", message.uid)
            await asyncio.sleep(0 if claimed else 0.01)

    await asyncio.gather(*(call(name) for name in range(CALLERS)))


async def wait(_: Journal) -> None:
    """Do nothing with it."""
    say("open")
    await asyncio.Event().wait()


async def main(what: str, address: str) -> None:
    """Open, then do what was asked."""
    try:
        journal = await opening.open(address)
    except JournalError as error:
        say(type(error).__name__, str(error))
        return
    await {"accept": accept, "settle": settle, "open": wait}[what](journal)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
