"""kubectl, as far as it needs no cluster."""

import os
import shutil
import sys
from pathlib import Path

from control_plane import ControlPlaneError, assets


def program() -> str:
    """The kubectl of the tests' own control plane; that of the PATH where it brings none."""
    found = shutil.which(str(assets() / "kubectl")) or shutil.which("kubectl")
    if found is None:
        raise ControlPlaneError("no kubectl: neither beside kube-apiserver nor on the PATH")
    return found


def on_path(folder: Path) -> str:
    """A PATH that has this kubectl and `isthmus` before all else; `folder` is for links."""
    folder.mkdir()
    (folder / "kubectl").symlink_to(program())
    return f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}"
