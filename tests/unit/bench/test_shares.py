"""A share of a core: processes that are held to it, and nothing that stays."""

import subprocess
import sys
from pathlib import Path

import pytest

import shares

BUSY = "import time; end = time.monotonic() + 1\nwhile time.monotonic() < end: pass"


def groups() -> set[Path]:
    return {
        folder
        for root in (shares.ROOT, shares.ROOT / "cpu")
        for folder in root.glob("isthmus-bench-*")
    }


def throttled(folder: Path) -> int:
    """How often the kernel made the group wait."""
    lines = dict(line.split() for line in (folder / "cpu.stat").read_text().splitlines())
    return int(lines["nr_throttled"])


def test_a_process_is_held_to_its_share_and_the_group_goes() -> None:
    before = groups()
    try:
        with shares.group(0.1) as hold:
            [made] = groups() - before
            process = subprocess.Popen([sys.executable, "-c", BUSY])
            hold(process.pid)
            process.wait()
            waited = throttled(made)
    except shares.NoSharesError as missing:
        pytest.skip(str(missing))

    assert waited > 0
    assert groups() == before


def test_without_cgroups_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shares, "ROOT", tmp_path / "nothing")

    with pytest.raises(shares.NoSharesError, match="no share"), shares.group(0.5):
        pass


def test_a_kernel_that_does_not_count_processor_time_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cpu").touch()  # no folder: version 2
    monkeypatch.setattr(shares, "ROOT", tmp_path)
    monkeypatch.setattr(Path, "write_text", _refuses)

    with pytest.raises(shares.NoSharesError), shares.group(0.5):
        pass

    assert not list(tmp_path.glob("isthmus-bench-*"))


def _refuses(_: Path, text: str) -> int:
    raise PermissionError(13, text)
