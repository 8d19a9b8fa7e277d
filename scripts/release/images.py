"""Images as OCI archives, and their digests."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

from . import archives
from .edition import ROOT, Edition

# Where the values of the chart have the image: `PATH.image.digest`.
VALUES = {
    "operator": (),
    "runtime": ("runtime",),
    "postgres": ("journal", "embedded"),
}
PARTS = tuple(VALUES)


@dataclass(frozen=True, slots=True)
class Image:
    """An image that was built."""

    part: str
    layout: Path
    """Its OCI layout: a folder."""
    wheels: Path
    """The wheels that were fetched for it, each by a pinned hash."""

    @property
    def name(self) -> str:
        """Its name in a registry, without the registry."""
        return f"isthmus-{self.part}"

    @property
    def digest(self) -> str:
        """`sha256:...` of the manifest, as a registry will say it."""
        index = json.loads((self.layout / "index.json").read_text("utf-8"))
        (manifest,) = index["manifests"]
        return str(manifest["digest"])


def build(parts: tuple[str, ...], edition: Edition, work: Path) -> list[Image]:
    """Build images anew, with nothing of earlier builds; what is left of it is in `work`."""
    if not parts:
        return []
    asked = {"ISTHMUS_CACHE": str(work), "TAG": edition.version, "OCI": str(work / "layouts")}
    subprocess.run(
        [ROOT / "scripts/images", *parts],
        env=os.environ | asked,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    context = work / "images/context/wheels"
    return [Image(part, work / "layouts" / part, context / part / "packages") for part in parts]


def write(images: list[Image], target: Path, edition: Edition) -> None:
    """Each image as an archive, and all digests: as a list, and as values of the chart."""
    for image in images:
        file = target / f"{image.name}-{edition.version}.oci.tar"
        archives.plain(file, image.layout, epoch=edition.epoch)
    lines = [f"{image.digest}  {image.name}:{edition.version}\n" for image in images]
    (target / "digests.txt").write_text("".join(lines), "utf-8")
    values = _values(images)
    text = f"# Images of Isthmus {edition.version} by digest: `helm install --values`.\n"
    (target / "values-digests.yaml").write_text(text + yaml.safe_dump(values), "utf-8")


def _values(images: list[Image]) -> dict[str, object]:
    values: dict[str, object] = {}
    for image in images:
        place: dict[str, object] = values
        for key in VALUES[image.part]:
            place = place.setdefault(key, {})  # type: ignore[assignment]
        place["image"] = {"digest": image.digest}
    return values
