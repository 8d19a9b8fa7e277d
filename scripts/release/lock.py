"""The versions of Debian's packages in images, held against those that were looked at."""

from collections.abc import Iterable

from .edition import ROOT, Refused
from .inventory import Package

LOCK = ROOT / "images/debian.lock"
_HEAD = (
    "# Debian packages of images: image, package, version. `make lock-images` writes this file.\n"
)


def text(images: dict[str, list[Package]]) -> str:
    """The file for these packages."""
    return _HEAD + "".join(f"{line}\n" for line in _lines(images))


def hold(images: dict[str, list[Package]], locked: str) -> None:
    """Refuse what differs from the file in these images."""
    wanted = {line for line in locked.splitlines() if line.split(" ")[0] in images}
    present = set(_lines(images))
    if wanted != present:
        changes = [f"  - {line}" for line in sorted(wanted - present)]
        changes += [f"  + {line}" for line in sorted(present - wanted)]
        raise Refused(
            "Debian's packages are not those of images/debian.lock (-: locked, +: served now). "
            "Read what changed, run `make lock-images` and commit the file:\n" + "\n".join(changes)
        )


def _lines(images: dict[str, list[Package]]) -> Iterable[str]:
    for image, packages in sorted(images.items()):
        for package in packages:
            if package.kind == "deb":
                yield f"{image} {package.name} {package.version}"
