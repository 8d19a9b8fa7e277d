"""Replays all dead letters of a Route, as a command of its own that may be killed.

    python replay.py ADDRESS ROUTE NAME

Makes a step when a line comes in, and prints how many it has replayed by then.
"""

import asyncio
import sys

from isthmus_runtime.journal import opening
from isthmus_runtime.journal.desk import Act, Filter
from isthmus_runtime.journal.entries import State


async def main(address: str, route: str, name: str) -> None:
    """Go step by step."""
    desk = await opening.desk(address)
    act = Act(name=name, who="soak", why="the ERP is mended")
    replayed = 0
    sys.stdin.readline()
    async for step in desk.replay(act, Filter(route=route, states=(State.DEAD,))):
        replayed += len(step.uids)
        print(replayed, flush=True)
        sys.stdin.readline()
    await desk.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
