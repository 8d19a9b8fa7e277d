"""Schedule: messages at set times."""

from typing import Annotated, Literal

from pydantic import Field

from isthmus_api.model import FreeForm, Model
from isthmus_api.quantities import Duration

CronText = Annotated[
    str,
    Field(
        pattern=r"^(@(hourly|daily|midnight|weekly|monthly|yearly|annually)|"
        r"[0-9A-Za-z*/,#-]+( +[0-9A-Za-z*/,#-]+){4})$",
        max_length=256,
    ),
]
"""Minute, hour, day of the month, month and day of the week, as cron writes them."""

TimeZone = Annotated[str, Field(pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$", max_length=64)]
"""The name of a time zone in the IANA data."""


class ScheduleSource(Model):
    """One message each time, however many replicas there are."""

    cron: CronText = Field(
        description="When: minute, hour, day of the month, month, day of the week; or @hourly, "
        "@daily, @weekly, @monthly, @yearly."
    )
    time_zone: TimeZone = Field(
        "UTC", description="Time zone that `cron` is read in, such as Europe/Amsterdam."
    )
    overlap: Literal["skip", "queue", "replace"] = Field(
        "skip",
        description="What to do when the message of an earlier time is still under way: let this "
        "time pass, deliver it afterwards, or give the earlier one up.",
    )
    missed: Literal["skip", "once", "all"] = Field(
        "once",
        description="What becomes of times that passed while nothing ran: no message, one for the "
        "latest of them, or one for each (the latest 1,000).",
    )
    starting_deadline: Duration | None = Field(
        None,
        description="How late a missed time may still be made up for; left out, however late.",
    )
    body: FreeForm = Field(
        None,
        description="The body of the message; strings may be templates and read `$scheduledAt`, "
        'an RFC 3339 time in that time zone. Left out, `{"scheduledAt": "…"}`.',
    )
