"""The images that `scripts/images` wrote: what is in them, and that their programs start.

Needs no cluster. The programs run in the unpacked image as the user of the image, who may not
write there; changing the root folder is for root alone.
"""

import json
import os
import re
import shutil
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PARTS = ("operator", "runtime", "example")
USER = 65532
# Looked for here: the image's own PATH need not have it.
CHROOT = shutil.which("chroot") or "/usr/sbin/chroot"
WHITEOUT = ".wh."
# Interpreters and package managers besides Python, and what a shell would start.
TOOLS = re.compile(
    r"(.*/)?s?bin/(ba|da|z|k|c|a)?sh|(.*/)?s?bin/(busybox|perl|awk|apt|apt-get|dpkg|rpm|apk|env|cat|ls)"
    r"|(.*/)?s?bin/(mount|su|sudo|wget|curl|openssl)"
)
# Programs and packages that build other programs. A Route's pod builds nothing.
BUILDERS = re.compile(
    r".*("
    r"bin/(pip|gcc|cc|g\+\+|make|ld|as|cargo|rustc|hatchling|uv)[0-9.]*"
    r"|(site|dist)-packages/(pip|setuptools|wheel|hatchling|editables)(-[^/]*)?/.*"
    r"|lib/python3[.0-9]*/ensurepip/.*|share/python-wheels/.*"
    r")"
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change the root folder")


@dataclass(frozen=True, slots=True)
class Image:
    """An image, unpacked."""

    part: str
    tags: list[str]
    config: dict[str, Any]
    root: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program in the image, as its user and with its environment alone."""
        return subprocess.run(
            [CHROOT, f"--userspec={USER}:{USER}", self.root, *command],
            env=dict(pair.split("=", 1) for pair in self.config["Env"]),
            capture_output=True,
            text=True,
            timeout=30,
        )

    def files(self) -> Iterator[Path]:
        """All files, as they are called within the image."""
        for folder, _, names in os.walk(self.root):
            for name in names:
                yield Path(folder, name).relative_to(self.root)


def archive(part: str) -> Path:
    """Where `scripts/images` leaves the image."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    cache = Path(os.environ.get("ISTHMUS_CACHE") or Path(caches, "isthmus"))
    return cache / "images" / f"{part}.tar"


def unpack(part: str, root: Path) -> Image:
    """Put the layers of an image on top of each other."""
    assert archive(part).is_file(), f"{archive(part)} is not there; run: make images"
    with tarfile.open(archive(part)) as whole:
        (manifest,) = _json(whole, "manifest.json")
        for name in manifest["Layers"]:
            with tarfile.open(fileobj=whole.extractfile(name)) as layer:
                _lay(layer, root)
        return Image(part, manifest["RepoTags"], _json(whole, manifest["Config"])["config"], root)


def _lay(layer: tarfile.TarFile, root: Path) -> None:
    members = layer.getmembers()
    for member in members:
        path = Path(member.name)
        if path.name.startswith(WHITEOUT):
            gone = root / path.with_name(path.name.removeprefix(WHITEOUT))
            subprocess.run(["rm", "-rf", gone], check=True)
    kept = [each for each in members if not Path(each.name).name.startswith(WHITEOUT)]
    # As it is in the image, rights included. Python has only known of filters since 3.11.4, and
    # uses another one without being asked since 3.14.
    layer.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)
    layer.extractall(root, [each for each in kept if not each.isdev()])  # noqa: S202 - our own


def _json(archive: tarfile.TarFile, name: str) -> Any:
    file = archive.extractfile(name)
    assert file is not None
    return json.load(file)


@pytest.fixture(scope="module", params=PARTS)
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Each of the images in turn."""
    root = tmp_path_factory.mktemp(request.param)
    root.chmod(0o755)
    return unpack(request.param, root)


def test_it_is_called_as_the_manifests_call_it(image: Image) -> None:
    assert image.tags == [f"localhost/isthmus-{image.part}:dev"]


def test_its_user_has_a_number_and_no_rights(image: Image) -> None:
    """A name instead would keep the kubelet from telling that it is not root."""
    assert image.config["User"].split(":")[0] == str(USER)


def test_nothing_in_it_builds_programs(image: Image) -> None:
    assert [str(each) for each in image.files() if BUILDERS.fullmatch(str(each))] == []


def test_there_is_no_shell_and_no_program_but_python(image: Image) -> None:
    programs = {each.name for each in image.files() if each.parent.name in ("bin", "sbin")}
    ours = {each.name for each in image.files() if each.parts[:3] == ("opt", "isthmus", "bin")}

    assert [str(each) for each in image.files() if TOOLS.fullmatch(str(each))] == []
    assert {name for name in programs - ours if not name.startswith("python3")} == set()


def test_no_program_takes_the_rights_of_its_owner(image: Image) -> None:
    modes = {each: (image.root / each).lstat().st_mode for each in image.files()}

    assert [str(each) for each, mode in modes.items() if mode & (stat.S_ISUID | stat.S_ISGID)] == []


def test_scanners_find_the_debian_packages_of_its_files_with_their_licences(image: Image) -> None:
    """As they look into images that have no package manager."""
    stanzas = {path.name: path for path in (image.root / "var/lib/dpkg/status.d").iterdir()}
    terms = image.root / "usr/share/doc"

    assert {"libc6", "libssl3", "libpython3.11-stdlib", "ca-certificates"} < stanzas.keys()
    for name, path in stanzas.items():
        assert path.read_text().startswith(f"Package: {name}\n")
        assert (terms / name / "copyright").is_file(), name


@needs_root
def test_every_library_that_its_programs_ask_for_is_in_it(image: Image) -> None:
    """The loader itself tells; it is asked without a shell, too."""
    compiled = [each for each in image.files() if re.search(r"\.so(\.|$)", each.name)]
    missing = {}
    for each in compiled:
        told = image.run("/lib64/ld-linux-x86-64.so.2", "--list", f"/{each}").stdout
        if "not found" in told:
            missing[str(each)] = told

    assert len(compiled) > 50
    assert missing == {}


@needs_root
@pytest.mark.parametrize(
    ("image", "names"),
    [
        ("runtime", "isthmus_runtime isthmus_api alembic awscrt cryptography.x509 oauthlib.oauth1"),
        ("operator", "isthmus_operator isthmus_api kopf uvloop"),
        ("example", "uvicorn starlette.applications httpx"),
    ],
    indirect=["image"],
)
def test_every_module_of_ours_can_be_imported(image: Image, names: str) -> None:
    """Parts of Python's own library are left out; none of those is asked for."""
    script = f"""
import importlib, pkgutil
for name in {names.split()}:
    package = importlib.import_module(name)
    if name.startswith("isthmus"):
        for found in pkgutil.walk_packages(package.__path__, name + "."):
            if not found.name.endswith(("__main__", ".env", ".jsonata2py_engine")):
                importlib.import_module(found.name)
"""
    ended = image.run("python", "-c", script)

    assert ended.returncode == 0, ended.stderr


