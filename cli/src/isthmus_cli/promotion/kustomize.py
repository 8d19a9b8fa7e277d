"""kustomize, which people have as `kubectl kustomize` or by itself."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_PROGRAMS: Final = {"kubectl": "kustomize", "kustomize": "build"}
SECONDS: Final = 120
"""A base may come from a Git server."""


class CannotBuild(Exception):
    """A folder cannot be built; the message is what kustomize says of it."""


def build(folder: Path, *, restricted: bool = True) -> str:
    """Build a folder; `restricted` to files below it, as GitOps controllers do it."""
    found = next((name for name in _PROGRAMS if shutil.which(name)), None)
    if found is None:
        raise CannotBuild("neither kubectl nor kustomize is on the PATH; install one of them")
    free = () if restricted else ("--load-restrictor", "LoadRestrictionsNone")
    try:
        ended = subprocess.run(  # noqa: S603 - one of two programs, by name, without a shell
            [found, _PROGRAMS[found], *free, str(folder)],
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CannotBuild(f"{found} did not end in {SECONDS} s") from error
    if ended.returncode:
        raise CannotBuild(" ".join(ended.stderr.split()).removeprefix("error: "))
    return ended.stdout


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files to be built."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, "utf-8")
