"""Reads files of an image from its OCI layout, without unpacking it."""

import json
import posixpath
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

_GONE = ".wh."
_ALL_GONE = ".wh..wh..opq"


def files(layout: Path, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """The content of files by path, which has no slash in front.

    A file in a folder that others link to is there by those names, too.
    """
    found: dict[str, bytes] = {}
    links: dict[str, str] = {}
    index = json.loads((layout / "index.json").read_text("utf-8"))
    manifest = json.loads(_blob(layout, index["manifests"][0]["digest"]).read_text("utf-8"))
    for layer in manifest["layers"]:
        with tarfile.open(_blob(layout, layer["digest"])) as archive:
            _lay(archive, found, links, wanted)
    return found | {
        other: content
        for link, target in links.items()
        for path, content in found.items()
        if path.startswith(f"{target}/") and wanted(other := link + path.removeprefix(target))
    }


def _lay(
    archive: tarfile.TarFile,
    found: dict[str, bytes],
    links: dict[str, str],
    wanted: Callable[[str], bool],
) -> None:
    """Put a layer on those below it."""
    for member in archive:
        path = PurePosixPath(posixpath.normpath(member.name))
        if path.name.startswith(_GONE):
            _remove(found, path)
        elif member.issym():
            target = posixpath.join("/", path.parent, member.linkname)
            links[str(path)] = posixpath.normpath(target).lstrip("/")
        elif member.isfile() and wanted(str(path)):
            content = archive.extractfile(member)
            found[str(path)] = content.read() if content else b""


def _remove(found: dict[str, bytes], mark: PurePosixPath) -> None:
    gone = mark.parent if mark.name == _ALL_GONE else mark.with_name(mark.name.removeprefix(_GONE))
    for path in [path for path in found if PurePosixPath(path).is_relative_to(gone)]:
        del found[path]


def _blob(layout: Path, digest: str) -> Path:
    algorithm, _, value = digest.partition(":")
    return layout / "blobs" / algorithm / value
