"""kubectl, as far as it needs no cluster."""

import shutil

from control_plane import ControlPlaneError, assets


def program() -> str:
    """The kubectl of the tests' own control plane; that of the PATH where it brings none."""
    found = shutil.which(str(assets() / "kubectl")) or shutil.which("kubectl")
    if found is None:
        raise ControlPlaneError("no kubectl: neither beside kube-apiserver nor on the PATH")
    return found
