"""Licences: what is known passes, all else is refused by name."""

import pytest

from release import licences
from release.edition import Refused
from release.inventory import Package

REVIEW = licences.Review(
    permitted=frozenset({"MIT", "Apache-2.0"}),
    python={"odd": "MIT"},
    debian={"in-prose": ["BSD-3-clause"], "names-it": ["MPL-2.0"]},
)
NOT_PERMITTED = "is not among `permitted`; take another package, or add it with a reason"
AFFERO = "the GNU Affero General Public License"


def _python(name: str, *said: str) -> Package:
    return Package("pypi", name, "1.0", said=said)


def _debian(name: str, *said: str, text: str = "") -> Package:
    return Package("deb", name, "1.0", "amd64", said, text)


def _refusal(package: Package) -> str:
    with pytest.raises(Refused) as refused:
        licences.judge([package], REVIEW)
    return str(refused.value).splitlines()[1].strip()


@pytest.mark.parametrize(
    ("package", "names"),
    [
        (_python("it", "MIT"), ("MIT",)),
        (_python("either", "MIT OR Apache-2.0"), ("MIT OR Apache-2.0",)),
        (_python("odd"), ("MIT",)),
        (_python("odd", "some words"), ("MIT",)),
        (_debian("it", "GPL-2+", "MIT"), ("GPL-2+", "MIT")),
        (_debian("in-prose"), ("BSD-3-clause",)),
        (_debian("names-it", "GPL-2", text=AFFERO), ("MPL-2.0",)),
    ],
)
def test_what_is_known_passes(package: Package, names: tuple[str, ...]) -> None:
    assert licences.judge([package], REVIEW) == [licences.Licensed(package, names)]


@pytest.mark.parametrize(
    ("package", "told"),
    [
        (
            _python("it"),
            "it 1.0: its files do not say its licence; read them and write it below [python]",
        ),
        (
            _debian("it"),
            "it 1.0: its files do not say its licence; read them and write it below [debian]",
        ),
        (
            _python("it", "AGPL-3.0-only"),
            f"it 1.0: AGPL-3.0-only {NOT_PERMITTED}",
        ),
        (
            _python("it", "MIT AND GPL-3.0-or-later"),
            f"it 1.0: GPL-3.0-or-later {NOT_PERMITTED}",
        ),
        (
            _python("it", "BSD License"),
            "it 1.0: 'BSD License' is no SPDX expression; "
            "read its files and write one below [python]",
        ),
        (
            _debian("it", "GPL-2", text=AFFERO),
            "it 1.0: its copyright names the AGPL; read it and write what holds below [debian]",
        ),
    ],
)
def test_what_is_not_is_refused(package: Package, told: str) -> None:
    assert _refusal(package) == told


def test_every_package_that_is_refused_is_named() -> None:
    with pytest.raises(Refused) as refused:
        licences.judge([_python("b"), _debian("a")], REVIEW)

    assert [line.split()[0] for line in str(refused.value).splitlines()[1:]] == ["a", "b"]


def test_the_review_of_the_repository_has_identifiers_of_spdx_alone() -> None:
    review = licences.Review.of()
    known = {_python(name, name) for name in review.permitted}
    reviewed = {_python(name) for name in review.python}

    assert licences.judge(sorted(known | reviewed), review)
    assert all(isinstance(names, list) for names in review.debian.values()), (
        "quote names with a dot"
    )


def test_the_listing_has_a_line_for_each_package() -> None:
    judged = licences.judge([_debian("it", "GPL-2+", "MIT"), _python("odd")], REVIEW)

    assert licences.listing({"runtime": judged}).splitlines()[-3:] == [
        "runtime",
        "  deb   it 1.0  GPL-2+, MIT",
        "  pypi  odd 1.0  MIT",
    ]
