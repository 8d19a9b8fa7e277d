"""Searching: what operators look for, as scripts that only read.

Nothing here reads all of a large table. Looking for a key reads an index of all messages that are
settled and the queue of those that are not: no index by key is kept, so that messages cost nothing
for it on their way.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from isthmus_runtime.journal import journeys
from isthmus_runtime.journal.entries import ACTIVE, SETTLED, State, fitting
from isthmus_runtime.journal.script import Query, Script, query

SLACK: Final = 60.0
"""Seconds by which the order of times may differ from that of numbers."""
NEAR: Final = 10_000
"""How many messages before and after one are looked at for its correlation id."""
RELATIVES: Final = 200

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message in a list. `due_in` is for what waits, in seconds; `holds` keeps its key."""

    sequence: int
    uid: str
    route: str
    state: State
    key: str | None
    version: str | None
    identity: str
    accepted_at: float
    changed_at: float
    attempts: int
    reason: str
    detail: str
    group: str
    holds: bool
    due_in: float | None
    size: int
    correlation_id: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Lines, newest first, and where the next page begins."""

    lines: tuple[Line, ...]
    cursor: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Failures of one cause; `sample` is the newest."""

    route: str
    group: str
    reason: str
    state: State
    count: int
    first_at: float
    last_at: float
    sample: str
    detail: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How many messages of a Route are in a state."""

    route: str
    state: State
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt, as it ended; `journey` is JSON, or nothing."""

    state: State
    reason: str
    detail: str
    group: str
    claimed_at: float | None
    ended_at: float
    number: int
    owner: str | None
    journey: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A body as it was before somebody edited it."""

    number: int
    content_type: str
    body: bytes
    replaced_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """What somebody did to a message; `before` and `after` are JSON."""

    at: float
    act: str
    action: str
    who: str
    why: str
    uid: str
    route: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything about one message."""

    line: Line
    content_type: str
    body: bytes
    request: bytes
    trace: str
    attempts: tuple[Attempt, ...]
    revisions: tuple[Revision, ...]
    audit: tuple[Audited, ...]
    ancestors: tuple[Line, ...]
    descendants: tuple[Line, ...]
    correlated: tuple[Line, ...]


_LINE: Final = (
    "SELECT m.sequence, m.uid, m.route, coalesce(q.state, o.state), m.key, m.version, m.identity,"
    " m.accepted_at, coalesce(o.settled_at, q.since), coalesce(q.attempts, o.attempts),"
    " coalesce(o.reason, ''), coalesce(o.detail, ''), coalesce(o.failure_group, ''),"
    " q.state = 'dead', q.due_at - @now, length(m.body), m.correlation_id, m.parent"
)
_JOINED: Final = (
    "FROM messages AS m LEFT JOIN queue AS q ON q.sequence = m.sequence"
    " LEFT JOIN outcomes AS o ON o.sequence = m.sequence"
)
_AUDIT: Final = "SELECT at, act, action, who, why, uid, route, before, after FROM audit"


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
        f" o.failure_group AS failure_group {_JOINED}"
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


def lines(numbers: Sequence[int]) -> Script[tuple[Line, ...]]:
    """Messages by their numbers, in that order."""
    if not numbers:
        return ()
    rows = yield query(f"{_LINE} {_JOINED} WHERE m.sequence IN @numbers($1)", list(numbers))
    found = {row[0]: _line(row) for row in rows}
    return tuple(found[number] for number in numbers if number in found)


def _line(row: Sequence[Any]) -> Line:
    return Line(
        sequence=row[0],
        uid=row[1],
        route=row[2],
        state=State(row[3]),
        key=row[4],
        version=row[5],
        identity=row[6],
        accepted_at=row[7],
        changed_at=row[8],
        attempts=row[9],
        reason=row[10],
        detail=row[11],
        group=row[12],
        holds=bool(row[13]),
        due_in=row[14],
        size=row[15],
        correlation_id=row[16],
        parent=row[17],
    )


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


def show(uid: str) -> Script[Record | None]:
    """Everything about one message, or nothing."""
    rows = yield query(
        "SELECT sequence, content_type, body, request, trace FROM messages WHERE uid = $1", uid
    )
    if not rows:
        return None
    number, content_type, body, request, trace = rows[0]
    [line] = yield from lines([number])
    return Record(
        line=line,
        content_type=content_type,
        body=body,
        request=request,
        trace=trace,
        attempts=(yield from _attempts(number)),
        revisions=(yield from _revisions(number)),
        audit=(yield from _audit_of(uid)),
        ancestors=(yield from _ancestors(line)),
        descendants=(yield from _descendants(line)),
        correlated=(yield from _correlated(line)),
    )


