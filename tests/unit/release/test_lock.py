"""Versions of Debian's packages, held against those that were looked at."""

import pytest

from release import lock
from release.edition import Refused
from release.inventory import Package

PACKAGES = {
    "runtime": [Package("deb", "libc6", "2.36-9"), Package("pypi", "orjson", "3")],
    "postgres": [Package("deb", "bash", "5.2")],
}


def test_the_same_versions_hold() -> None:
    lock.hold(PACKAGES, lock.text(PACKAGES))


def test_images_that_are_not_made_are_not_missed() -> None:
    lock.hold({"runtime": PACKAGES["runtime"]}, lock.text(PACKAGES))


def test_what_changed_came_or_went_is_told() -> None:
    served = {
        "runtime": [Package("deb", "libc6", "2.36-10"), Package("deb", "new", "1")],
        "postgres": [],
    }

    with pytest.raises(Refused, match="make lock-images") as refused:
        lock.hold(served, lock.text(PACKAGES))

    assert str(refused.value).splitlines()[1:] == [
        "  - postgres bash 5.2",
        "  - runtime libc6 2.36-9",
        "  + runtime libc6 2.36-10",
        "  + runtime new 1",
    ]
