"""isthmus mapping: work on an expression, one at a time.

`eval`, `explain` and `fmt` are a module each. `subjects` are the options that say which expression
is meant, `inputs` those that say on what; `trials` put the two together. They run the code that a
`map` step runs, with its guards.
"""

from typing import Final

import click

from isthmus_cli.commands import Commands

_LINES: Final = {
    "eval": "Print what an expression makes of an input.",
    "explain": "Show what an expression reads, and what each part of it gave.",
    "fmt": "Lay out the expressions of manifests.",
}


@click.group(
    cls=Commands, lines=_LINES, package="isthmus_cli.mapping", modules={"eval": "evaluate"}
)
def mapping() -> None:
    """Try, explain and format mappings.

    EXPRESSION is JSONata, as a Mapping holds it. With -f it is one of a Mapping in manifests, or is
    tried in the place of that Mapping's own, with its tables and the Mappings beside it.
    """
