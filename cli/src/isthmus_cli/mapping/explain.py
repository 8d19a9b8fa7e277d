"""isthmus mapping explain: what an expression reads, and what each part of it gave."""

import json
import sys
from typing import Any

import click

from isthmus_api.expressions.accounts import Account
from isthmus_cli import options, report
from isthmus_cli.mapping import accounts, inputs, subjects, trials
from isthmus_cli.mapping.subjects import Refused
from isthmus_cli.mapping.trials import Trial


@click.command()
@subjects.options
@inputs.options
@trials.watch
@options.output
def explain(output: report.Output, watch: bool, **given: Any) -> None:
    """Show what an expression reads, and what each part of it gave on an input.

    A part that runs for each item of a list, or in a function, has as many values: the first three
    are shown. Large values are shortened. Ends with 1 when the expression fails; what its parts
    gave until then is shown all the same.
    """

    def shown() -> None:
        trial = trials.made(given)
        write = _as_json if output == "json" else _as_text
        try:
            result, failure = trial.result(), None
        except Refused as refused:
            result, failure = None, refused
        trials.tell_warned(trial)
        click.echo(write(trial, trial.account(), result))
        if failure:
            raise failure

    sys.exit(trials.run(shown, given, watch=watch))


def _as_text(trial: Trial, account: Account, result: bytes | None) -> str:
    lines = [click.style("reads", bold=True)]
    lines += [f"  {line}" for line in accounts.reads(trial)]
    lines += ["", click.style("parts", bold=True)]
    lines += [f"  {line}" for line in accounts.parts(account, trial.subject)]
    if result is not None:
        value = json.dumps(json.loads(result), indent=2, ensure_ascii=False)
        lines += ["", click.style("result", bold=True), value]
    return "\n".join(lines)


def _as_json(trial: Trial, account: Account, result: bytes | None) -> str:
    document = {
        "reads": accounts.plain_reads(trial),
        "parts": accounts.plain_parts(account, trial.subject),
        "complete": account.is_complete,
        **({} if result is None else {"result": json.loads(result)}),
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
