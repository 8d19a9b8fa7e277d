"""What every shape has in common.

A shape is what a command writes with `-o json`. Nothing at run time needs it: the reference is
generated from the shapes, and whatever the tests see a command write is held against them.
"""

from typing import Final

from pydantic import ConfigDict

EXACT: Final = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)
"""No key is written that is not told, and no value of another type."""
