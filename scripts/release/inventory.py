"""What is in an image: Debian packages and Python packages, with what they say of licences."""

import email.parser
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

# One file for each package, or one file for all of them.
_STATUS = re.compile(r"var/lib/dpkg/(status|status\.d/[^/]+)")
_COPYRIGHT = re.compile(r"usr/share/doc/([^/]+)/copyright")
_METADATA = re.compile(r"opt/isthmus/lib/python3[.0-9]*/site-packages/[^/]+\.dist-info/METADATA")
_COMMON = re.compile(r"/usr/share/common-licenses/([A-Za-z0-9.+-]*[A-Za-z0-9+])")
# Of one word, or of some with a conjunction; after the same word, prose may stand as well.
_SHORT_NAME = re.compile(
    r"^License:[ \t]*([\w.+/~-]+(?:,? (?:and|or|with) [\w.+/~, -]+)?)[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """A package in an image."""

    kind: Literal["deb", "pypi"]
    name: str
    version: str
    architecture: str = ""
    """Of a Debian package."""
    said: tuple[str, ...] = ()
    """Licences as its files name them: Debian's short names, or an SPDX expression."""
    text: str = ""
    """Of a Debian package: its file `copyright`."""


def wanted(path: str) -> bool:
    """Whether a file of an image tells of packages."""
    return any(each.fullmatch(path) for each in (_STATUS, _COPYRIGHT, _METADATA))


def packages(files: dict[str, bytes]) -> list[Package]:
    """The packages that the files of an image tell of."""
    texts = {path: content.decode("utf-8", "replace") for path, content in files.items()}
    terms = {m[1]: text for path, text in texts.items() if (m := _COPYRIGHT.fullmatch(path))}
    found: list[Package] = []
    for path, text in texts.items():
        if _STATUS.fullmatch(path):
            found.extend(_debian(stanza, terms) for stanza in text.split("\n\n") if stanza.strip())
        elif _METADATA.fullmatch(path):
            found.append(_python(text, PurePosixPath(path).parent.name))
    return sorted(found)


def _debian(stanza: str, terms: dict[str, str]) -> Package:
    fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", stanza, re.MULTILINE))
    text = terms.get(fields["Package"], "")
    said = tuple(sorted(set(_said_in(text))))
    return Package("deb", fields["Package"], fields["Version"], fields["Architecture"], said, text)


def _said_in(text: str) -> Iterator[str]:
    yield from (name.strip() for name in _SHORT_NAME.findall(text))
    yield from _COMMON.findall(text)


def _python(text: str, folder: str) -> Package:
    fields = email.parser.HeaderParser().parsestr(text)
    name, version = fields["Name"], fields["Version"]
    if not name or not version:
        raise ValueError(f"{folder}/METADATA has no Name or no Version")
    said = fields["License-Expression"] or fields["License"] or ""
    # Some have the whole text there; only its first line could be a name.
    return Package("pypi", name, version, said=(said.splitlines()[0].strip(),) if said else ())
