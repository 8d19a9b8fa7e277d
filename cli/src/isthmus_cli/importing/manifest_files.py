"""Files of manifests that are made: what is in them, and that none is overwritten unasked."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click
import yaml


def text(manifests: Iterable[dict[str, Any]], head: str) -> str:
    """Manifests as YAML below a line that says where they come from."""
    documents = (
        yaml.safe_dump(each, sort_keys=False, allow_unicode=True, width=100) for each in manifests
    )
    return f"# {' '.join(head.split())}\n" + "---\n".join(documents)


def write(files: Mapping[Path, str], *, force: bool) -> None:
    """Write all files, or none where one is there already."""
    present = [str(path) for path in files if path.exists()]
    if present and not force:
        raise click.UsageError(f"{', '.join(present)} is there already; --force overwrites it")
    for path, content in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
        except OSError as error:
            raise click.UsageError(f"{path} cannot be written: {error.strerror}") from error
