"""The layout of a new repository."""

import re

import pytest
import yaml

from isthmus_cli.repository import layout
from isthmus_cli.repository.layout import CIS, GITOPS, Wishes

WORDS = {
    "name": "shop",
    "repo_url": "https://git.example.com/shop.git",
    "branch": "main",
    "isthmus_repository": "https://git.example.com/isthmus.git",
    "isthmus_version": "v1",
    "ci_image": "check",
}


@pytest.mark.parametrize("ci", CIS)
@pytest.mark.parametrize("gitops", GITOPS)
def test_no_hole_is_left_and_all_yaml_can_be_read(ci: str, gitops: str) -> None:
    made = layout.files(Wishes(ci, gitops, WORDS))

    assert [path for path, text in made.items() if re.search(r"@\{\w*\}", text)] == []
    for path, text in made.items():
        assert text.endswith("\n")
        if path.endswith((".yaml", ".yml")):
            assert all(isinstance(each, dict) for each in yaml.safe_load_all(text)), path


@pytest.mark.parametrize(
    ("gitops", "folders"),
    [
        ("argocd", {"argocd"}),
        ("flux", {"flux"}),
        ("both", {"argocd", "flux"}),
        ("none", set[str]()),
    ],
)
def test_only_what_is_wanted_is_made(gitops: str, folders: set[str]) -> None:
    made = layout.files(Wishes("none", gitops, WORDS))

    assert {path.split("/")[1] for path in made if path.startswith("deploy/")} == folders


def test_what_is_executable_is_made() -> None:
    assert layout.files(Wishes("none", "none", WORDS)).keys() >= layout.EXECUTABLE
