"""Bills of materials (CycloneDX 1.6): of each image, and of the release."""

import json
import re
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from . import sums
from .edition import ROOT, Edition
from .images import Image
from .licences import Licensed

# Serial numbers are made of what a bill is about, so that the same release has the same ones.
_NAMESPACE: Final = uuid.UUID("7f6a4c1e-6a0e-4b57-9c52-0d5b0c1f3a77")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def of_image(image: Image, packages: list[Licensed], edition: Edition) -> str:
    """What one image consists of. A package that was fetched as a wheel has its hash."""
    fetched = _wheels(image.wheels)
    return _bill(
        _container(image, edition), [_component(each, fetched) for each in packages], edition
    )


def of_release(target: Path, images: list[Image], edition: Edition) -> str:
    """The files of the release, its images, and what the command line is installed with."""
    subject = Component(
        name="isthmus",
        version=edition.version,
        type=ComponentType.APPLICATION,
        bom_ref="release",
        licenses=[LicenseExpression("Apache-2.0")],
    )
    parts = [
        _file(path) for path in sorted(target.iterdir()) if path.suffix in {".whl", ".tgz", ".gz"}
    ]
    parts += [_container(image, edition) for image in images]
    return _bill(subject, [*parts, *_pinned()], edition)


def _bill(subject: Component, parts: list[Component], edition: Edition) -> str:
    serial = uuid.uuid5(_NAMESPACE, f"{edition} {subject.name} {subject.version} {subject.purl}")
    time = datetime.fromtimestamp(edition.epoch, UTC)
    bill = Bom(
        components=parts,
        serial_number=serial,
        metadata=BomMetaData(component=subject, timestamp=time),
    )
    bill.register_dependency(subject, parts)
    # Through json, since the library sorts keys of some objects and not of others.
    made = json.loads(JsonV1Dot6(bill).output_as_string())
    return json.dumps(made, indent=1, sort_keys=True) + "\n"


def _container(image: Image, edition: Edition) -> Component:
    purl = PackageURL("oci", None, image.name, image.digest, {"tag": edition.version})
    return Component(
        name=image.name,
        version=edition.version,
        type=ComponentType.CONTAINER,
        bom_ref=purl.to_string(),
        purl=purl,
        hashes=[_sha256(image.digest.removeprefix("sha256:"))],
    )


def _component(licensed: Licensed, fetched: dict[str, str]) -> Component:
    package = licensed.package
    names = licensed.names
    if package.kind == "deb":
        qualifiers = {"arch": package.architecture, "distro": "bookworm"}
        purl = PackageURL("deb", "debian", package.name, package.version, qualifiers)
        return Component(
            name=package.name,
            version=package.version,
            bom_ref=purl.to_string(),
            purl=purl,
            licenses=[DisjunctiveLicense(name=name) for name in names],
        )
    purl = PackageURL("pypi", None, _normal(package.name), package.version)
    hashed = fetched.get(f"{_normal(package.name)}-{package.version}")
    return Component(
        name=package.name,
        version=package.version,
        bom_ref=purl.to_string(),
        purl=purl,
        licenses=[LicenseExpression(names[0])],
        hashes=[_sha256(hashed)] if hashed else [],
    )


def _file(path: Path) -> Component:
    return Component(
        name=path.name,
        type=ComponentType.FILE,
        bom_ref=path.name,
        hashes=[_sha256(sums.sha256(path))],
    )


def _pinned() -> Iterable[Component]:
    """What requirements/run.txt pins: the command line is installed with it."""
    for name, version in _PIN.findall((ROOT / "requirements/run.txt").read_text("utf-8")):
        purl = PackageURL("pypi", None, _normal(name), version)
        yield Component(name=name, version=version, bom_ref=purl.to_string(), purl=purl)


def _wheels(folder: Path) -> dict[str, str]:
    """The hash of each wheel, by `name-version`."""
    found = {}
    for path in sorted(folder.glob("*.whl")):
        name, version, *_ = path.name.split("-")
        found[f"{_normal(name)}-{version}"] = sums.sha256(path)
    return found


def _normal(name: str) -> str:
    """The name as package indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _sha256(value: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=value)
