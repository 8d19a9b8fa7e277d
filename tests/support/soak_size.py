"""How long a soak is: some hundreds of messages in the tests, thousands with SOAK=long."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """How much is sent, and what happens to it."""

    orders: int
    rate: float
    kills: int
    restarts: int
    dead: int
    """Orders that die: one in six with two letters, so 210 in 180 and 1,003 in 860."""
    records: int
    rows: int
    """Records of one document: 100 MB in the long form."""


SHORT = Size(orders=240, rate=100, kills=4, restarts=1, dead=180, records=20_000, rows=20_000)
# 4,615 orders are 10,000 webhooks: each is created and paid, one in six is refunded.
LONG = Size(orders=4_615, rate=100, kills=20, restarts=3, dead=860, records=1_000_000, rows=500_000)


def is_long() -> bool:
    """Whether the environment asks for the long form."""
    return os.environ.get("SOAK") == "long"


def wanted() -> Size:
    """What the environment asks for."""
    return LONG if is_long() else SHORT