def _attempts(number: int) -> Script[tuple[Attempt, ...]]:
    columns = "state, reason, detail, failure_group, claimed_at, {at}, attempts, owner, journey"
    rows = yield query(
        f"SELECT {columns.format(at='ended_at')}, 0 AS last FROM attempts WHERE sequence = $1"
        f" UNION ALL SELECT {columns.format(at='settled_at')}, 1 FROM outcomes"
        "  WHERE sequence = $1 ORDER BY 10, 6",
        number,
    )
    return tuple(
        Attempt(
            state=State(row[0]),
            reason=row[1],
            detail=row[2],
            group=row[3],
            claimed_at=row[4],
            ended_at=row[5],
            number=row[6],
            owner=row[7],
            journey=journeys.unpack(row[8]),
        )
        for row in rows
    )


def _revisions(number: int) -> Script[tuple[Revision, ...]]:
    rows = yield query(
        "SELECT number, content_type, body, at FROM revisions WHERE sequence = $1 ORDER BY number",
        number,
    )
    return tuple(
        Revision(number=row[0], content_type=row[1], body=row[2], replaced_at=row[3])
        for row in rows
    )


def _audit_of(uid: str) -> Script[tuple[Audited, ...]]:
    rows = yield query(f"{_AUDIT} WHERE uid = $1 ORDER BY id", uid)
    return tuple(_audited(row) for row in rows)


def audit(
    namespace: str | None, *, limit: int, cursor: int | None
) -> Script[tuple[list[Audited], int | None]]:
    """What was done, newest first, and where the next page begins."""
    words = Words()
    said = [f"id < {words.arg(cursor)}"] if cursor is not None else []
    if namespace is not None:
        first, last = words.arg(f"{namespace}/"), words.arg(f"{namespace}0")
        said.append(f"route >= {first} AND route < {last}")
    where = f" WHERE {' AND '.join(said)}" if said else ""
    rows = yield words.query(
        f"{_AUDIT.replace('after', 'after, id')}{where} ORDER BY id DESC LIMIT {int(limit) + 1}"
    )
    more = rows[limit - 1][9] if len(rows) > limit else None
    return [_audited(row) for row in rows[:limit]], more


def _audited(row: Sequence[Any]) -> Audited:
    return Audited(
        at=row[0],
        act=row[1],
        action=row[2],
        who=row[3],
        why=row[4],
        uid=row[5],
        route=row[6],
        before=row[7],
        after=row[8],
    )


def _ancestors(line: Line) -> Script[tuple[Line, ...]]:
    """From the message that fed this one to the first."""
    found: list[Line] = []
    parent = line.parent
    while parent is not None and len(found) < RELATIVES:
        rows = yield query("SELECT sequence FROM messages WHERE uid = $1", parent)
        above = yield from lines([row[0] for row in rows])
        if not above:
            break
        found += above
        parent = above[0].parent
    return tuple(found)


def _descendants(line: Line) -> Script[tuple[Line, ...]]:
    """What this message fed, and what that fed."""
    found: list[Line] = []
    parents = [line.uid]
    while parents and len(found) < RELATIVES:
        rows = yield query(
            "SELECT sequence FROM messages WHERE parent IN @texts($1) AND parent IS NOT NULL"
            " ORDER BY sequence LIMIT $2",
            parents,
            RELATIVES - len(found),
        )
        below = yield from lines([row[0] for row in rows])
        found += below
        parents = [each.uid for each in below]
    return tuple(found)


def _correlated(line: Line) -> Script[tuple[Line, ...]]:
    """Others of the same correlation id that came near it; there is no index of these ids."""
    if not line.correlation_id:
        return ()
    rows = yield query(
        "SELECT sequence FROM messages WHERE sequence > $1 AND sequence < $2"
        " AND correlation_id = $3 AND sequence <> $4 ORDER BY sequence LIMIT $5",
        line.sequence - NEAR,
        line.sequence + NEAR,
        line.correlation_id,
        line.sequence,
        RELATIVES,
    )
    return (yield from lines([row[0] for row in rows]))
