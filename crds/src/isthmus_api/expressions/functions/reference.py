"""The reference page of the functions, made of their docstrings."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from isthmus_api.expressions import engine
from isthmus_api.expressions.functions.catalogue import library
from isthmus_api.expressions.functions.tables import Tables

EXAMPLE_TABLES: Final[Tables] = {
    "vat": {"NL": "0.21", "BE": "0.21", "DE": "0.19"},
    "ports": {"443": "https"},
}


EXAMPLE_MAPPING: Final = '{"sku": sku, "net": $moneyMultiply(price, quantity, 2)}'
"""The Mapping of the examples, named net-line."""


def example_library(by: engine.Engine) -> Mapping[str, engine.Function]:
    """All functions, bound to what the examples use."""
    mapping = by.compile(EXAMPLE_MAPPING, library({}))
    return library(EXAMPLE_TABLES, {"net-line": mapping.evaluate})


@dataclass(frozen=True, slots=True)
class Example:
    """A line of a docstring: an expression, and the JSON that it gives."""

    expression: str
    result: str


def examples(doc: str) -> tuple[Example, ...]:
    """Read the examples of a docstring; an expression may stand on a line before its `=>`."""
    _, _, section = doc.partition("Examples:\n")
    lines = re.sub(r"\n\s*=>", " =>", section).strip().splitlines()
    pairs = (line.strip().partition(" => ") for line in lines)
    return tuple(Example(expression, result) for expression, _, result in pairs)


def reference_markdown() -> str:
    """Write the reference page of all functions."""
    entries = sorted(library(EXAMPLE_TABLES).values(), key=lambda function: function.name)
    return "\n".join([_REFERENCE_HEAD, *(line for each in entries for line in _entry(each))])


_REFERENCE_HEAD: Final = """\
<!-- Generated from the docstrings in isthmus_api.expressions.functions: do not edit. -->
# Functions

What Isthmus adds to the functions of JSONata. They can be called in every expression: in mappings,
filters, templates, keys. An undefined or null argument gives undefined; any other argument that
does not fit is an error that names it, and the message goes to the dead letters.

The examples use these tables:

```yaml
tables:
  vat: {NL: "0.21", BE: "0.21", DE: "0.19"}
  ports: {"443": https}
```

and the Mapping `net-line`:

```jsonata
{"sku": sku, "net": $moneyMultiply(price, quantity, 2)}
```
"""


def _entry(function: engine.Function) -> Iterator[str]:
    text, _, _ = function.doc.partition("Examples:\n")
    yield f"## `{function.usage}`\n"
    yield text.partition("\n")[2].strip() + "\n"
    yield "| expression | gives |\n|---|---|"
    yield from (f"| `{each.expression}` | `{each.result}` |" for each in examples(function.doc))
    yield ""
