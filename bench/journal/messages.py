"""What is accepted: orders of a kilobyte from as many customers as a shop has."""

from __future__ import annotations

import random
from typing import Final

from isthmus_runtime.journal.entries import Draft, new_uid

ROUTE: Final = "shop/orders-to-erp"
BODY: Final = b'{"order":"' + b"x" * 1000 + b'"}'
REQUEST: Final = b'{"headers":{"content-type":"application/json"},"query":{}}'
JOURNEY: Final = (
    b'{"steps":[{"name":"map","gave":{"order":"100045","lines":20}},'
    b'{"name":"call","status":200,"gave":{"number":"E-1000045"}}]}'
)
CUSTOMERS: Final = 100_000

_CHANCE: Final = random.Random(1)  # noqa: S311 - the same customers in each run


def drafts(count: int, body: bytes = BODY) -> list[Draft]:
    """As webhooks would bring them."""
    return [_draft(body) for _ in range(count)]


def _draft(body: bytes) -> Draft:
    uid = new_uid()
    return Draft(
        route=ROUTE,
        uid=uid,
        identity=f"{_CHANCE.getrandbits(256):064x}",
        body=body,
        request=REQUEST,
        key=f"C{_CHANCE.randrange(CUSTOMERS)}",
        correlation_id=uid,
    )
