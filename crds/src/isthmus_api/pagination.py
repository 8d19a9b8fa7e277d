"""Pagination: how one page of an answer leads to the next.

Pages are counted as they come: what a Route leaves out of them never ends a run early.
"""

from typing import Annotated

from pydantic import Field

from isthmus_api.model import Model, WholeExpression
from isthmus_api.rules import exactly_one_of, only_with

Parameter = Annotated[str, Field(min_length=1, max_length=128)]
"""The name of a query parameter."""

_PageSize = Annotated[int, Field(ge=1, le=100_000)]


class PageNumber(Model):
    """Pages by number. A page without records is the last one."""

    param: Parameter = Field("page", description="Query parameter that carries the number.")
    start: Annotated[int, Field(ge=0, le=1)] = Field(1, description="Number of the first page.")
    size: _PageSize | None = Field(
        None, description="Records on a full page; where it is known, a shorter page is the last."
    )


class Offset(Model):
    """Pages by the number of records before them. A page without records is the last one."""

    param: Parameter = Field("offset", description="Query parameter that carries the number.")
    size: _PageSize | None = Field(
        None, description="Records on a full page; where it is known, a shorter page is the last."
    )


class Cursor(Model):
    """Pages by a mark that each page gives for the next one."""

    param: Parameter | None = Field(
        None,
        description="Query parameter that carries the mark; left out, `cursor`, unless the call "
        "writes the mark itself, as `$cursor` in its body, a header or its path.",
    )
    value: WholeExpression = Field(
        description="The mark, read from the body of a page; the last page gives none."
    )


class Connection(Model):
    """Pages of a GraphQL connection. The call writes its cursor, as `$cursor`, into a variable of
    the query; the first page has none."""

    page_info: WholeExpression = Field(
        description="The `pageInfo` of the connection, with `hasNextPage` and `endCursor`, read "
        "from the body of a page. A page without it, or with `errors`, fails the run."
    )


class Keyset(Model):
    """Pages by what comes after the last id of the page before. The call must ask for records in
    the order of that id; ids that are numbers and neither rise nor fall fail the run."""

    param: Parameter = Field(
        description="Query parameter that carries the id. What the call itself gives it is for the "
        "first page."
    )
    id: WholeExpression = Field("{% id %}", description="The id, read from a record.")
    size: _PageSize | None = Field(
        None, description="Records on a full page; where it is known, a shorter page is the last."
    )


class LinkHeader(Model):
    """Pages by the Link header (RFC 8288). A page without such a link is the last one."""

    rel: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        "next", description="Relation of the link to the next page."
    )


class BodyLink(Model):
    """Pages by a link in the body."""

    url: WholeExpression = Field(
        description="Address of the next page, read from the body of a page; the last page gives "
        "none. It must be of the host and port of the Connector."
    )


class Pagination(Model):
    """How one page leads to the next."""

    rules = (
        exactly_one_of(
            "page", "offset", "cursor", "keyset", "connection", "linkHeader", "bodyLink"
        ),
        only_with("more", "page", "offset", "cursor", "keyset"),
        only_with("total", "page", "offset"),
    )

    page: PageNumber | None = Field(None, description="Pages by number.")
    offset: Offset | None = Field(None, description="Pages by the number of records before them.")
    cursor: Cursor | None = Field(
        None, description="Pages by a mark that each page gives for the next one."
    )
    keyset: Keyset | None = Field(
        None, description="Pages by what comes after the last id of the page before."
    )
    connection: Connection | None = Field(None, description="Pages of a GraphQL connection.")
    link_header: LinkHeader | None = Field(None, description="Pages by the Link header.")
    body_link: BodyLink | None = Field(None, description="Pages by a link in the body.")
    more: WholeExpression | None = Field(
        None,
        description="Whether there is another page, true or false, read from the body of a page. "
        "Where it is given, neither a page without records nor a short one is the last.",
    )
    total: WholeExpression | None = Field(
        None,
        description="How many records there are, read from the body of a page. When it becomes "
        "smaller within a run, records may have moved to pages that were read before, and the run "
        "fails.",
    )
    max_pages: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        100_000, description="Pages read at most in one run; a further one fails the run."
    )
