"""kstatus, by which Flux, Helm and kpt wait for objects."""

import json
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

BUILD = Path(__file__).parents[1] / "cluster/build"


@cache
def program() -> Path:
    """The program that asks the library; built the first time."""
    built = subprocess.run([BUILD, "kstatus"], stdout=subprocess.PIPE, text=True, check=True)
    return Path(built.stdout.splitlines()[-1]) / "kstatus"


def statuses(objects: Sequence[dict[str, Any]], folder: Path) -> list[str]:
    """What it computes of objects, one by one; `folder` is a place for their files."""
    files = [folder / f"{number}.json" for number in range(len(objects))]
    for file, each in zip(files, objects, strict=True):
        file.write_text(json.dumps(each))
    told = subprocess.run([program(), *files], capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    return [line.partition("\t")[0] for line in told.stdout.splitlines()]
