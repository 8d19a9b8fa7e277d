"""Shared tokens: one for all replicas of all Routes of a namespace, kept in the journal.

Who needs one looks there first. Where none is good any more, one of them asks for the next, under a
lease, and the others wait for it. Without the journal everybody has a token of its own.

Imported, and cryptography with it, only where a Connector shares its token.
"""

import asyncio
import base64
import binascii
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

import orjson

from isthmus_runtime.connectors.auth.sealing import Seal
from isthmus_runtime.connectors.auth.tokens import Given
from isthmus_runtime.connectors.sharing import ANSWER_SECONDS, Sharing, Unshared
from isthmus_runtime.journal.entries import Memory

STORE: Final = "isthmus.dev/tokens"
"""No Route can name a store like this."""
_GOOD_FOR: Final = 0.85
"""Of its life. Who has the token renews it when nine tenths are over, and must not find it here."""
_LOOK_SECONDS: Final = 0.1
_KEPT_SECONDS: Final = 180 * 86_400.0
"""What asks for the next token may be needed long after the token."""
_LEASE_MORE: Final = 5.0
_FORM: Final = b"1"
"""Of what is sealed. Who writes another one finds no entry of this one, and has a new one made."""

Ask = Callable[[Given | None], Coroutine[Any, Any, Given]]
"""Get a new token; takes the one before, where there is one."""


class SharedToken:
    """The token of those who have the same credentials and want the same token."""

    def __init__(
        self,
        sharing: Sharing,
        *,
        namespace: str,
        purpose: bytes,
        credentials: Callable[[], bytes],
        asker: str,
        timeout: float,
    ) -> None:
        """`purpose` is what the token is for, `asker` who of a process asks, and `timeout` the
        seconds that asking may take."""
        self._sharing = sharing
        self._namespace = namespace
        self._purpose = b"\0".join((_FORM, namespace.encode(), purpose))
        self._credentials = credentials
        self._owner = f"{sharing.owner}/{asker}"
        self._lease = timeout + _LEASE_MORE
        self._made: tuple[bytes, Seal] | None = None
        self._patience = ANSWER_SECONDS

    async def get(self, ask: Ask, *, refused: str, deadline: float) -> Given:
        """One that is good still, but not the `refused` one; `TimeoutError` at the deadline."""
        seal = await self._seal()
        task = f"token {self._namespace}/{seal.name}"
        leads = False
        try:
            await self._until_open()
            # Who leads looks once more: the one that led before may have just asked.
            while not _is_good(found := await self._find(seal), refused) and not leads:
                leads = await self._sharing.use(lambda j: j.lead(task, self._owner, self._lease))
                if not leads:
                    await _a_moment(deadline)
            if found is None or not _is_good(found, refused):
                found = await ask(found)
                await self._keep(seal, found)
        except Unshared:
            found = await ask(None)
        finally:
            if leads:
                with contextlib.suppress(Unshared):
                    await self._sharing.use(lambda j: j.resign(task, self._owner))
        return found

    async def _seal(self) -> Seal:
        """That of the credentials as they are now; made on a thread, for it takes its time."""
        credentials = self._credentials()
        if self._made is None or self._made[0] != credentials:
            seal = await asyncio.to_thread(Seal, credentials, purpose=self._purpose)
            self._made = credentials, seal
        return self._made[1]

    async def _until_open(self) -> None:
        """A process that has just begun waits for the journal, once."""
        patience, self._patience = self._patience, 0.0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._sharing.until_open()

    async def _find(self, seal: Seal) -> Given | None:
        held = await self._sharing.use(lambda j: j.get(self._namespace, STORE, key=seal.name))
        return _read(seal, held.value) if held else None

    async def _keep(self, seal: Seal, given: Given) -> None:
        content = orjson.dumps([given.token, given.at, given.life, given.next])
        written = orjson.dumps(base64.b64encode(seal.close(content)).decode())
        memory = Memory(
            namespace=self._namespace,
            store=STORE,
            key=seal.name,
            value=written,
            ttl=_KEPT_SECONDS if given.next else given.life,
        )
        with contextlib.suppress(Unshared):
            await self._sharing.use(lambda j: j.put([memory]))


def _read(seal: Seal, written: bytes) -> Given | None:
    """What is kept; nothing where somebody changed it."""
    try:
        content = seal.open(base64.b64decode(orjson.loads(written), validate=True))
    except (ValueError, TypeError, binascii.Error):
        return None
    return Given(*orjson.loads(content)) if content else None


def _is_good(found: Given | None, refused: str) -> bool:
    if found is None or found.token == refused:
        return False
    return time.time() < found.at + found.life * _GOOD_FOR


async def _a_moment(deadline: float) -> None:
    if asyncio.get_running_loop().time() + _LOOK_SECONDS >= deadline:
        raise TimeoutError
    await asyncio.sleep(_LOOK_SECONDS)
