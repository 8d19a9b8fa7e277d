"""The judge of the soaks sees what it must see."""

from typing import Any

import pytest
import verdict
from erp_ledger import Ledger
from shop_load import Webhook

A, B, C = "2026-08-20T09:00:00Z", "2026-08-20T09:00:01Z", "2026-08-20T09:00:02Z"
ACCEPTED = [
    Webhook("1", "created", A, b""),
    Webhook("1", "paid", B, b""),
    Webhook("1", "paid", B, b""),
    Webhook("1", "refunded", C, b""),
    Webhook("2", "paid", B, b""),
    Webhook("3", "paid", B, b""),
]
WANTED = {"1": [B, C], "2": [B]}
WRITES = [("1", B, "k1"), ("2", B, "k3"), ("1", C, "k2")]


def ledger(writes: list[tuple[str, str, str]]) -> Ledger:
    found = Ledger("http://nowhere")
    for sequence, (number, version, key) in enumerate(writes, start=1):
        write: dict[str, Any] = {"sequence": sequence, "number": number}
        found.take({**write, "version": version, "key": key})
    return found


def test_what_was_accepted_is_wanted_once_and_what_is_refused_is_not() -> None:
    assert verdict.wanted(ACCEPTED, refused={"3"}) == WANTED


def test_each_once_in_order_is_no_breach() -> None:
    assert verdict.is_complete(ledger(WRITES), WANTED)
    assert verdict.breaches(ledger(WRITES), WANTED) == []


CASES = {
    "a lost one": (WRITES[:2], [f"order 1, version {C} was written 0 times"]),
    "a double": ([*WRITES, WRITES[-1]], [f"order 1, version {C} was written 2 times"]),
    "a wrong order": (WRITES[::-1], [f"order 1 was written in the order {C}, {B}"]),
    "something unasked": (
        [*WRITES, ("9", B, "k9")],
        ["order 9 was written, and nobody was promised that"],
    ),
    "one key for two": (
        [WRITES[0], ("2", B, "k1"), WRITES[2]],
        [f"('2', '{B}') and ('1', '{B}') came with the same idempotency key"],
    ),
    "two keys for one": (
        [*WRITES, ("1", C, "other")],
        [
            f"order 1, version {C} was written 2 times",
            f"('1', '{C}') came with 2 idempotency keys",
        ],
    ),
}


@pytest.mark.parametrize(("writes", "found"), CASES.values(), ids=CASES.keys())
def test_it_sees(writes: list[tuple[str, str, str]], found: list[str]) -> None:
    assert verdict.breaches(ledger(writes), WANTED) == found
