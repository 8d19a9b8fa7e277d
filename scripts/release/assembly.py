"""Puts all files of a release into one folder."""

import shutil
import tempfile
from pathlib import Path

from . import bills, charts, images, inventory, layers, licences, lock, sources, sums
from .edition import Edition


def assemble(target: Path, edition: Edition, parts: tuple[str, ...]) -> None:
    """Make a release with these images in an empty folder; SHA256SUMS is written last."""
    target.mkdir(parents=True)
    sources.packages(target, edition)
    sources.definitions(target, edition)
    sources.manual(target, edition)
    charts.all_charts(target, edition)
    with tempfile.TemporaryDirectory(prefix="isthmus-release-") as work:
        built = images.build(parts, edition, Path(work))
        if built:
            _add_images(target, edition, built)
        _write(target / _bill_name("isthmus", edition), bills.of_release(target, built, edition))
    sums.write(target)


def _add_images(target: Path, edition: Edition, built: list[images.Image]) -> None:
    present = packages(built)
    lock.hold(present, lock.LOCK.read_text("utf-8"))
    review = licences.Review.of()
    judged = {part: licences.judge(found, review) for part, found in present.items()}
    images.write(built, target, edition)
    for image in built:
        bill = bills.of_image(image, judged[image.part], edition)
        _write(target / _bill_name(image.name, edition), bill)
    _write(target / "LICENSES.txt", licences.listing(judged))


def packages(built: list[images.Image]) -> dict[str, list[inventory.Package]]:
    """What each image consists of, by its part."""
    return {
        image.part: inventory.packages(layers.files(image.layout, inventory.wanted))
        for image in built
    }


def write_lock(edition: Edition, parts: tuple[str, ...]) -> None:
    """Write images/debian.lock anew."""
    with tempfile.TemporaryDirectory(prefix="isthmus-release-") as work:
        built = images.build(parts, edition, Path(work))
        lock.LOCK.write_text(lock.text(packages(built)), "utf-8")


def replace(target: Path, made: Path) -> None:
    """Put a folder in the place of another one."""
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(made, target)


def _bill_name(name: str, edition: Edition) -> str:
    return f"{name}-{edition.version}.cdx.json"


def _write(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")
