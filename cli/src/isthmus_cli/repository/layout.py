"""The layout of a new repository: which template becomes which file."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

ENVIRONMENTS: Final = ("test", "production")
CHANGE: Final = "CHANGE-ME"
"""Stands wherever somebody has to write what we cannot know."""
EXECUTABLE: Final = frozenset({"scripts/check"})

_HOLE: Final = re.compile(r"@\{(\w+)\}")
_ALWAYS: Final = {
    "README.md": "README.md",
    "gitignore": ".gitignore",
    "pre-commit-config.yaml": ".pre-commit-config.yaml",
    "check": "scripts/check",
    **{
        part: f"integrations/{part}"
        for part in (
            "base/kustomization.yaml",
            "base/connectors.yaml",
            "base/mappings.yaml",
            "base/routes.yaml",
            "local/stand-in.yaml",
            "local/secrets.env",
        )
    },
    **{
        f"overlays/{environment}/{part}": f"overlays/{environment}/{part}"
        for environment in ENVIRONMENTS
        for part in ("kustomization.yaml", "secrets.list")
    },
}
_CI: Final = {
    "github": {"ci/github.yaml": ".github/workflows/check.yaml"},
    "gitlab": {"ci/gitlab.yaml": ".gitlab-ci.yml"},
    "none": dict[str, str](),
}
_GITOPS: Final = {
    "argocd": ("argocd",),
    "flux": ("flux",),
    "both": ("argocd", "flux"),
    "none": tuple[str, ...](),
}
CIS: Final = tuple(_CI)
GITOPS: Final = tuple(_GITOPS)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody wants of a repository; `words` fill the holes `@{word}` of the templates."""

    ci: str
    gitops: str
    words: Mapping[str, str]


def files(wishes: Wishes) -> dict[str, str]:
    """The files of a repository, by their path in it."""
    found = {
        path: _filled(template, wishes.words)
        for template, path in (_ALWAYS | _CI[wishes.ci]).items()
    }
    return dict(sorted((*found.items(), *_deployments(wishes))))


def unfinished(made: Mapping[str, str]) -> list[str]:
    """The files in which something has to be written; the README only tells how to find them."""
    return [path for path, text in made.items() if CHANGE in text and path != "README.md"]


def _deployments(wishes: Wishes) -> Iterator[tuple[str, str]]:
    for tool in _GITOPS[wishes.gitops]:
        for environment in ENVIRONMENTS:
            words = {**wishes.words, "environment": environment}
            yield f"deploy/{tool}/{environment}.yaml", _filled(f"deploy/{tool}.yaml", words)


def _filled(template: str, words: Mapping[str, str]) -> str:
    text = resources.files(__package__).joinpath("templates", template).read_text("utf-8")
    return _HOLE.sub(lambda hole: words[hole[1]], text)
