"""Copy Python and what it needs to run to an empty folder, which becomes the root of an image.

    python3 lean.py FOLDER

`images/Containerfile` runs it in a container of the base, which is a Debian or made of one. No
shell, no package manager and no program but Python is in FOLDER. Which Debian packages its files
are of stands in `var/lib/dpkg/status.d`, one file a package, where scanners of images look; their
licences are in `usr/share/doc`. Of the same base it makes the same bytes.
"""

import compileall
import os
import shutil
import ssl
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from py_compile import PycInvalidationMode

# Of the standard library: what makes programs, shows windows, asks terminals, or tests Python.
LEFT_OUT = {
    *("__pycache__", "dist-packages", "site-packages"),
    *("curses", "distutils", "ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "tkinter"),
    *("turtle.py", "turtledemo", "venv"),
}
# Extension modules: besides those above, databases and systems that bring libraries of their own.
EXTENSIONS_LEFT_OUT = (
    *("_crypt", "_ctypes_test", "_curses", "_dbm", "_gdbm", "_test", "_tkinter", "_xx"),
    *("nis", "ossaudiodev", "readline", "xx"),
)
# Libraries that packages from wheels may ask of any system (PEP 599), or that libc loads by name.
LIBRARIES = (
    *("libgcc_s.so.1", "libstdc++.so.6", "libm.so.6", "libresolv.so.2"),
    *("libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1"),
)
# What libraries and Python read.
SETTINGS = (
    *("/etc/nsswitch.conf", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/mime.types"),
    *("/etc/os-release", "/etc/debian_version", "/etc/ssl/openssl.cnf", "/usr/lib/ssl"),
    *("/etc/ssl/certs/ca-certificates.crt", "/usr/share/common-licenses"),
)
EMPTY = ("dev", "proc", "run", "sys", "var/tmp", "tmp")
USERS = {
    "etc/passwd": "root:x:0:0::/:/nonexistent\nisthmus:x:65532:65532::/:/nonexistent\n",
    "etc/group": "root:x:0:\nisthmus:x:65532:\n",
}
DPKG = Path("/var/lib/dpkg")


class Root:
    """The folder that becomes the root of the image."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.placed: set[Path] = set()
        """Files and links, as they are called in the base, with no link among their folders."""

    def place(self, path: Path) -> None:
        """Copy a file, a folder with all that is below, or a link with what it leads to."""
        plain = path.parent.resolve() / path.name
        if plain in self.placed or not os.path.lexists(plain):
            return
        if plain.is_symlink():
            self._link(plain)
            self.place(plain.parent / plain.readlink())
        elif plain.is_dir():
            for inner in sorted(plain.iterdir()):
                self.place(inner)
        else:
            self._copy(plain)

    def write(self, path: str, text: str) -> None:
        """A file of our own."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")

    def _link(self, plain: Path) -> None:
        self.placed.add(plain)
        target = self._target(plain)
        if not target.is_symlink():
            target.symlink_to(plain.readlink())

    def _copy(self, plain: Path) -> None:
        self.placed.add(plain)
        shutil.copy2(plain, self._target(plain))

    def _target(self, plain: Path) -> Path:
        target = self.folder / plain.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        return target


def standard_library() -> Iterator[Path]:
    """The modules of Python, without those that are left out."""
    folder, extensions = sysconfig.get_path("stdlib"), sysconfig.get_config_var("DESTSHARED")
    for path in sorted(Path(folder).iterdir()):
        if path.name not in LEFT_OUT | {Path(extensions).name} and not path.name.startswith(
            "config-"
        ):
            yield from _sources(path)
    yield from extension_modules(Path(extensions))


def extension_modules(folder: Path) -> Iterator[Path]:
    """Those in C, without those that are left out."""
    for path in sorted(folder.glob("*.so")):
        if not path.name.startswith(EXTENSIONS_LEFT_OUT):
            yield path


def _sources(path: Path) -> Iterator[Path]:
    """Without what was compiled: that bears the time of its source, and is made anew."""
    if path.is_file():
        yield path
        return
    for inner in sorted(path.rglob("*")):
        if inner.is_file() and "__pycache__" not in inner.parts:
            yield inner


def libraries(programs: Iterable[Path]) -> Iterator[Path]:
    """What the loader finds for these programs, the loader itself among it."""
    for program in programs:
        told = subprocess.run(["ldd", program], capture_output=True, text=True, check=True)
        for line in told.stdout.splitlines():
            yield from (Path(word) for word in line.split() if word.startswith("/"))


def libraries_by_name(names: Iterable[str]) -> Iterator[Path]:
    """Where the loader's list has a library of this name."""
    listed = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    found = {line.split()[0]: line.split()[-1] for line in listed.splitlines()[1:] if line}
    yield from (Path(found[name]) for name in names if name in found)


def record_packages(root: Root) -> None:
    """Say in `status.d` which Debian packages have a file here, and copy their licences."""
    owners = _owners()
    present = {owners[path] for path in root.placed if path in owners} | {"ca-certificates"}
    for stanza in (DPKG / "status").read_text("utf-8").split("\n\n"):
        name = stanza.partition("\n")[0].removeprefix("Package: ")
        if name not in present:
            continue
        root.write(f"var/lib/dpkg/status.d/{name}", stanza.strip("\n") + "\n")
        terms = Path("/usr/share/doc", name, "copyright")
        if terms.is_file():
            root.write(str(terms.relative_to("/")), terms.read_text("utf-8", "replace"))


def _owners() -> dict[Path, str]:
    """The package of each file. dpkg's lists still say `/lib` of what is in `/usr/lib`."""
    resolved = cache(lambda folder: Path(folder).resolve())
    owners = {}
    for listed in sorted((DPKG / "info").glob("*.list")):
        package = listed.stem.partition(":")[0]
        for line in listed.read_text("utf-8").splitlines():
            folder, _, name = line.rpartition("/")
            owners[resolved(folder or "/") / name] = package
    return owners


def links_of_the_merge() -> Iterator[Path]:
    """`/lib` and its like, by which programs name their loader."""
    yield from (path for path in sorted(Path("/").glob("lib*")) if path.is_symlink())


def main() -> None:
    """Make the folder."""
    folder = Path(sys.argv[1])
    root = Root(folder)
    for link in links_of_the_merge():
        (folder / link.name).symlink_to(link.readlink())
    python = Path(sys.executable)
    modules = list(standard_library())
    compiled = [path for path in modules if path.suffix == ".so"]
    for path in (python, *modules, *libraries([python, *compiled]), *map(Path, SETTINGS)):
        root.place(path)
    for path in libraries_by_name(LIBRARIES):
        root.place(path)
    root.place(Path(ssl.get_default_verify_paths().openssl_capath).resolve())
    record_packages(root)
    for name, text in USERS.items():
        root.write(name, text)
    for empty in EMPTY:
        (folder / empty).mkdir(parents=True, exist_ok=True)
    (folder / "tmp").chmod(0o1777)
    (folder / "var/tmp").chmod(0o1777)
    subprocess.run(["ldconfig", "-X", "-r", folder], check=True)
    shutil.rmtree(folder / "var/cache", ignore_errors=True)
    compileall.compile_dir(
        folder / Path(sysconfig.get_path("stdlib")).relative_to("/"),
        quiet=1,
        stripdir=str(folder),
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )


if __name__ == "__main__":
    main()
