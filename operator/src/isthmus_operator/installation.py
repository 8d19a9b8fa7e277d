"""What `helm test` asks of an installation, with the rights and the settings of its operator.

    python -m isthmus_operator.installation [http://HOST:PORT]

Our kinds can be read wherever the operator looks after them, one operator renews the Lease, and one
answers at the address that it is ready, where an address is given. Each is tried until it holds or
the time is over. Ends with 0 when all hold, 1 when one does not, 2 when nothing can be asked; what
was found is printed, a line each.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import aiohttp

from isthmus_operator.kube import Access, ApiError, Client, NoAccess
from isthmus_operator.kube.kinds import LEASES, OURS
from isthmus_operator.settings import Settings, WrongSettings

SECONDS: Final = 60.0
"""For all; a first start takes some of them."""
PAUSE_SECONDS: Final = 0.5
_PROBE: Final = aiohttp.ClientTimeout(total=5)

Check = Callable[[], Awaitable[str | None]]
"""None when it holds, otherwise why not."""


async def examine(
    client: Client, settings: Settings, address: str | None, *, seconds: float = SECONDS
) -> dict[str, str | None]:
    """Each check by its name, with what is wrong when the time is over; None where it holds."""
    checks: dict[str, Check] = {
        "Connectors, Mappings and Routes can be read": lambda: _unread(client, settings),
        "an operator renews the Lease": _Renewal(client, settings),
    }
    if address:
        checks["an operator is ready"] = lambda: _unready(address)
    deadline = asyncio.get_running_loop().time() + seconds
    found = await asyncio.gather(*(_last(check, deadline) for check in checks.values()))
    return dict(zip(checks, found, strict=True))


async def _last(check: Check, deadline: float) -> str | None:
    """Ask until it holds, and at least once."""
    clock = asyncio.get_running_loop().time
    while (wrong := await check()) and clock() < deadline:  # noqa: ASYNC110 - it is elsewhere
        await asyncio.sleep(PAUSE_SECONDS)
    return wrong


async def _unread(client: Client, settings: Settings) -> str | None:
    for namespace in settings.namespaces or (None,):
        for resource in OURS.values():
            try:
                async for _ in client.list(resource, namespace):
                    break
            except ApiError as error:
                where = f" in {namespace}" if namespace else ""
                return f"{resource.plural}{where}: {error}"
    return None


class _Renewal:
    """Holds once the Lease was seen to change; no clock is compared with another machine's."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._before: str | None = None

    async def __call__(self) -> str | None:
        name = self._settings.lease
        try:
            found = await self._client.get(LEASES, self._settings.namespace, name)
        except ApiError as error:
            return f"the Lease {name}: {error}"
        spec = found.get("spec") or {}
        before, self._before = self._before, str(spec.get("renewTime"))
        if not spec.get("holderIdentity"):
            return f"nobody holds the Lease {name}"
        if before in (None, self._before):
            return f"{spec['holderIdentity']} holds the Lease {name} and does not renew it"
        return None


async def _unready(address: str) -> str | None:
    try:
        async with (
            aiohttp.ClientSession(timeout=_PROBE) as session,
            session.get(f"{address}/readyz", allow_redirects=False) as answer,
        ):
            return None if answer.status == 200 else f"{address}: {(await answer.text()).strip()}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"{address}: no answer ({type(error).__name__})"


def main(arguments: Sequence[str]) -> int:
    """Examine the installation that the environment tells of; the exit code."""
    try:
        settings, access = Settings.of(os.environ), Access.find(os.environ)
    except (WrongSettings, NoAccess) as error:
        print(f"isthmus-operator: {error}", file=sys.stderr)
        return 2
    found = asyncio.run(_examined(access, settings, next(iter(arguments), None)))
    for name, wrong in found.items():
        print(f"FAILED {name}: {wrong}" if wrong else f"ok     {name}")
    return 1 if any(found.values()) else 0


async def _examined(
    access: Access, settings: Settings, address: str | None
) -> dict[str, str | None]:
    async with Client(access) as client:
        return await examine(client, settings, address)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
