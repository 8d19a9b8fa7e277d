"""Two releases, compared."""

from pathlib import Path

import pytest

from release import check, sums
from release.edition import Refused


def _release(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    sums.write(folder)
    return folder


def test_the_same_files_pass(tmp_path: Path) -> None:
    check.compare(_release(tmp_path / "1", a="1"), _release(tmp_path / "2", a="1"))


def test_files_that_differ_or_that_one_of_them_lacks_are_named(tmp_path: Path) -> None:
    first = _release(tmp_path / "1", same="1", changed="1", gone="1")
    second = _release(tmp_path / "2", same="1", changed="2", new="1")

    with pytest.raises(Refused) as refused:
        check.compare(first, second)

    assert str(refused.value).splitlines()[1:] == ["  changed", "  gone", "  new"]
