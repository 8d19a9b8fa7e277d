"""What a release would tell of the images of this machine: their packages, licences and bills.

Needs no cluster. Versions are not held against images/debian.lock here: Debian serves others from
one day to the next, and those who make a release look at them.
"""

import os
import subprocess

import cyclonedx_schema
import pytest

from release import assembly, bills, edition, images, layers, licences
from release.images import Image
from release.inventory import Package

EDITION = edition.Edition(edition.version(), 1_700_000_000)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Image]:
    """The images as OCI layouts."""
    folder = tmp_path_factory.mktemp("layouts")
    subprocess.run(
        [edition.ROOT / "scripts/images", *images.PARTS],
        env=os.environ | {"OCI": str(folder)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return [Image(part, folder / part, folder / "no-wheels") for part in images.PARTS]


@pytest.fixture(scope="module")
def present(built: list[Image]) -> dict[str, list[Package]]:
    """The packages of each image."""
    return assembly.packages(built)


def test_somebody_has_reviewed_the_licence_of_every_package(
    present: dict[str, list[Package]],
) -> None:
    review = licences.Review.of()
    judged = {part: licences.judge(packages, review) for part, packages in present.items()}

    kinds = {part: {each.package.kind for each in found} for part, found in judged.items()}
    assert kinds == {"operator": {"deb", "pypi"}, "runtime": {"deb", "pypi"}, "postgres": {"deb"}}


def test_bills_of_materials_are_as_the_format_says(
    built: list[Image], present: dict[str, list[Package]]
) -> None:
    review = licences.Review.of()
    for image in built:
        judged = licences.judge(present[image.part], review)

        assert cyclonedx_schema.errors(bills.of_image(image, judged, EDITION)) == []


def test_all_files_of_python_packages_belong_to_one_that_is_told_of(built: list[Image]) -> None:
    """What is in the virtual environment came with metadata, and so with a licence."""
    runtime = next(image for image in built if image.part == "runtime")
    installed = "opt/isthmus/lib/python3.11/site-packages/"
    found = layers.files(runtime.layout, lambda path: path.startswith(installed))
    recorded = {
        line.rsplit(",", 2)[0]
        for path, content in found.items()
        if path.endswith(".dist-info/RECORD")
        for line in content.decode().splitlines()
    }

    names = (path.removeprefix(installed) for path in found)
    assert {name for name in names if name not in recorded and "__pycache__" not in name} == set()


def test_nothing_in_them_tells_when_where_or_by_whom_they_were_made(built: list[Image]) -> None:
    """Such files would differ from one build to the next, or name a mirror."""
    telling = (
        *("etc/hostname", "etc/resolv.conf", "etc/apt/sources.list", "var/log/", "var/cache/"),
        *("etc/machine-id", "etc/ssl/private/", "var/lib/apt/lists/"),
    )
    for image in built:
        files = layers.files(image.layout, lambda path: path.startswith(telling))

        assert {path for path, content in files.items() if content} == set()
