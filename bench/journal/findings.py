"""Findings of a run: figures as lines of a table, and rows with floor and aim."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from goals import MB, Row
from journal.contestants import PEER, isthmus
from journal.deliveries import SHARE, Carried
from journal.messages import BODY
from journal.places import POSTGRESQL
from journal.trials import Home, median

WORK: Final = "journal"
ONE: Final = isthmus(POSTGRESQL, 1)
THREE: Final = isthmus(POSTGRESQL, 3)
# Shares explain: the goal is of replicas that have all of the machine, so they are no row of it.
ONE_SHARE: Final = isthmus(POSTGRESQL, 1, SHARE)
THREE_SHARES: Final = isthmus(POSTGRESQL, 3, SHARE)
_ONE_OF: Final = {THREE: ONE, THREE_SHARES: ONE_SHARE}


@dataclasses.dataclass(slots=True)
class Findings:
    """Everything of one run."""

    homes: list[Home] = dataclasses.field(default_factory=list)
    carried: list[Carried] = dataclasses.field(default_factory=list)

    def figures(self) -> list[list[str]]:
        """What was measured."""
        lines = [["journal", "figure", "value"]]
        for home in self.homes:
            lines += [[home.name if not n else "", *line] for n, line in enumerate(_figures(home))]
        return lines

    def through_http(self) -> list[list[str]]:
        """What was measured of each contestant, a column each."""
        found = {each.name: each for each in self.carried}
        columns = [["webhooks of 5.6 KB through HTTP", *(what for what, _ in _MEASURED)]]
        columns[0] += ["delivered, by that of one replica", f"delivered, by that of {PEER}"]
        for each in self.carried:
            one, peer = found.get(_ONE_OF.get(each.name, "")), found.get(PEER)
            columns.append([each.name, *(tell(each) for _, tell in _MEASURED)])
            columns[-1] += [_by(each, one), _by(each, peer)]
        return [list(line) for line in zip(*columns, strict=True)]

    def rows(self) -> list[Row]:
        """Goals of what was measured."""
        found = {each.name: each.whole for each in self.carried}
        return [*(row for home in self.homes for row in _rows(home)), *_rows_through_http(found)]


_MEASURED: Final[tuple[tuple[str, Callable[[Carried], str]], ...]] = (
    ("accepted, 64 connections a replica", lambda each: _rate(each.accepts)),
    ("delivered meanwhile", lambda each: _rate(each.during)),
    ("delivered, from the first 202 to the last arrival", lambda each: _rate(each.whole)),
    ("answer p50, p99", lambda each: f"{_ms(each.answer_p50)}, {_ms(each.answer_p99)}"),
    ("202 to arrival at half of that, p50, p99", lambda each: f"{_ms(each.p50)}, {_ms(each.p99)}"),
    ("the same rows, inserted bare", lambda each: _rate(each.bare) if each.bare else "-"),
    ("CPU us of a message", lambda each: f"{1e6 * median(each.cpu):.0f}"),
    ("and of its database", lambda each: f"{1e6 * median(each.beside):.0f}"),
    ("and of sender with upstream", lambda each: f"{1e6 * median(each.ends):.0f}"),
    ("bytes of a message on disk", lambda each: f"{median(each.bytes_each):,.0f}"),
    ("memory", lambda each: f"{median(each.rss) / MB:.0f} MB"),
    ("refused, lost, arrived again", lambda each: f"{each.refused}, {each.lost}, {each.again}"),
)


def _rate(values: list[float]) -> str:
    return f"{median(values):,.0f}/s"


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
    if home.name == POSTGRESQL:
        yield _one_replica("accepted and delivered, one replica, by calls", home.whole())
        yield _three_replicas("delivered by three replicas, by calls", home.three, home.delivers)
        yield from _limit(home)


def _rows_through_http(found: Mapping[str, list[float]]) -> Iterator[Row]:
    if ONE in found:
        yield _one_replica("accepted and delivered, one replica, HTTP", found[ONE])
    if ONE in found and THREE in found:
        yield _three_replicas("by three replicas, HTTP", found[THREE], found[ONE])


def _by(each: Carried, other: Carried | None) -> str:
    return f"{median(each.whole) / median(other.whole):.2f}x" if other else "-"


def _one_replica(what: str, rates: list[float]) -> Row:
    rate = median(rates)
    return Row(WORK, what, "-", f"{rate:,.0f}/s", "-", rate, "/s", floor=2000, aim=5000)


def _three_replicas(what: str, three: list[float], one: list[float]) -> Row:
    value = median([many / single for many, single in zip(three, one, strict=True)])
    return Row(WORK, what, "one", _rate(three), _rate(one), value, "x", floor=2, aim=2.7)


def _limit(home: Home) -> Iterator[Row]:
    """To within 2 %, from below and from above."""
    for what, values, floor, aim, is_more in (
        ("a limit used by 12 replicas", home.used, 98.0, 98.5, True),
        ("the fullest window of that limit", home.most, 102.0, 100.0, False),
    ):
        value = 100 * median(values)
        told = f"{value:.1f} %"
        yield Row(WORK, what, "the limit", told, "-", value, "%", floor, aim, is_more)


def _ms(values: list[float]) -> str:
    return f"{1000 * median(values):.1f} ms"
