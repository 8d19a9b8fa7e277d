"""Archives that are the same whenever their files are: sorted, of one time, of nobody."""

import gzip
import tarfile
from collections.abc import Iterator
from pathlib import Path


def gzipped(target: Path, folder: Path, *, below: str, epoch: int) -> None:
    """All files of a folder as a .tgz, in which they are in the folder `below`."""
    with (
        target.open("wb") as file,
        # The name of the file and the time of packing would be in the header otherwise.
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        _add(archive, folder, f"{below}/", epoch)


def plain(target: Path, folder: Path, *, epoch: int) -> None:
    """All files of a folder as a .tar."""
    with tarfile.open(target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        _add(archive, folder, "", epoch)


def _add(archive: tarfile.TarFile, folder: Path, prefix: str, epoch: int) -> None:
    for path in _files(folder):
        member = tarfile.TarInfo(prefix + path.relative_to(folder).as_posix())
        state = path.stat()
        member.size = state.st_size
        member.mode = 0o755 if state.st_mode & 0o100 else 0o644
        member.mtime = epoch
        with path.open("rb") as content:
            archive.addfile(member, content)


def _files(folder: Path) -> Iterator[Path]:
    found = (path for path in folder.rglob("*") if path.is_file())
    yield from sorted(found, key=lambda path: path.relative_to(folder).as_posix())
