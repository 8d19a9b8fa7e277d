"""What the documents show works: their manifests are run, their figures of speech are true."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess

import pytest

ROOT = Path(__file__).parents[3]
FENCED = re.compile(
    r"```yaml\n(apiVersion: (?:isthmus\.dev/|v1\nkind: ConfigMap).*?)```", re.DOTALL
)
PART = re.compile(r"```yaml\n# (examples/\S+)\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([\w./-]+)")
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("bench/*.md"))
)


@pytest.mark.parametrize("page", ["callers", "mappings", "messages"])
def test_what_the_guide_shows_passes_its_own_tests(
    isthmus: Callable[..., CompletedProcess[str]],
    folder: Callable[[Mapping[str, str]], Path],
    page: str,
) -> None:
    shown = FENCED.findall((ROOT / f"docs/how-to/{page}.md").read_text())

    ended = isthmus("test", folder({f"{i}.yaml": text for i, text in enumerate(shown)}))

    assert ended.returncode == 0, ended.stdout + ended.stderr


PAGES = [
    "callers",
    "calls",
    "large-documents",
    "mappings",
    "messages",
    "paging",
    "rate-limits",
    "route-on-kubernetes",
    "sign-in",
]


@pytest.mark.parametrize("page", PAGES)
def test_the_manifests_of_the_guide_have_no_errors(
    isthmus: Callable[..., CompletedProcess[str]],
    folder: Callable[[Mapping[str, str]], Path],
    page: str,
) -> None:
    shown = FENCED.findall((ROOT / f"docs/how-to/{page}.md").read_text())

    ended = isthmus("lint", folder({f"{i}.yaml": text for i, text in enumerate(shown)}))

    assert shown
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_what_is_said_to_stand_in_a_file_stands_there(document: Path) -> None:
    """Parts of manifests that name their file in a comment above them."""
    parts = PART.findall((ROOT / document).read_text())

    assert [part for file, part in parts if part not in (ROOT / file).read_text()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_link_of(document: Path) -> None:
    """Leads to a file that is there."""
    text = CODE.sub("", (ROOT / document).read_text())
    targets = [(ROOT / document).parent / target for target in LINK.findall(text)]

    assert [str(target) for target in targets if not target.exists()] == []


def test_the_readme_shows_the_error_that_its_mistake_gives(
    isthmus: Callable[..., CompletedProcess[str]], folder: Callable[[Mapping[str, str]], Path]
) -> None:
    example = ROOT / "examples/search-with-prices"
    files = {path.name: path.read_text() for path in example.glob("*.yaml")}
    files["mapping.yaml"] = files["mapping.yaml"].replace("$lookup($prices", "$lookup($price")

    ended = isthmus("lint", folder(files))

    shown = re.search(r"```text\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown is not None
    for line in shown[1].splitlines():
        wanted = line.strip().removeprefix("examples/search-with-prices/")
        assert wanted in ended.stdout, ended.stdout
