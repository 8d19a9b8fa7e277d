"""What happens once, however many replicas there are: schedules, leading, watermarks of polls."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from isthmus_runtime.journal.entries import Draft
from isthmus_runtime.journal.script import Accept, Script, query

FIRES_KEPT: Final = 7 * 86_400.0
"""A replica that is this late with a fire could do it again."""


def fire(route: str, at: datetime, drafts: Sequence[Draft]) -> Script[bool]:
    """The row is the claim: whoever inserts it accepts the drafts, and the others wait for it."""
    moment = at.timestamp()
    won = yield query(
        "INSERT INTO fires (route, at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING at",
        route,
        moment,
    )
    if not won:
        return False
    yield query("DELETE FROM fires WHERE route = $1 AND at < $2", route, moment - FIRES_KEPT)
    if drafts:
        yield Accept(tuple(drafts))
    return True


def last_fire(route: str) -> Script[datetime | None]:
    """The latest, not the newest row: replicas may write them out of order."""
    [[at]] = yield query("SELECT max(at) FROM fires WHERE route = $1", route)
    return None if at is None else datetime.fromtimestamp(at, UTC)


def lead(task: str, owner: str, lease: float) -> Script[bool]:
    """Take what is free or ours. What is held for longer than anybody may hold it was written
    before the database's clock was set back."""
    rows = yield query(
        "INSERT INTO leads (task, owner, until) VALUES ($1, $2, @now + $3)"
        " ON CONFLICT (task) DO UPDATE SET owner = excluded.owner, until = excluded.until"
        " WHERE leads.owner = excluded.owner OR leads.until <= @now OR leads.until > @now + 2 * $3"
        " RETURNING owner",
        task,
        owner,
        lease,
    )
    return bool(rows)


def resign(task: str, owner: str) -> Script[None]:
    """Give up what is ours."""
    yield query("DELETE FROM leads WHERE task = $1 AND owner = $2", task, owner)


def polling(route: str) -> str:
    """The task of reading what a Route polls."""
    return f"poll {route}"


def ask(task: str) -> Script[None]:
    """Have whoever leads a task do it now; asked for twice before that, it is done once."""
    yield query(
        "INSERT INTO leads (task, owner, until) VALUES ($1, '', @now) ON CONFLICT DO NOTHING",
        _asked(task),
    )


def is_asked(task: str) -> Script[bool]:
    """Whether it was asked for; from then on it is not."""
    return bool((yield query("DELETE FROM leads WHERE task = $1 RETURNING task", _asked(task))))


def _asked(task: str) -> str:
    return f"{task} now"


def watermark(route: str) -> Script[str | None]:
    """Commit what may be committed, and read it."""
    yield from _commit(route)
    rows = yield query("SELECT watermark FROM watermarks WHERE route = $1", route)
    return rows[0][0] if rows else None


def begin_run(route: str) -> Script[int]:
    """Commit, and take the next number."""
    yield from _commit(route)
    [[run]] = yield query("INSERT INTO runs (route, ended) VALUES ($1, false) RETURNING run", route)
    return int(run)


def end_run(route: str, run: int, watermark: str | None) -> Script[None]:
    """Note the watermark; a run without one is over."""
    if watermark is None:
        yield query("DELETE FROM runs WHERE route = $1 AND run = $2", route, run)
        return
    yield query(
        "UPDATE runs SET watermark = $3, ended = true WHERE route = $1 AND run = $2",
        route,
        run,
        watermark,
    )


def _commit(route: str) -> Script[None]:
    """Commit the watermark of the newest run of which, as of all before it, nothing is under way.

    A dead message is settled: it is listed and replayed, and does not make a poll read everything
    again. A run that never ended belonged to a process that is gone; what it accepted counts.
    """
    rows = yield query(
        "SELECT run, watermark FROM runs WHERE route = $1 AND ended AND NOT EXISTS ("
        "   SELECT 1 FROM queue WHERE queue.route = $1 AND queue.run <= runs.run"
        "   AND queue.state <> 'dead')"
        " ORDER BY run DESC LIMIT 1",
        route,
    )
    if rows:
        run, value = rows[0]
        yield query(
            "INSERT INTO watermarks (route, watermark, at) VALUES ($1, $2, @now)"
            " ON CONFLICT (route) DO UPDATE SET watermark = excluded.watermark, at = excluded.at",
            route,
            value,
        )
        yield query("DELETE FROM runs WHERE route = $1 AND run <= $2", route, run)
