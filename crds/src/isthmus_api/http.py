"""HTTP: the words of it that sources, steps and Connectors share."""

from typing import Annotated, Literal

from pydantic import Field

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$", max_length=128)]

ServedPath = Annotated[
    str,
    Field(pattern=r"^(/([A-Za-z0-9._~-]|\{[a-z][A-Za-z0-9]*\})*)+$", max_length=512),
]
"""A path that callers use; a segment `{id}` is a variable."""
