"""Which version of which commit a release is."""

import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PROJECTS = ("crds", "runtime", "operator", "cli")


class Refused(Exception):
    """A release that is not made; the text says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A version, and the time that its files bear."""

    version: str
    epoch: int
    """Seconds since 1970 of the commit: SOURCE_DATE_EPOCH."""


def present(root: Path = ROOT) -> Edition:
    """That of the commit which is checked out; Refused where files differ from it."""
    changed = _git(root, "status", "--porcelain")
    if changed:
        raise Refused(f"these files are not as in the commit; commit or remove them:\n{changed}")
    return Edition(version(root), int(_git(root, "log", "-1", "--format=%ct")))


def version(root: Path = ROOT) -> str:
    """The version that all packages and charts have; Refused where they do not agree."""
    found = dict(_versions(root))
    if len(set(found.values())) > 1:
        told = "\n".join(f"  {version}  {where}" for where, version in found.items())
        raise Refused(f"versions differ; write the same one everywhere:\n{told}")
    return str(next(iter(found.values())))


def _versions(root: Path) -> Iterator[tuple[str, str]]:
    """Where a version stands, and which."""
    for project in PROJECTS:
        read = tomllib.loads((root / project / "pyproject.toml").read_text("utf-8"))
        yield f"{project}/pyproject.toml", read["project"]["version"]
    for file in sorted(root.glob("charts/*/Chart.yaml")):
        chart = yaml.safe_load(file.read_text("utf-8"))
        where = file.relative_to(root)
        yield f"{where}: version", chart["version"]
        if "appVersion" in chart:
            yield f"{where}: appVersion", chart["appVersion"]


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
