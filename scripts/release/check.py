"""Makes a release a second time, from a copy of the repository in another folder, and compares."""

import os
import subprocess
import sys
from pathlib import Path

from . import sums
from .edition import ROOT, Refused


def make_again(folder: Path, parts: tuple[str, ...]) -> Path:
    """The release of the same commit, made of a clone in `folder`; its own folder."""
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", "--local", ROOT, clone], check=True)
    (clone / ".venv").symlink_to(ROOT / ".venv")
    # A link is not the folder that .gitignore names.
    (clone / ".git/info/exclude").write_text(".venv\n", "utf-8")
    target = folder / "release"
    subprocess.run(
        [sys.executable, "-m", "release", target, "--images", ",".join(parts)],
        cwd=clone,
        env=os.environ | {"PYTHONPATH": str(clone / "scripts")},
        check=True,
    )
    return target


def compare(first: Path, second: Path) -> None:
    """Refused where two releases differ, with the names of the files that do."""
    before, after = sums.read(first), sums.read(second)
    differing = sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )
    if differing:
        raise Refused("made twice, these files differ:\n" + "\n".join(f"  {x}" for x in differing))
