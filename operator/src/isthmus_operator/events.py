"""Kubernetes Events: what `kubectl describe` shows below an object.

Telling never waits and never fails: one task writes what others tell. When too many wait, or the
API server goes on refusing, an Event is dropped and counted. Whether something is worth an Event
is the caller's business; nothing is remembered here.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from isthmus_operator import metrics
from isthmus_operator.kube import ApiError, Client, Conflict, Forbidden, NotFound, Refused
from isthmus_operator.kube.kinds import EVENTS
from isthmus_operator.queue import Backoff

Kind = Literal["Normal", "Warning"]

CONTROLLER: Final = "isthmus.dev/operator"
ACTION: Final = "Reconcile"
WAITING: Final = 1000
"""Events that may wait to be written."""
TRIES: Final = 6
"""With the delays between them, some 15 s: an API server that restarts."""
_NOTE_BYTES: Final = 1024
_INSTANCE_CHARACTERS: Final = 128
_NAME_CHARACTERS: Final = 253
_HOPELESS: Final = (Refused, Forbidden, NotFound)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subject:
    """The object that an Event is about."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str


class Events:
    """Takes Events from anyone; `run` writes them until it is cancelled."""

    def __init__(
        self,
        client: Client,
        *,
        pod: str,
        waiting: int = WAITING,
        backoff: Backoff | None = None,
        told: Callable[[metrics.Fate], None] = metrics.event,
    ) -> None:
        self._client = client
        self._pod = pod
        self._backoff = backoff or Backoff(first=0.5, longest=8.0)
        self._told = told
        self._waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue(waiting)

    def tell(self, subject: Subject, *, kind: Kind, reason: str, message: str) -> None:
        """Have an Event written soon."""
        manifest = _manifest(subject, self._pod, kind=kind, reason=reason, message=message)
        try:
            self._waiting.put_nowait(manifest)
        except asyncio.QueueFull:
            self._drop(manifest, "TooManyWait")

    async def run(self) -> None:
        """Write what is told, one after the other."""
        while True:
            manifest = await self._waiting.get()
            try:
                await self._write(manifest)
            finally:
                self._waiting.task_done()

    async def written(self, within: float) -> bool:
        """Wait for what was told to be written, at most so many seconds; whether it was."""
        try:
            await asyncio.wait_for(self._waiting.join(), within)
        except TimeoutError:
            return False
        return True

    async def _write(self, manifest: dict[str, Any]) -> None:
        for failures in range(1, TRIES + 1):
            try:
                await self._client.create(EVENTS, manifest)
            except Conflict:
                pass  # an earlier try arrived, though its answer did not
            except ApiError as error:
                if isinstance(error, _HOPELESS) or failures == TRIES:
                    self._drop(manifest, error.reason)
                    return
                await asyncio.sleep(self._backoff.delay(failures))
                continue
            self._told("written")
            return

    def _drop(self, manifest: dict[str, Any], why: str) -> None:
        self._told("dropped")
        _log.warning("event dropped", extra={"event_reason": manifest["reason"], "reason": why})


def _manifest(
    subject: Subject, pod: str, *, kind: Kind, reason: str, message: str
) -> dict[str, Any]:
    # kubectl describe shows Events of this API in the order of their names.
    unique = f"{time.time_ns():016x}{secrets.token_hex(2)}"
    stem = subject.name[: _NAME_CHARACTERS - len(unique) - 1].rstrip("-.")
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {"namespace": subject.namespace, "name": f"{stem}.{unique}"},
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": CONTROLLER,
        "reportingInstance": pod[:_INSTANCE_CHARACTERS],
        "action": ACTION,
        "reason": reason,
        "type": kind,
        "note": _shortened(message),
        "regarding": {
            "apiVersion": subject.api_version,
            "kind": subject.kind,
            "namespace": subject.namespace,
            "name": subject.name,
            "uid": subject.uid,
        },
    }


def _shortened(message: str) -> str:
    """The API server counts bytes, not characters."""
    whole = message.encode()
    if len(whole) <= _NOTE_BYTES:
        return message
    return whole[: _NOTE_BYTES - len("…".encode())].decode(errors="ignore") + "…"
