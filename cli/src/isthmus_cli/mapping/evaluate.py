"""isthmus mapping eval: what an expression makes of an input."""

import json
import sys
from typing import Any

import click
import yaml

from isthmus_cli.mapping import inputs, subjects, trials


@click.command("eval")
@subjects.options
@inputs.options
@trials.watch
@click.option(
    "-o",
    "--output",
    type=click.Choice(["json", "yaml"]),
    default="json",
    show_default=True,
    help="How the result is written.",
)
def evaluate(output: str, watch: bool, **given: Any) -> None:
    """Print what an expression makes of an input.

    Runs as a `map` step does, with the same guards. Ends with 1 when the expression fails or has
    errors.

    \b
    isthmus mapping eval 'items.sku' --input order.json
    isthmus mapping eval -f manifests --mapping order-to-erp --input order.json
    isthmus mapping eval '$table("vat", "NL")' -f manifests --mapping order-to-erp
    """

    def shown() -> None:
        trial = trials.made(given)
        trials.tell_missing(trial)
        result = trial.result()
        trials.tell_warned(trial)
        click.echo(_written(json.loads(result), output))

    sys.exit(trials.run(shown, given, watch=watch))


def _written(value: Any, output: str) -> str:
    if output == "yaml":
        text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
        return text.removesuffix("...\n").rstrip("\n")
    return json.dumps(value, indent=2, ensure_ascii=False)
