"""Pages for man: `python -m isthmus_cli.manual.man FOLDER` writes one for each command."""

import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from isthmus_cli.manual.pages import NAME, Page, pages

SECTION = 1


def file_name(page: Page) -> str:
    """By which man finds it: `man isthmus-rollout-status`, or `man isthmus rollout-status`."""
    return f"{'-'.join(page.path)}.{SECTION}"


def lines(page: Page, *, version: str) -> Iterator[str]:
    """The lines of a page, in the language of man(7)."""
    title = "-".join(page.path)
    yield f'.TH "{title.upper()}" "{SECTION}" "" "isthmus {_text(version)}" "Isthmus"'
    yield ".SH NAME"
    first, *_ = (*page.paragraphs, "")
    yield f"{_text(title)} \\- {_text(first.partition('. ')[0].rstrip('.'))}"
    yield ".SH SYNOPSIS"
    yield f".B {_text(page.name)}"
    yield _text(page.usage)
    yield ".SH DESCRIPTION"
    for paragraph in page.paragraphs:
        yield from (".PP", _text(paragraph))
    yield from _list("OPTIONS", page.options)
    yield from _list("COMMANDS", page.commands)
    yield from (".SH EXIT STATUS", "0 when all is well, 1 when something was found,")
    yield "2 for a wrong use, 70 for a mistake of Isthmus."
    yield from _see_also(page)


def _list(title: str, entries: tuple[tuple[str, str], ...]) -> Iterator[str]:
    if entries:
        yield f".SH {title}"
    for name, told in entries:
        yield from (".TP", f".B {_text(name)}", _text(told))


def _see_also(page: Page) -> Iterator[str]:
    above = (page.path[:-1],) if len(page.path) > 1 else ()
    below = ((*page.path, name) for name, _ in page.commands)
    others = [f".BR {_text('-'.join(path))} ({SECTION})" for path in (*above, *below)]
    if others:
        yield ".SH SEE ALSO"
        yield from others


def _text(text: str) -> str:
    """Text in which nothing is taken for a request of roff."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return f"\\&{safe}" if safe.startswith(".") else safe


def main() -> None:
    """Write the pages into a folder, which is made where it is not there."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for page in pages():
        text = "\n".join(lines(page, version=metadata.version(NAME))) + "\n"
        (folder / file_name(page)).write_text(text)


if __name__ == "__main__":
    main()
