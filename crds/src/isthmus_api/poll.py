"""Poll: ask a Connector again and again for what is new; each record is a message."""

from typing import Annotated

from pydantic import Field

from isthmus_api.model import Model, Text, WholeExpression
from isthmus_api.pagination import Pagination
from isthmus_api.quantities import Duration, Size
from isthmus_api.rules import at_most_one_of, exactly_one_of, only_with
from isthmus_api.schedule import CronText, TimeZone
from isthmus_api.step import Call


class Watermark(Model):
    """How far the records were read. The call reads it as `$watermark`.

    It moves on when everything up to it is settled, so a crash in between reads records again
    rather than never.
    """

    value: WholeExpression = Field(
        description="What a record says of it: a number, or a text that sorts as it ages, such as "
        "an RFC 3339 time. The largest of a run is the next watermark."
    )
    initial: Text | None = Field(
        None, description="What the first run reads; left out, `$watermark` gives nothing then."
    )
    overlap: Duration | None = Field(
        None,
        description="Read this much again, for records that were written late; for times only.",
    )


class ChangeDetection(Model):
    """Deliver a record only when it is not what was delivered last for its `message.key`."""

    fields: WholeExpression = Field(
        "{% $ %}", description="What of a record is compared; by default all of it."
    )


class CsvDocument(Model):
    """Rows, as `$parseCsv` gives them: objects of strings."""

    separator: Annotated[str, Field(pattern=r'^[^"\r\n]$', max_length=1)] = Field(
        ",", description="What stands between two cells."
    )
    header: bool = Field(
        True,
        description="Whether the first row names the columns; where none does, records are arrays.",
    )


class XmlDocument(Model):
    """Elements, as `$parseXml` gives them. A document type is refused."""

    element: Annotated[str, Field(pattern=r"^[^\s/]+(/[^\s/]+)*$", max_length=1024)] = Field(
        description="The names from the root to the element that is a record, such as "
        "`catalog/product`, with their prefixes as they are written."
    )
    required: bool = Field(
        True,
        description="Whether other elements in its place fail the run; where nothing is there, "
        "there are no records.",
    )


class JsonLinesDocument(Model):
    """Lines, each of them one JSON value."""


class Document(Model):
    """What a large answer is. Each of its records is a message as soon as it has come."""

    rules = (exactly_one_of("csv", "xml", "jsonLines"),)

    csv: CsvDocument | None = Field(None, description="CSV; each row is a record.")
    xml: XmlDocument | None = Field(None, description="XML; each element at one place is a record.")
    json_lines: JsonLinesDocument | None = Field(
        None, description="JSON Lines; each line is a record."
    )
    max_size: Size = Field(
        Size("1Gi"),
        description="The most that the answer may be, as it comes and decoded. What one record may "
        "be is `maxResponseSize` of the Connector.",
    )


class PollSource(Model):
    """One message for each record, read by one replica at a time."""

    rules = (
        exactly_one_of("every", "cron"),
        only_with("timeZone", "cron"),
        at_most_one_of("document", "pagination"),
    )

    every: Duration | None = Field(None, description="How long after one run the next begins.")
    cron: CronText | None = Field(
        None, description="When runs begin, as in a schedule. One that is under way is let end."
    )
    time_zone: TimeZone | None = Field(
        None, description="Time zone that `cron` is read in; left out, UTC."
    )
    call: Call = Field(description="The call that reads records; expressions read `$watermark`.")
    timeout: Duration | None = Field(
        None,
        description="The longest the call of one page may take; the Connector's timeout by "
        "default. With `document`, the longest until its answer begins, and between two pieces.",
    )
    pagination: Pagination | None = Field(
        None, description="How one page leads to the next; left out, there is one page."
    )
    document: Document | None = Field(
        None, description="Read the answer as one document, record by record while it comes in."
    )
    records: WholeExpression = Field(
        "{% $ %}", description="The list of records in the body of a page."
    )
    watermark: Watermark | None = Field(None, description="How far the records were read.")
    change_detection: ChangeDetection | None = Field(
        None, description="Deliver only what has changed since it was delivered last."
    )
