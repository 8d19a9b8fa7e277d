"""Searching: what operators look for, as scripts that only read.

Nothing here reads all of a large table. Looking for a key reads an index of all messages that are
settled and the queue of those that are not: no index by key is kept, so that messages cost nothing
for it on their way.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from isthmus_runtime.journal.entries import ACTIVE, SETTLED, State, fitting
from isthmus_runtime.journal.findings import JOINED, Group, Page, Standing, lines
from isthmus_runtime.journal.script import Query, Script, query

SLACK: Final = 60.0
"""Seconds by which the order of times may differ from that of numbers."""
FAILED: Final = (State.DEAD, State.REJECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which messages are meant; what is not said does not matter.

    `key` is looked for in all Routes unless one is named. `since` and `until` are about acceptance,
    in Unix seconds. `group` is of failures.
    """

    namespace: str | None = None
    route: str | None = None
    states: tuple[State, ...] = ()
    key: str | None = None
    group: str | None = None
    since: float | None = None
    until: float | None = None
    uids: tuple[str, ...] = ()


class Words:
    """Conditions and their arguments, as they come."""

    def __init__(self) -> None:
        self.args: list[object] = []

    def arg(self, value: object) -> str:
        """The mark of an argument."""
        self.args.append(value)
        return f"${len(self.args)}"

    def query(self, sql: str) -> Query:
        """A query with all arguments."""
        return Query(sql, tuple(self.args))


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which numbers to look, without the ends."""

    above: int
    below: int

    def say(self, words: Words, column: str = "sequence") -> str:
        """As a condition."""
        return f"{column} > {words.arg(self.above)} AND {column} < {words.arg(self.below)}"


def find(chosen: Filter, *, limit: int, cursor: int | None) -> Script[Page]:
    """A page of messages, newest first."""
    bounds = yield from between(chosen)
    if cursor is not None:
        bounds = Bounds(bounds.above, min(bounds.below, cursor))
    numbers = yield from pick(chosen, bounds, limit=limit + 1, newest_first=True)
    found = yield from lines(numbers[:limit])
    return Page(found, numbers[limit - 1] if len(numbers) > limit else None)


def between(chosen: Filter) -> Script[Bounds]:
    """The numbers that the times of a filter stand for, a little more to be sure."""
    [[top]] = yield query("SELECT coalesce(max(sequence), 0) FROM messages")
    above, below = 0, int(top) + 1
    if chosen.since is not None:
        above = (yield from _first_at(chosen.since - SLACK, top)) - 1
    if chosen.until is not None:
        below = yield from _first_at(chosen.until + SLACK, top)
    return Bounds(above, below)


def _first_at(moment: float, top: int) -> Script[int]:
    """The first number that was given at a time or later: times grow with numbers."""
    low, high = 1, top + 1
    while low < high:
        middle = (low + high) // 2
        rows = yield query(
            "SELECT sequence, accepted_at FROM messages WHERE sequence >= $1"
            " ORDER BY sequence LIMIT 1",
            middle,
        )
        if rows and rows[0][1] < moment:
            low = int(rows[0][0]) + 1
        else:
            high = middle
    return low


def pick(chosen: Filter, bounds: Bounds, *, limit: int, newest_first: bool) -> Script[list[int]]:
    """The numbers of messages that are meant, from one end. Each source is asked in its own order
    for no more than is wanted."""
    words = Words()
    order = f"ORDER BY sequence {'DESC' if newest_first else 'ASC'} LIMIT {int(limit)}"
    # With a key, `+` keeps planners from walking the rows for the sake of the order: the key is in
    # the index of states (`outcomes_state`), and in nothing else.
    inner = order.replace("BY ", "BY t." if chosen.key is None else "BY +t.")
    parts = [
        f"SELECT sequence FROM (SELECT t.sequence FROM {part} {inner}) AS p{number}"
        for number, part in enumerate(_sources(chosen, bounds, words))
    ]
    rows = yield words.query(
        f"SELECT DISTINCT sequence FROM ({' UNION ALL '.join(parts)}) AS s {order}"
    )
    return [row[0] for row in rows]


def _sources(chosen: Filter, bounds: Bounds, words: Words) -> Iterable[str]:
    """Tables that may have what is meant, with conditions: what is open, and each settled state."""
    if chosen.uids:
        yield _uids(chosen, bounds, words)
        return
    wanted = chosen.states or tuple(State)
    active = [state for state in wanted if state in ACTIVE]
    if active and chosen.group is None:
        listed = ", ".join(words.arg(state.value) for state in active)
        yield f"queue AS t WHERE t.state IN ({listed}){_and(chosen, bounds, words)}"
    settled = [state for state in wanted if state in SETTLED]
    if len(settled) == len(SETTLED) and chosen.route is None:
        yield f"outcomes AS t WHERE true{_and(chosen, bounds, words)}"
        return
    for state in settled:
        # SQLite takes a partial index only where its condition is said in the same words.
        failed = " AND state IN ('dead', 'rejected')" if state in FAILED else ""
        rest = _and(chosen, bounds, words)
        yield f"outcomes AS t WHERE t.state = {words.arg(state.value)}{failed}{rest}"


def _uids(chosen: Filter, bounds: Bounds, words: Words) -> str:
    table = (
        "(SELECT m.sequence, m.route, m.key, coalesce(q.state, o.state) AS state,"
        f" o.failure_group AS failure_group {JOINED}"
        f" WHERE m.uid IN @texts({words.arg(list(chosen.uids))})) AS t"
    )
    states = ""
    if chosen.states:
        states = f" AND t.state IN ({', '.join(words.arg(s.value) for s in chosen.states)})"
    return f"{table} WHERE true{states}{_and(chosen, bounds, words)}"


def _and(chosen: Filter, bounds: Bounds, words: Words) -> str:
    said = [bounds.say(words, "t.sequence")]
    if chosen.namespace is not None:
        first, last = f"{chosen.namespace}/", f"{chosen.namespace}0"  # 0 comes after /
        said.append(f"t.route >= {words.arg(first)} AND t.route < {words.arg(last)}")
    if chosen.route is not None:
        said.append(f"t.route = {words.arg(chosen.route)}")
    if chosen.key is not None:
        said.append(f"t.key = {words.arg(fitting(chosen.key))}")
    if chosen.group is not None:
        said.append(f"t.failure_group = {words.arg(chosen.group)}")
    for sign, moment in ((">=", chosen.since), ("<=", chosen.until)):
        if moment is not None:
            said.append(
                "EXISTS (SELECT 1 FROM messages AS m WHERE m.sequence = t.sequence"
                f" AND m.accepted_at {sign} {words.arg(moment)})"
            )
    return "".join(f" AND {each}" for each in said)


def groups(chosen: Filter) -> Script[tuple[Group, ...]]:
    """Failures by cause, the most frequent first."""
    words = Words()
    bounds = yield from between(chosen)
    states = ", ".join(f"'{state}'" for state in FAILED)
    rows = yield words.query(
        "SELECT g.route, g.failure_group, g.reason, g.state, g.count, g.first_at, g.last_at,"
        " m.uid, o.detail FROM (SELECT t.route, t.failure_group, t.reason, t.state,"
        " count(*) AS count, min(t.settled_at) AS first_at, max(t.settled_at) AS last_at,"
        f" max(t.sequence) AS newest FROM outcomes AS t WHERE state IN ({states})"
        f"{_and(chosen, bounds, words)}{_one_of(chosen.states, words)}"
        " GROUP BY t.route, t.failure_group, t.reason, t.state) AS g"
        " JOIN messages AS m ON m.sequence = g.newest JOIN outcomes AS o ON o.sequence = g.newest"
        " ORDER BY g.count DESC, g.last_at DESC LIMIT 1000"
    )
    return tuple(
        Group(
            route=row[0],
            group=row[1],
            reason=row[2],
            state=State(row[3]),
            count=row[4],
            first_at=row[5],
            last_at=row[6],
            sample=row[7],
            detail=row[8],
        )
        for row in rows
    )


def _one_of(states: Sequence[State], words: Words) -> str:
    if not states:
        return ""
    return f" AND t.state IN ({', '.join(words.arg(state.value) for state in states)})"


def count(chosen: Filter) -> Script[tuple[Standing, ...]]:
    """How many messages are meant, by Route and state."""
    words = Words()
    bounds = yield from between(chosen)
    parts = [
        f"SELECT t.route, t.state, count(*) FROM {part} GROUP BY t.route, t.state"
        for part in _sources(chosen, bounds, words)
    ]
    rows = yield words.query(f"{' UNION ALL '.join(parts)} ORDER BY 1, 2")
    return tuple(Standing(row[0], State(row[1]), row[2]) for row in rows)
