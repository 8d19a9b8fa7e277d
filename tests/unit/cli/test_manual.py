"""The manual: every command has a page, and what stands there is what it says of itself."""

import shutil
import subprocess

import pytest

from isthmus_cli.manual import man, reference
from isthmus_cli.manual.pages import Page, pages

PAGES = list(pages())


def test_groups_come_before_their_commands() -> None:
    names = [page.name for page in PAGES]

    assert names[0] == "isthmus"
    assert names.index("isthmus rollout") + 1 == names.index("isthmus rollout status")
    assert len(set(names)) == len(names) > 25


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_says_what_it_is_for(page: Page) -> None:
    assert page.paragraphs
    assert [names for names, told in page.options if not told] == []


def test_the_reference_has_every_command_and_option() -> None:
    text = "\n".join(reference.lines())

    for page in PAGES[1:]:
        assert f"# {page.name}\n" in text
    assert "| `--level [info\\|warning\\|error]` | This level and those above it. " in text
    assert "Also as ISTHMUS_JOURNAL." in text
    assert "--help" not in text.partition("\n## ")[2]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_for_man_is_sound(page: Page) -> None:
    text = "\n".join(man.lines(page, version="0.1.0")) + "\n"

    assert man.file_name(page) == f"{page.name.replace(' ', '-')}.1"
    if groff := shutil.which("groff"):
        ended = subprocess.run(
            [groff, "-man", "-Tascii", "-ww", "-P-cbou"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        )
        assert ended.stderr == ""
        shown = " ".join(ended.stdout.split())
        for names, _ in (*page.options, *page.commands):
            assert names in shown


def test_nothing_of_a_text_is_taken_for_a_request() -> None:
    page = Page(("isthmus",), "", (".de x: it's -a \\ `b`.", "'br"), (), ())

    lines = list(man.lines(page, version="1"))

    assert r"\&.de x: it\(aqs \-a \e \(gab\(ga." in lines
    assert r"\(aqbr" in lines
