"""What a release tells of its images; the images are made up."""

import json
from pathlib import Path

import cyclonedx_schema
import oci_layouts
import pytest
import yaml
from helm import CHART, Helm

from release import bills, images, inventory, layers, licences, sums
from release.edition import Edition
from release.images import Image

EDITION = Edition("1.2.3", 1_700_000_000)
REVIEW = licences.Review(frozenset({"MIT"}), {}, {})
WHEEL = "Typing_Extensions-1.0-py3-none-any.whl"


def _image(folder: Path, part: str) -> Image:
    made = [
        oci_layouts.debian("zlib1g", "License: Zlib\n"),
        oci_layouts.python("typing_extensions", "License-Expression: MIT"),
        oci_layouts.python("ours", "License-Expression: MIT"),
    ]
    oci_layouts.write(folder / part, made)
    (folder / "wheels").mkdir(exist_ok=True)
    (folder / "wheels" / WHEEL).write_text("a wheel")
    return Image(part, folder / part, folder / "wheels")


def _bill(image: Image) -> str:
    found = inventory.packages(layers.files(image.layout, inventory.wanted))
    return bills.of_image(image, licences.judge(found, REVIEW), EDITION)


def test_a_bill_of_materials_is_as_the_format_says(tmp_path: Path) -> None:
    assert cyclonedx_schema.errors(_bill(_image(tmp_path, "runtime"))) == []


def test_a_bill_names_every_package_its_licence_and_the_hash_of_its_wheel(tmp_path: Path) -> None:
    image = _image(tmp_path, "runtime")
    bill = json.loads(_bill(image))
    parts = {part["purl"]: part for part in bill["components"]}

    assert bill["metadata"]["component"]["purl"] == (
        f"pkg:oci/isthmus-runtime@{image.digest}?tag=1.2.3"
    )
    assert parts.keys() == {
        "pkg:deb/debian/zlib1g@1.0-1?arch=amd64&distro=bookworm",
        "pkg:pypi/typing-extensions@1.0",
        "pkg:pypi/ours@1.0",
    }
    fetched = parts["pkg:pypi/typing-extensions@1.0"]
    assert fetched["licenses"] == [{"expression": "MIT"}]
    assert [each["content"] for each in fetched["hashes"]] == [
        sums.sha256(tmp_path / "wheels" / WHEEL)
    ]


def test_a_bill_is_the_same_for_the_same_image(tmp_path: Path) -> None:
    image = _image(tmp_path, "runtime")

    assert _bill(image) == _bill(image)


@pytest.mark.parametrize("part", images.PARTS)
def test_the_chart_takes_the_digests_as_values(tmp_path: Path, part: str) -> None:
    made = [_image(tmp_path, each) for each in images.PARTS]
    target = tmp_path / "release"
    target.mkdir()
    images.write(made, target, EDITION)

    embedded = "--set=journal.embedded.enabled=true,journal.embedded.password=password-of-tests"
    values = f"--values={target}/values-digests.yaml"
    rendered = Helm(tmp_path)("template", "it", CHART, values, embedded)

    assert f"localhost/isthmus-{part}@{made[0].digest}" in rendered


def test_digests_are_listed(tmp_path: Path) -> None:
    image = _image(tmp_path, "operator")
    target = tmp_path / "release"
    target.mkdir()
    images.write([image], target, EDITION)

    assert (target / "digests.txt").read_text() == f"{image.digest}  isthmus-operator:1.2.3\n"
    values = yaml.safe_load((target / "values-digests.yaml").read_text())
    assert values == {"image": {"digest": image.digest}}
