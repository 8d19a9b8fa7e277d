"""Files made of the repository alone: wheels, the CRDs in one file, the manual."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from . import archives
from .edition import PROJECTS, ROOT, Edition


def packages(target: Path, edition: Edition) -> None:
    """A wheel and a source archive of each of our packages."""
    for project in PROJECTS:
        _python(
            "-m",
            "hatchling",
            "build",
            "--directory",
            target,
            folder=ROOT / project,
            edition=edition,
        )


def definitions(target: Path, edition: Edition) -> None:
    """All CustomResourceDefinitions, for `kubectl apply --server-side`."""
    files = sorted((ROOT / "crds").glob("*.yaml"))
    text = "---\n".join(file.read_text("utf-8").removeprefix("---\n") for file in files)
    (target / f"isthmus-crds-{edition.version}.yaml").write_text(text, "utf-8")


def manual(target: Path, edition: Edition) -> None:
    """Pages for man and completions for shells, laid out as below /usr/local/share."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        _python("-m", "isthmus_cli.manual.man", folder / "man/man1", folder=ROOT, edition=edition)
        for shell, path in {
            "bash": "bash-completion/completions/isthmus",
            "fish": "fish/vendor_completions.d/isthmus.fish",
            "zsh": "zsh/site-functions/_isthmus",
        }.items():
            (folder / path).parent.mkdir(parents=True)
            command = ("-c", "from isthmus_cli.main import main; main()", "completion", shell)
            script = _python(*command, folder=ROOT, edition=edition)
            (folder / path).write_text(script, "utf-8")
        archives.gzipped(
            target / f"isthmus-manual-{edition.version}.tgz",
            folder,
            below="share",
            epoch=edition.epoch,
        )


def _python(*arguments: str | Path, folder: Path, edition: Edition) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"SOURCE_DATE_EPOCH": str(edition.epoch), "HATCH_QUIET": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout
