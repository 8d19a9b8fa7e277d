"""Moments: which times of a schedule get a message. Pure: what time it is, is handed in."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

ON_TIME: Final = timedelta(seconds=60)
"""A time is not missed yet when it passed this little ago: a pod was replaced meanwhile."""

Missed = Literal["skip", "once", "all"]


def made_up_for(
    passed: Sequence[datetime], *, now: datetime, missed: Missed, deadline: timedelta | None
) -> list[datetime]:
    """The times among those that passed since the last one, in order, that still get a message."""
    in_time = [at for at in passed if deadline is None or now - at <= deadline]
    match missed:
        case "all":
            return in_time
        case "once":
            return in_time[-1:]
        case "skip":
            return [at for at in in_time[-1:] if now - at <= ON_TIME]
