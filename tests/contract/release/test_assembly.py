"""A release without its images: made twice it is the same, and the tools that it is for take it."""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import cyclonedx_schema
import pytest
from control_plane import ControlPlane
from helm import CHART, ROOT, Helm

from release import assembly, sums
from release.edition import Edition, version

EDITION = Edition(version(), 1_700_000_000)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release."""
    folder = tmp_path_factory.mktemp("release") / "first"
    assembly.assemble(folder, EDITION, ())
    return folder


@pytest.fixture
def other_habits() -> Iterator[None]:
    """Somebody else's time zone, language and rights of new files."""
    before = {name: os.environ.get(name) for name in ("TZ", "LC_ALL", "PYTHONHASHSEED")}
    os.environ.update(TZ="Pacific/Apia", LC_ALL="C", PYTHONHASHSEED="17")
    mask = os.umask(0o077)
    yield
    os.umask(mask)
    for name, value in before.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


@pytest.mark.usefixtures("other_habits")
def test_made_again_it_is_the_same_bytes(release: Path, tmp_path: Path) -> None:
    assembly.assemble(tmp_path / "second", EDITION, ())

    assert sums.read(tmp_path / "second") == sums.read(release)


def test_its_checksums_are_those_of_all_files(release: Path) -> None:
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", sums.NAME], cwd=release, check=False
    )

    assert checked.returncode == 0
    assert sums.read(release).keys() | {sums.NAME} == {path.name for path in release.iterdir()}


def test_the_command_line_runs_from_its_wheels(release: Path, tmp_path: Path) -> None:
    install = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", tmp_path)
    subprocess.run(
        [sys.executable, *install, "--disable-pip-version-check", *sorted(release.glob("*.whl"))],
        check=True,
    )
    script = "import isthmus_cli.main as it; print(it.__file__); it.main()"
    ran = subprocess.run(
        [sys.executable, "-c", script, "version"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    where, told = ran.stdout.splitlines()[:2]
    assert Path(where).is_relative_to(tmp_path)
    assert version() in told


def test_wheels_of_source_archives_have_the_same_files(release: Path, tmp_path: Path) -> None:
    for archive in sorted(release.glob("*.tar.gz")):
        subprocess.run(["tar", "-xf", archive, "-C", tmp_path], check=True)
    build = ("-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation")
    folders = sorted(path for path in tmp_path.iterdir() if path.is_dir())
    subprocess.run(
        [sys.executable, *build, "--wheel-dir", tmp_path / "wheels", *folders],
        env=os.environ | {"SOURCE_DATE_EPOCH": str(EDITION.epoch)},
        check=True,
    )

    made = {path.name: sums.sha256(path) for path in (tmp_path / "wheels").iterdir()}
    assert made == {path.name: sums.sha256(path) for path in release.glob("*.whl")}


def test_helm_renders_the_package_as_it_renders_the_folder(release: Path, tmp_path: Path) -> None:
    helm = Helm(tmp_path)
    render = ("template", "it", "--set=runtime.image.tag=dev")
    package = release / f"isthmus-{version()}.tgz"

    assert helm(*render, package) == helm(*render, CHART)
    assert version() in helm("show", "chart", package)


def test_an_api_server_takes_the_definitions(release: Path) -> None:
    with ControlPlane() as plane:
        file = release / f"isthmus-crds-{version()}.yaml"
        plane.kubectl("apply", "--server-side", f"--filename={file}")
        plane.until_established()
        names = plane.kubectl("get", "crds", "--output=name").stdout.split()

    assert len(names) == len(list((ROOT / "crds").glob("*.yaml")))


def test_the_bill_of_materials_is_as_the_format_says(release: Path) -> None:
    text = (release / f"isthmus-{version()}.cdx.json").read_text("utf-8")
    parts = {part["name"] for part in json.loads(text)["components"]}

    assert cyclonedx_schema.errors(text) == []
    assert {path.name for path in release.glob("*.whl")} < parts
    assert {"pydantic", "click"} < parts


def test_the_manual_has_pages_and_completions(release: Path) -> None:
    with tarfile.open(release / f"isthmus-manual-{version()}.tgz") as archive:
        names = set(archive.getnames())

    assert {
        "share/man/man1/isthmus.1",
        "share/bash-completion/completions/isthmus",
        "share/fish/vendor_completions.d/isthmus.fish",
        "share/zsh/site-functions/_isthmus",
    } < names
