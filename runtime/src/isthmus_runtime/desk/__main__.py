"""`python -m isthmus_runtime.desk`: requests in, a line each, and answers out, until input ends.

Runs in a Route's pod beside its runtime, on the same journal, for messages of its namespace. Only
of its own Route it knows what is masked; bodies of others are withheld.
"""

import asyncio
import json
import os
import sys
from pathlib import Path

from isthmus_api.plan import RoutePlan, UnreadablePlan
from isthmus_runtime import secrets
from isthmus_runtime.desk.clerk import Clerk, Runs, Windows
from isthmus_runtime.desk.manual import CannotRun, ManualRun
from isthmus_runtime.desk.showing import Window
from isthmus_runtime.journal import opening
from isthmus_runtime.journal.journal import JournalError


class Unusable(Exception):
    """There is nothing to answer from; the message is one line."""


def main() -> int:
    """Answer until the input ends."""
    try:
        asyncio.run(_serve(_plan(), _address()))
    except (Unusable, UnreadablePlan, JournalError) as error:
        _say({"error": " ".join(str(error).split())})
        return 1
    except BrokenPipeError:  # whoever asked is gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


async def _serve(plan: RoutePlan, address: str) -> None:
    desk = await opening.desk(address)
    try:
        clerk = Clerk(desk, _windows(plan), _runs(plan), namespace=plan.namespace)
        while line := await asyncio.to_thread(sys.stdin.readline):
            async for answer in clerk.answer(_decoded(line)):
                _say(answer)
    finally:
        await desk.close()


def _windows(plan: RoutePlan) -> Windows:
    folder = os.environ.get("ISTHMUS_SECRETS")
    seen = secrets.everything(Path(folder)) if folder else ()
    own = Window(plan.privacy.mask if plan.privacy else (), tuple(seen))
    name = f"{plan.namespace}/{plan.name}"
    return lambda route: own if route == name else None


def _runs(plan: RoutePlan) -> Runs:
    def run(route: str) -> ManualRun:
        if route != f"{plan.namespace}/{plan.name}":
            raise CannotRun(f"only a pod of {route} makes its messages, and none is ready")
        return ManualRun(plan)

    return run


def _say(answer: object) -> None:
    """One line of ASCII, so that nothing on the way can cut a character in two."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _decoded(line: str) -> object:
    try:
        found: object = json.loads(line)
    except json.JSONDecodeError:
        return None
    return found


def _plan() -> RoutePlan:
    file = Path(os.environ.get("ISTHMUS_PLAN", "/etc/isthmus/plan.json"))
    try:
        return RoutePlan.from_json(file.read_bytes())
    except OSError as error:
        raise Unusable(f"the plan {file} cannot be read: {error.strerror}") from error


def _address() -> str:
    given, file = os.environ.get("ISTHMUS_JOURNAL"), os.environ.get("ISTHMUS_JOURNAL_FILE")
    if given:
        return given
    if not file:
        raise Unusable("this pod has no journal")
    try:
        return Path(file).read_text("utf-8").strip()
    except OSError as error:
        raise Unusable(f"the journal's address {file} cannot be read: {error.strerror}") from error


if __name__ == "__main__":
    sys.exit(main())
