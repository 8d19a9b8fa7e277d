"""The Lease: which of several operators works.

A holder writes the Lease every `renew_every` seconds. Another candidate takes it when the holder
gave it up, or when the Lease did not change for its duration as the candidate's own clock counts
it: no clock is ever compared with that of another machine. Every write names the version that was
read, so of two candidates one gets a conflict. A holder counts from before its last write that
succeeded and stops after `deadline`, which is shorter than what others wait.

    await lease.acquire()
    async with asyncio.TaskGroup() as group:
        group.create_task(lease.hold())      raises LeaseLost: end the process at once
        ...
    await lease.release()                    when all work has ended
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, NoReturn

from isthmus_operator.kube import ApiError, Client, Conflict, NotFound
from isthmus_operator.kube.kinds import LEASES

DURATION_SECONDS: Final = 10
RENEW_SECONDS: Final = 2.0
RETRY_SECONDS: Final = 1.0
DEADLINE_SHARE: Final = 0.7
"""Of the duration: after that time without a renewal a holder stops. The rest is for stopping."""
_TRIES: Final = 3
"""Attempts that fit into the deadline even when each hangs."""

_log = logging.getLogger(__name__)
Object = dict[str, Any]


class LeaseLost(Exception):
    """Another holds the Lease, or may hold it soon; the message says why."""


class Lease:
    """One candidate for one Lease. No two live candidates may have the same `holder`."""

    def __init__(
        self,
        client: Client,
        *,
        namespace: str,
        name: str,
        holder: str,
        clock: Callable[[], float] = time.monotonic,
        duration: int = DURATION_SECONDS,
        renew_every: float = RENEW_SECONDS,
        retry_every: float = RETRY_SECONDS,
    ) -> None:
        self.holder = holder
        self.deadline = duration * DEADLINE_SHARE
        self._client = client
        self._namespace = namespace
        self._name = name
        self._clock = clock
        self._duration = duration
        self._renew_every = renew_every
        self._retry_every = retry_every
        self._seen: Object = {}
        """The spec as last read or written; empty before."""
        self._seen_at = -math.inf
        self._renewed_at = -math.inf

    async def acquire(self) -> None:
        """Return once the Lease is ours, however long that takes."""
        while True:
            if await self._tried(self.deadline / _TRIES):
                _log.info("lease acquired", extra={"lease": self._name, "holder": self.holder})
                return
            await asyncio.sleep(self._retry_every)

    async def hold(self) -> NoReturn:
        """Renew the Lease until it is lost, which raises `LeaseLost`."""
        while True:
            await asyncio.sleep(min(self._renew_every, max(self._left(), 0.0)))
            await self._renew()

    async def release(self) -> None:
        """Give the Lease up if it is ours, so that another takes it at once."""
        try:
            async with asyncio.timeout(self.deadline / _TRIES):
                found = await self._client.get(LEASES, self._namespace, self._name)
                spec = _spec(found)
                if spec.get("holderIdentity") == self.holder:
                    await self._client.replace(LEASES, found | {"spec": _freed(spec)})
        except (ApiError, TimeoutError) as error:
            # It runs out by itself.
            _log.warning("lease not released", extra={"lease": self._name, "reason": _why(error)})

    def _left(self) -> float:
        """Seconds until a holder must stop."""
        return self._renewed_at + self.deadline - self._clock()

    async def _renew(self) -> None:
        # Retry-After is not kept to: one small request a second is what the deadline allows for.
        while (left := self._left()) > 0:
            if await self._tried(min(left, self.deadline / _TRIES)):
                return
            holder = self._seen.get("holderIdentity")
            if holder != self.holder:
                raise LeaseLost(f"the Lease {self._name} is now held by {holder or 'nobody'}")
            await asyncio.sleep(min(self._retry_every, max(self._left(), 0.0)))
        raise LeaseLost(f"the Lease {self._name} could not be renewed for {self.deadline:g} s")

    async def _tried(self, seconds: float) -> bool:
        """Whether the Lease was written as ours, with one attempt of at most so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                return await self._attempt()
        except Conflict:
            return False  # another was first; the next attempt reads who
        except (ApiError, TimeoutError) as error:
            _log.warning("lease not written", extra={"lease": self._name, "reason": _why(error)})
            return False

    async def _attempt(self) -> bool:
        found = await self._read()
        if not self._may_write():
            return False
        started = self._clock()
        spec = self._ours()
        if found is None:
            written = await self._client.create(LEASES, self._manifest(spec))
        else:
            written = await self._client.replace(LEASES, found | {"spec": spec})
        self._see(written)
        self._renewed_at = started
        return True

    async def _read(self) -> Object | None:
        try:
            found = await self._client.get(LEASES, self._namespace, self._name)
        except NotFound:
            # Deleted by hand: whom we saw may still work, so what we saw goes on to count. Only a
            # candidate that never saw the record takes it at once.
            return None
        self._see(found)
        return found

    def _see(self, found: Object) -> None:
        if (spec := _spec(found)) != self._seen:
            self._seen = spec
            self._seen_at = self._clock()

    def _may_write(self) -> bool:
        holder = self._seen.get("holderIdentity")
        lasts = self._seen.get("leaseDurationSeconds") or self._duration
        return holder in (self.holder, None, "") or self._clock() >= self._seen_at + lasts

    def _ours(self) -> Object:
        now, before = _now(), self._seen
        same = before.get("holderIdentity") == self.holder
        return {
            "holderIdentity": self.holder,
            "leaseDurationSeconds": self._duration,
            "acquireTime": before.get("acquireTime", now) if same else now,
            "renewTime": now,
            "leaseTransitions": before.get("leaseTransitions", 0) + (not same),
        }

    def _manifest(self, spec: Object) -> Object:
        return {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"namespace": self._namespace, "name": self._name},
            "spec": spec,
        }


def _spec(lease: Object) -> Object:
    spec: Object = lease.get("spec") or {}  # one made by hand may have none
    return spec


def _freed(spec: Object) -> Object:
    return spec | {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _now()}


def _now() -> str:
    """For people who read the Lease; nothing is decided by it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _why(error: Exception) -> str:
    return error.reason if isinstance(error, ApiError) else type(error).__name__
