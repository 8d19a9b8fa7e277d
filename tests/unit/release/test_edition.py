"""One version for all packages and charts, and the time of the commit."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from release import edition


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files of the repository in which versions stand."""
    for project in edition.PROJECTS:
        (tmp_path / project).mkdir()
        shutil.copy(edition.ROOT / project / "pyproject.toml", tmp_path / project)
    for chart in edition.ROOT.glob("charts/*/Chart.yaml"):
        target = tmp_path / chart.relative_to(edition.ROOT)
        target.parent.mkdir(parents=True)
        shutil.copy(chart, target)
    return tmp_path


def test_all_of_them_agree(copy: Path) -> None:
    assert edition.version(copy) == edition.version()


@pytest.mark.parametrize(
    ("file", "before", "told"),
    [
        ("cli/pyproject.toml", "\nversion = ", "cli/pyproject.toml"),
        ("charts/isthmus/Chart.yaml", "\nversion: ", "charts/isthmus/Chart.yaml: version"),
        ("charts/isthmus/Chart.yaml", "\nappVersion: ", "charts/isthmus/Chart.yaml: appVersion"),
    ],
)
def test_one_that_differs_is_named(copy: Path, file: str, before: str, told: str) -> None:
    text = (copy / file).read_text()
    (copy / file).write_text(
        text.replace(before, f"{before}99." if ":" in before else f'{before}"99.1"#')
    )

    with pytest.raises(edition.Refused, match="write the same one everywhere") as refused:
        edition.version(copy)

    assert [
        line.split("  ")[-1] for line in str(refused.value).splitlines() if "  99." in line
    ] == [told]


@pytest.fixture
def committed(copy: Path) -> Path:
    """The same files as a repository with one commit."""
    who = ("-c", "user.name=it", "-c", "user.email=it@example.com", "-c", "commit.gpgsign=false")
    for command in (("init", "--quiet"), ("add", "."), (*who, "commit", "--quiet", "-m", "it")):
        date = {"GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z", "PATH": os.environ["PATH"]}
        subprocess.run(["git", *command], cwd=copy, env=date, check=True)
    return copy


def test_the_time_is_that_of_the_commit(committed: Path) -> None:
    assert edition.present(committed) == edition.Edition(edition.version(), 1_767_323_045)


@pytest.mark.parametrize("file", ["cli/pyproject.toml", "new.py"])
def test_files_that_are_not_as_in_the_commit_are_refused(committed: Path, file: str) -> None:
    with (committed / file).open("a") as changed:
        changed.write("# changed")

    with pytest.raises(edition.Refused, match=f"commit or remove them:\n.*{file}"):
        edition.present(committed)
