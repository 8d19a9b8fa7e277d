"""Which licence each package of an image has; what nobody has reviewed is refused."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from license_expression import ExpressionError, get_spdx_licensing

from .edition import Refused
from .inventory import Package

REVIEWED = Path(__file__).with_name("reviewed.toml")
_AFFERO = re.compile(r"Affero|AGPL", re.IGNORECASE)
_SPDX = get_spdx_licensing()


@dataclass(frozen=True, slots=True)
class Licensed:
    """A package, and what it is licensed under."""

    package: Package
    names: tuple[str, ...]
    """One SPDX expression of a Python package; Debian's names for parts of a Debian one."""


@dataclass(frozen=True, slots=True)
class Review:
    """What `reviewed.toml` says."""

    permitted: frozenset[str]
    python: dict[str, str]
    debian: dict[str, list[str]]

    @classmethod
    def of(cls, file: Path = REVIEWED) -> "Review":
        """That of a file."""
        read: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
        return cls(frozenset(read["permitted"]), read["python"], read["debian"])


def judge(packages: Iterable[Package], review: Review) -> list[Licensed]:
    """The licences of all packages; Refused names each one that is unknown or not permitted."""
    found = [(package, _names(package, review)) for package in packages]
    objections = sorted(
        {text for package, names in found for text in _against(package, names, review)}
    )
    if objections:
        told = "\n".join(f"  {each}" for each in objections)
        raise Refused(f"licences that nobody has reviewed, see {REVIEWED.name}:\n{told}")
    return [Licensed(package, names) for package, names in found]


def _names(package: Package, review: Review) -> tuple[str, ...]:
    match package.kind:
        case "deb":
            return tuple(review.debian.get(package.name, package.said))
        case "pypi":
            reviewed = review.python.get(package.name)
            return (reviewed,) if reviewed else package.said


def _against(package: Package, names: tuple[str, ...], review: Review) -> Iterator[str]:
    where = f"{package.name} {package.version}"
    if not names:
        table = "[debian]" if package.kind == "deb" else "[python]"
        yield f"{where}: its files do not say its licence; read them and write it below {table}"
    elif package.kind == "pypi":
        yield from (f"{where}: {objection}" for objection in _against_expression(names[0], review))
    elif package.name not in review.debian and _AFFERO.search(package.text):
        yield f"{where}: its copyright names the AGPL; read it and write what holds below [debian]"


def _against_expression(text: str, review: Review) -> Iterator[str]:
    try:
        parsed = _SPDX.parse(text, validate=True)
    except ExpressionError:
        yield f"{text!r} is no SPDX expression; read its files and write one below [python]"
        return
    for name in sorted(_SPDX.license_keys(parsed)):
        if name not in review.permitted:
            yield f"{name} is not among `permitted`; take another package, or add it with a reason"


def listing(images: dict[str, list[Licensed]]) -> str:
    """All of them as a text, image by image."""
    lines = [
        "Licences of what the images consist of. The texts are in each image: of Debian packages",
        "in /usr/share/doc/NAME/copyright, of Python packages beside their METADATA. The names of",
        "a Debian package are those of all its source files, many of which are in no image.",
    ]
    for image, packages in images.items():
        lines += ["", image, *(_line(each) for each in packages)]
    return "\n".join(lines) + "\n"


def _line(licensed: Licensed) -> str:
    package = licensed.package
    return f"  {package.kind:4}  {package.name} {package.version}  {', '.join(licensed.names)}"
