"""Findings of a run: figures as lines of a table, and rows with floor and aim."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Final

from goals import MB, Row
from journal.messages import BODY
from journal.trials import Home, median

WORK: Final = "journal"


@dataclasses.dataclass(slots=True)
class Findings:
    """Everything of one run."""

    homes: list[Home] = dataclasses.field(default_factory=list)

    def figures(self) -> list[list[str]]:
        """What was measured."""
        lines = [["journal", "figure", "value"]]
        for home in self.homes:
            lines += [[home.name if not n else "", *line] for n, line in enumerate(_figures(home))]
        return lines

    def rows(self) -> list[Row]:
        """Goals of what was measured."""
        return [row for home in self.homes for row in _rows(home)]


def _figures(home: Home) -> Iterator[tuple[str, str]]:
    yield "accepted, 64 callers", f"{median(home.accepts):,.0f}/s"
    yield "latency p50, p99", f"{_ms(home.p50)}, {_ms(home.p99)}"
    yield "the same rows, inserted bare, 64 at a time", f"{median(home.bare):,.0f}/s"
    yield "the messages in a plain table, 64 at a time", f"{median(home.plain):,.0f}/s"
    yield "claimed and settled", f"{median(home.delivers):,.0f}/s"
    yield "in order per key", f"{median(home.ordered):,.0f}/s"
    if home.three:
        yield "by three replicas", f"{median(home.three):,.0f}/s"
    yield f"bytes of a message of {len(BODY):,}, finished", f"{home.bytes_each:,.0f}"
    if home.drained:
        yield "a backlog, drained", f"{home.drained:,.0f}/s"
        yield "its last tenth, by its first", f"{home.slower:.2f}"
    yield "memory", f"{home.rss / MB:.0f} MB"


def _rows(home: Home) -> Iterator[Row]:
    ratios = [100 * ours / bare for ours, bare in zip(home.accepts, home.bare, strict=True)]
    yield Row(
        work=WORK,
        what=f"durable accepts, {home.name}",
        against="bare inserts",
        ours=f"{median(home.accepts):,.0f}/s",
        theirs=f"{median(home.bare):,.0f}/s",
        value=median(ratios),
        unit="%",
        floor=40,
        aim=70,
    )
    if home.name == "postgresql":
        rate = median(home.whole())
        yield Row(
            work=WORK,
            what="accepted and delivered, one replica",
            against="-",
            ours=f"{rate:,.0f}/s",
            theirs="-",
            value=rate,
            unit="/s",
            floor=2000,
            aim=5000,
        )
        yield from _limit(home)


def _limit(home: Home) -> Iterator[Row]:
    """To within 2 %, from below and from above."""
    for what, values, floor, is_more in (
        ("a limit used by 12 replicas", home.used, 98, True),
        ("the fullest window of that limit", home.most, 102, False),
    ):
        value = 100 * median(values)
        told = f"{value:.1f} %"
        yield Row(WORK, what, "the limit", told, "-", value, "%", floor, 100, is_more)


def _ms(values: list[float]) -> str:
    return f"{1000 * median(values):.1f} ms"
