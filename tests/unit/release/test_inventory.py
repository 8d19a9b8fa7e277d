"""Packages of an image, and what they say of their licences."""

import oci_layouts
import pytest

from release import inventory
from release.inventory import Package

DEP5 = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
License: MIT

Files: debian/*
License: GPL-2+ or Artistic, and Expat
 On Debian systems the text is in /usr/share/common-licenses/GPL-2.
"""


def _packages(*made: oci_layouts.Layer) -> list[Package]:
    files = {path: text for each in made for path, text in each.items() if isinstance(text, bytes)}
    return inventory.packages(
        {path: text for path, text in files.items() if inventory.wanted(path)}
    )


def test_a_debian_package_with_the_licences_of_its_fields_and_those_it_refers_to() -> None:
    (found,) = _packages(oci_layouts.debian("zlib1g", DEP5, version="1:1.2"))

    assert (found.kind, found.name, found.version) == ("deb", "zlib1g", "1:1.2")
    assert found.said == ("GPL-2", "GPL-2+ or Artistic, and Expat", "MIT")


def test_all_packages_of_dpkgs_own_list() -> None:
    stanzas = [
        f"Package: {name}\nVersion: 1\nArchitecture: all\nDescription: it\n Package: no\n"
        for name in ("apt", "bash")
    ]

    found = _packages({"var/lib/dpkg/status": "\n".join(stanzas).encode()})

    assert [each.name for each in found] == ["apt", "bash"]


def test_prose_after_the_word_license_is_no_name() -> None:
    text = "License:\n\n  License: Permission is hereby granted\nLicense: do as you like with it\n"

    assert _packages(oci_layouts.debian("it", text))[0].said == ()


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (("License-Expression: MIT OR Apache-2.0",), ("MIT OR Apache-2.0",)),
        (("License: BSD",), ("BSD",)),
        (("License: MIT License\n        Copyright (c) them",), ("MIT License",)),
        (("License-File: LICENSE",), ()),
    ],
)
def test_a_python_package(headers: tuple[str, ...], said: tuple[str, ...]) -> None:
    assert _packages(oci_layouts.python("it", *headers)) == [
        Package("pypi", "it", "1.0", said=said)
    ]


def test_metadata_without_a_name_are_told() -> None:
    path = "opt/isthmus/lib/python3.11/site-packages/it-1.dist-info/METADATA"

    with pytest.raises(ValueError, match=r"it-1\.dist-info/METADATA has no Name"):
        _packages({path: b"Version: 1\n\n"})