@needs_root
def test_authorities_are_in_it_where_python_looks_for_them(image: Image) -> None:
    script = (
        "import os, ssl; paths = ssl.get_default_verify_paths();"
        "context = ssl.create_default_context(cafile='/etc/ssl/certs/ca-certificates.crt');"
        "print(len(context.get_ca_certs()), len(os.listdir(paths.capath)))"
    )
    loaded, hashed = map(int, image.run("python", "-c", script).stdout.split())

    assert loaded > 100
    assert hashed > loaded


@needs_root
def test_its_user_can_write_where_temporary_files_go(image: Image) -> None:
    ended = image.run("python", "-c", "import tempfile; tempfile.TemporaryFile().write(b'x')")

    assert ended.returncode == 0, ended.stderr


def test_its_user_owns_nothing_and_no_file_of_ours_is_open_to_all(image: Image) -> None:
    ours = [each for each in image.files() if each.parts[0] == "opt"]
    states = {each: (image.root / each).lstat() for each in ours}
    writable = [
        str(each)
        for each, state in states.items()
        if state.st_uid == USER or (state.st_mode & 0o022 and not stat.S_ISLNK(state.st_mode))
    ]

    assert ours
    assert writable == []


def test_what_it_imports_is_compiled_and_does_not_look_at_clocks(image: Image) -> None:
    """PEP 552: flags 1 mean that the file is valid whatever the time of its source is."""
    compiled = [
        image.root / each
        for each in image.files()
        if each.suffix == ".pyc" and "isthmus_" in str(each)
    ]

    assert compiled or image.part == "example"
    assert {path.read_bytes()[4:8] for path in compiled} <= {b"\x01\x00\x00\x00"}


def test_no_settings_of_who_built_it_are_in_it(image: Image) -> None:
    """They may name a package index of a company, and how to sign in there."""
    settings = {"pip.conf", "pip.ini", ".netrc", ".pypirc"}

    assert [str(each) for each in image.files() if each.name in settings] == []


@needs_root
def test_python_is_on_the_path_and_does_nothing_when_told(image: Image) -> None:
    """The Route's pod has an init container that does just this."""
    ended = image.run("python", "-c", "")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@needs_root
def test_python_cannot_be_extended_in_it(image: Image) -> None:
    ended = image.run("python", "-m", "pip", "--version")

    assert ended.returncode == 1
    assert "No module named pip" in ended.stderr


@needs_root
@pytest.mark.parametrize("image", ["runtime"], indirect=True)
def test_the_runtime_without_a_plan_says_so_in_one_line(image: Image) -> None:
    ended = image.run(*image.config["Entrypoint"])

    wanted = "the plan /etc/isthmus/plan.json cannot be read: No such file or directory"
    assert ended.stderr == f"isthmus-runtime: {wanted}; set ISTHMUS_PLAN\n"
    assert ended.returncode == 2


@needs_root
@pytest.mark.parametrize("image", ["operator"], indirect=True)
def test_the_operator_has_no_second_client_of_the_api_server(image: Image) -> None:
    """kopf would take its settings from the official client, were it there."""
    ended = image.run("python", "-c", "import kopf, isthmus_operator.edge; import kubernetes")

    assert ended.stderr.splitlines()[-1] == "ModuleNotFoundError: No module named 'kubernetes'"


@needs_root
@pytest.mark.parametrize("image", ["example"], indirect=True)
@pytest.mark.parametrize("service", ["search", "erp", "shop"])
def test_the_example_starts_the_service_that_it_is_told(image: Image, service: str) -> None:
    program = f"{image.config['WorkingDir']}/{service}.py"
    ended = image.run(*image.config["Entrypoint"], program, "--help")

    assert ended.returncode == 0, ended.stderr
    assert f"usage: {service}" in ended.stdout
