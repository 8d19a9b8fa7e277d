"""Privacy: what nobody gets to see who looks at messages."""

from typing import Annotated

from pydantic import Field

from isthmus_api.model import Items, Model

MaskPath = Annotated[
    str,
    Field(
        pattern=r"^(\*\*?|[A-Za-z0-9_$@:/-]+|`[^`]+`)(\.(\*\*?|[A-Za-z0-9_$@:/-]+|`[^`]+`))*$",
        max_length=256,
        description="A path such as `customer.email`, `lines.*.card` or `**.iban`.",
    ),
]
"""Names with dots between them; `*` is any name or position, `**` any number of them."""


class Privacy(Model):
    """What is shown as `***` in traces of messages, in logs and on the command line."""

    mask: Items[MaskPath] = Field(
        min_length=1,
        max_length=64,
        description="Paths inside a body, wherever it is shown. `*` stands for any name or "
        "position, `**` for any number of them; other names than letters, digits and `_$@:/-` "
        "stand in backticks.",
    )
