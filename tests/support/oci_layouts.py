"""OCI layouts of images that tests make up."""

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Layer = dict[str, bytes | str]
"""By path: the content of a file, or what a link leads to. `.wh.` marks as in the format itself."""


def write(folder: Path, layers: Sequence[Layer]) -> str:
    """Write an image with these layers; the digest of its manifest."""
    digests = [_blob(folder, _tar(layer)) for layer in layers]
    manifest = {"schemaVersion": 2, "layers": [{"digest": digest} for digest in digests]}
    digest = _blob(folder, _json(manifest))
    (folder / "index.json").write_bytes(_json({"manifests": [{"digest": digest}]}))
    (folder / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    return digest


def debian(name: str, terms: str, version: str = "1.0-1") -> Layer:
    """A Debian package as an image without dpkg tells of it."""
    stanza = (
        f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n"
    )
    return {
        f"var/lib/dpkg/status.d/{name}": stanza.encode(),
        f"usr/share/doc/{name}/copyright": terms.encode(),
    }


def python(name: str, *headers: str, version: str = "1.0") -> Layer:
    """A Python package with headers beside its name and its version."""
    lines = ("Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *headers)
    folder = f"opt/isthmus/lib/python3.11/site-packages/{name}-{version}.dist-info"
    return {f"{folder}/METADATA": "\n".join((*lines, "", "What it is.")).encode()}


def _tar(layer: Layer) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for path, content in layer.items():
            member = tarfile.TarInfo(path)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return made.getvalue()


def _blob(folder: Path, content: bytes) -> str:
    value = hashlib.sha256(content).hexdigest()
    target = folder / "blobs/sha256" / value
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return f"sha256:{value}"


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
