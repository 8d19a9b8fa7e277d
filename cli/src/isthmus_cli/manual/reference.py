"""The reference of the command line: `python -m isthmus_cli.manual.reference docs/reference`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from isthmus_cli.manual import outputs
from isthmus_cli.manual.pages import NAME, Page, pages

_HEAD = f"""\
<!-- Generated from isthmus_cli: do not edit. -->
# The command line

`{NAME}` is `kubectl isthmus` as well. Every command has `--help`.
What it writes with `-o json` is in [cli-output.md](cli-output.md).

| ends with | when |
|---|---|
| 0 | all is well |
| 1 | something was found, or the cluster does not do what was asked |
| 2 | the command was used wrongly, or the cluster cannot be asked: no kubeconfig, no answer, \
no right, no such kind or Route |
| 70 | a mistake of Isthmus; please report it |
| 130 | Ctrl-C |

| variable | says |
|---|---|
| `KUBECONFIG` | files of the clusters, as kubectl reads them |
| `ISTHMUS_PAGE` | how many objects a cluster is asked for at a time; 500 without it |
| `NO_COLOR` | write no colours |
| `ISTHMUS_DEBUG` | show where a mistake of Isthmus is |
"""


def lines() -> Iterator[str]:
    """The lines of cli.md."""
    yield from _HEAD.splitlines()
    for page in pages():
        if page.path != (NAME,):
            yield from _page(page)


def _page(page: Page) -> Iterator[str]:
    yield ""
    yield f"{'#' * len(page.path)} {page.name}"
    for paragraph in page.paragraphs:
        yield from (_text(paragraph), "")
    yield from ("```text", f"{page.name} {page.usage}", "```")
    if page.options:
        yield from ("", "| option | |", "|---|---|")
        yield from (f"| `{_cell(names)}` | {_cell(_text(told))} |" for names, told in page.options)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _text(text: str) -> str:
    """Names in capital letters in angle brackets would be taken for HTML."""
    return text.replace("<", "&lt;") if "`" not in text else text


def main() -> None:
    """Write the pages into a folder."""
    for name, page in (("cli.md", lines()), ("cli-output.md", outputs.lines())):
        Path(sys.argv[1], name).write_text("\n".join(page) + "\n")


if __name__ == "__main__":
    main()
