"""Charts as packages that Helm installs, without Helm's own time stamps."""

from pathlib import Path

import yaml

from . import archives
from .edition import ROOT, Edition


def all_charts(target: Path, edition: Edition) -> None:
    """Each chart of the repository as NAME-VERSION.tgz."""
    for file in sorted(ROOT.glob("charts/*/Chart.yaml")):
        chart = yaml.safe_load(file.read_text("utf-8"))
        name = f"{chart['name']}-{chart['version']}.tgz"
        archives.gzipped(target / name, file.parent, below=chart["name"], epoch=edition.epoch)
