"""The functions that Isthmus adds to JSONata: tables, other Mappings, exact money, dates with named
time zones, XML, CSV, JSON in strings, digests.

They are registered in every expression. All are pure and bounded (a look-up takes about 1 us), give
undefined for an undefined or null argument, as JSONata's own do, and refuse any other wrong one by
saying which argument and what it was. Names and signatures are API.

Each docstring is the reference entry of its function: the call, what it does, examples.
`reference` makes `docs/reference/functions.md` of them, and a test runs every example.
"""

from isthmus_api.expressions.functions.arguments import FunctionError
from isthmus_api.expressions.functions.catalogue import library, names
from isthmus_api.expressions.functions.mappings import Run
from isthmus_api.expressions.functions.tables import Tables

__all__ = ["FunctionError", "Run", "Tables", "library", "names"]
