"""Texts of manifests that are made."""

from collections.abc import Iterable
from typing import Any

import yaml


def text(manifests: Iterable[dict[str, Any]], head: str) -> str:
    """Manifests as YAML below a line that says where they come from."""
    documents = (
        yaml.safe_dump(each, sort_keys=False, allow_unicode=True, width=100) for each in manifests
    )
    return f"# {' '.join(head.split())}\n" + "---\n".join(documents)
