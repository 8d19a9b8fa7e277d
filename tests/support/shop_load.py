"""Orders of the example shop as a load of signed webhooks, sent as a shop sends them.

The events of an order go one after the other, each until somebody answers 202; orders go side by
side. So everything that was made is accepted in the end, and what was accepted is known.
"""

import asyncio
import importlib
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import example_services
import httpx

SECRET = "canary-webhook"
PATH = "/hooks/orders"
PLACED = datetime(2026, 8, 20, 9, 0, tzinfo=UTC)
FIRST = 100_001


@dataclass(frozen=True, slots=True)
class Webhook:
    """An event of an order."""

    number: str
    status: str
    version: str
    body: bytes

    @property
    def is_wanted(self) -> bool:
        """Whether the Route is to bring it to the ERP."""
        return self.status in ("paid", "refunded")


Order = Sequence[Webhook]


def orders(count: int, *, refused: Callable[[int], bool] = lambda _: False) -> list[Order]:
    """So many orders; those for which `refused` holds are of a material that no ERP knows."""
    with example_services.importable():
        module = importlib.import_module("orders")
        sold = module.assortment()
        made: list[Order] = []
        for number in range(FIRST, FIRST + count):
            sku = f"NEW-{number}" if refused(number) else None
            made.append([_webhook(e.order) for e in module.events(number, PLACED, sold, sku=sku)])
        return made


def _webhook(order: dict[str, str]) -> Webhook:
    body = json.dumps(order, ensure_ascii=False).encode()
    return Webhook(order["order_number"], order["status"], order["updated_at"], body)


@dataclass
class Sender:
    """Sends webhooks to the replicas in turn, so many a second, of so many orders at once."""

    urls: Sequence[str]
    rate: float
    at_once: int = 16
    pause: float = 0.02
    """Before a webhook is sent again; what holds it up is a process that starts."""
    accepted: list[Webhook] = field(default_factory=list)
    attempts: int = 0

    def __post_init__(self) -> None:
        self._turn = itertools.cycle(self.urls)
        with example_services.importable():
            self._sign = importlib.import_module("signatures").headers

    async def send(self, made: Sequence[Order]) -> None:
        """Send all; every webhook was answered with 202 when it returns."""
        waiting = iter(made)
        self._slots = self._paced()
        async with (
            httpx.AsyncClient(timeout=10, trust_env=False, verify=False) as client,  # noqa: S501
            asyncio.TaskGroup() as senders,
        ):
            for _ in range(self.at_once):
                senders.create_task(self._work(client, waiting))

    async def _work(self, client: httpx.AsyncClient, waiting: Iterator[Order]) -> None:
        for order in waiting:
            for webhook in order:
                await asyncio.sleep(next(self._slots))
                while not await self._is_accepted(client, webhook):  # noqa: ASYNC110 - no event
                    await asyncio.sleep(self.pause)
                self.accepted.append(webhook)

    def _paced(self) -> Iterator[float]:
        """How long each webhook has to wait for its turn."""
        began = time.monotonic()
        for place in itertools.count():
            yield max(0.0, began + place / self.rate - time.monotonic())

    async def _is_accepted(self, client: httpx.AsyncClient, webhook: Webhook) -> bool:
        self.attempts += 1
        headers = {
            "Content-Type": "application/json",
            **self._sign(SECRET, webhook.body, sent_at=time.time()),
        }
        try:
            answer = await client.post(
                f"{next(self._turn)}{PATH}", content=webhook.body, headers=headers
            )
        except httpx.TransportError:
            return False
        # 503 says that nothing was taken; anything else would be a promise that was broken.
        assert answer.status_code in (202, 503), f"{answer.status_code}: {answer.text}"
        return answer.status_code == 202
