"""isthmus completion: have a shell complete commands, options and the names of Routes."""

from collections.abc import Iterator, Sequence
from typing import Final

import click
from click.shell_completion import ShellComplete, get_completion_class

_SHELLS: Final = ("bash", "zsh", "fish")
_NAME: Final = "isthmus"
_VARIABLE: Final = "_ISTHMUS_COMPLETE"
"""By which the shell asks the command; click looks for it."""
_NO_FILES: Final = ":4"
_FILES: Final = ":0"
"""What kubectl is told beside the words: whether names of files are completed as well."""


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands, options and the names of Routes.

    For bash: `source <(isthmus completion bash)` in ~/.bashrc. For zsh: write it to a file
    `_isthmus` in a folder of fpath. For fish: write it to
    ~/.config/fish/completions/isthmus.fish. `kubectl isthmus` is completed by kubectl's own
    completion, without this.
    """
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"this version of click knows no {shell}")
    click.echo(found(ctx.find_root().command, {}, _NAME, _VARIABLE).source())


def answers(root: click.Command, typed: Sequence[str]) -> Iterator[str]:
    """What kubectl is told: words with what they are for, and what to do beside."""
    *before, last = typed or [""]
    found = ShellComplete(root, {}, _NAME, _VARIABLE).get_completions(before, last)
    for each in found:
        if each.type == "plain":
            yield f"{each.value}\t{each.help}" if each.help else str(each.value)
    yield _FILES if any(each.type in ("file", "dir") for each in found) else _NO_FILES
