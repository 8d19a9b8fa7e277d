"""The process: settings, logs, health, the Lease, and the operator for as long as it is held.

Ends with 0 when asked to, 1 when the Lease is lost or the operator fails, 2 when it cannot start.
"""

import asyncio
import gc
import logging
import os
import signal
import sys
from typing import Final, NoReturn

import uvloop

from isthmus_operator import health, logs, metrics
from isthmus_operator.declared import Declared
from isthmus_operator.events import Events, Subject
from isthmus_operator.health import Health, overdue
from isthmus_operator.kube import Access, Client, NoAccess, kinds
from isthmus_operator.lease import Lease, LeaseLost
from isthmus_operator.operator import Operator, finished
from isthmus_operator.pulse import Pulse
from isthmus_operator.settings import Settings, WrongSettings

GC_THRESHOLDS: Final = (10_000, 20, 20)
"""What is kept of Routes is text; the defaults would walk it all the time."""
LAST_EVENTS_SECONDS: Final = 3.0
_log = logging.getLogger("isthmus_operator")


def main() -> int:
    """Run until a signal; the exit code."""
    try:
        settings = Settings.of(os.environ)
        logs.setup(settings.log_level)
        access = Access.find(os.environ)
    except (WrongSettings, NoAccess) as error:
        print(f"isthmus-operator: {error}", file=sys.stderr)
        return 2
    # What is loaded by now stays; the collector need not walk it again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings, access))
    return 0


async def serve(settings: Settings, access: Access) -> None:
    """Be healthy, wait for the Lease, and work while it is held."""
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    pulse, checks = Pulse(), Health()
    checks.add(
        "loop", overdue("the event loop is late", pulse.late, limit=health.LOOP_LATE_SECONDS)
    )
    metrics.stall(pulse.longest)
    beating = asyncio.create_task(pulse.run())
    async with (
        Client(access, observe=metrics.requested) as client,
        checks.serving("0.0.0.0", settings.port),  # noqa: S104 - the kubelet asks from outside
    ):
        lease = Lease(
            client, namespace=settings.namespace, name=settings.lease, holder=settings.pod
        )
        if await finished(lease.acquire(), before=stop):
            metrics.leading(True)
            await _lead(settings, access, client, lease, checks, stop)
    beating.cancel()


async def _lead(
    settings: Settings,
    access: Access,
    client: Client,
    lease: Lease,
    checks: Health,
    stop: asyncio.Event,
) -> None:
    told = Events(client, pod=settings.pod)
    operator = Operator(
        access,
        client,
        namespaces=settings.namespaces,
        context=settings.context(),
        workers=settings.workers,
        tell=lambda declared, kind, reason, message: told.tell(
            _subject(declared), kind=kind, reason=reason, message=message
        ),
    )
    _look_after(operator, checks)
    holding = asyncio.create_task(_hold(lease))
    writing = asyncio.create_task(told.run())
    await operator.run(stop)
    await told.written(LAST_EVENTS_SECONDS)
    writing.cancel()
    holding.cancel()
    # Only after the last write: from here on the standby may work.
    await lease.release()


def _look_after(operator: Operator, checks: Health) -> None:
    queue = operator.queue
    metrics.queue(queue.__len__)
    under_way = overdue(
        "a reconcile is under way", queue.oldest_under_way, limit=health.UNDER_WAY_SECONDS
    )
    stuck = overdue("no reconcile ended", queue.stuck_for, limit=health.STUCK_SECONDS)
    checks.add("reconcile", under_way)
    checks.add("queue", stuck)
    checks.add("edge", lambda: _MISSED.format(operator.missed) if operator.missed else None)
    checks.ready(
        "caches", lambda: None if operator.synced.is_set() else "the cluster is being read"
    )
    for kind, silent_for in operator.silences().items():
        metrics.silence(kind, silent_for)
        limit = health.WATCH_SILENT_SECONDS
        checks.add(f"watch {kind}", overdue("the watch is silent", silent_for, limit=limit))


_MISSED: Final = "the watch did not tell of {} changes"


async def _hold(lease: Lease) -> NoReturn:
    try:
        await lease.hold()
    except LeaseLost as error:
        # Another may work from now on, so nothing here may: not even a tidy end.
        _log.error("lease lost", extra={"reason": str(error)})
        os._exit(1)


def _subject(declared: Declared) -> Subject:
    resource, key = kinds.OURS[declared.key.kind], declared.key
    return Subject(resource.api_version, key.kind, key.namespace, key.name, declared.uid)


if __name__ == "__main__":
    sys.exit(main())
