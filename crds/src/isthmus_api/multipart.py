"""Multipart: the parts of a form with files (RFC 7578)."""

from typing import Annotated, Literal

from pydantic import Field

from isthmus_api.model import Model, Text

PartName = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\r\n\x00]+$")]


class Part(Model):
    """A field, or a file where it has a file name."""

    name: PartName = Field(description="The name of the field.")
    value: Text = Field(
        description="What it holds; what is no text is written as JSON. Nothing leaves it out."
    )
    encoding: Literal["text", "base64"] = Field(
        "text", description="Whether the value is the content, or its bytes in base64."
    )
    file_name: Text | None = Field(None, description="The name of a file.")
    content_type: (
        Annotated[str, Field(pattern=r"^[!-~]+/[!-~]+( *; *[!-~]+)*$", max_length=128)] | None
    ) = Field(
        None,
        description="The content type of the part; left out, none for a field and "
        "application/octet-stream for a file.",
    )
