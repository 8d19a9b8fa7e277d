"""`isthmus mapping fmt`: files in place, files that are only checked, and a pipe."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from tests.contract.cli.conftest import COMMAND, Folder, Isthmus

ROOT = Path(__file__).parents[3]
UNTIDY = """\
# the shop's orders
apiVersion: isthmus.dev/v1alpha1
kind: Mapping
metadata: {name: order}   # a name
spec:
  expression: |
    {"number":order_number,
    "lines": [items.{ 'sku':sku }]}
  tests:
    - {name: a line,   input: {items: [{sku: A}]}, expect: {lines: [{sku: A}]}}
"""
TIDY = UNTIDY.replace(
    """    {"number":order_number,
    "lines": [items.{ 'sku':sku }]}
""",
    """    {"number": order_number, "lines": [items.{'sku': sku}]}
""",
)
OTHER = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {expression:   'a+b'}\n"


def test_files_are_laid_out_in_place_and_named(isthmus: Isthmus, folder: Folder) -> None:
    manifests = folder({"a.yaml": UNTIDY, "b.yaml": TIDY, "c.yml": OTHER, "d.txt": UNTIDY})
    (manifests / "a.yaml").chmod(0o640)

    ended = isthmus("mapping", "fmt", "manifests")

    assert (ended.stdout, ended.stderr, ended.returncode) == ("manifests/a.yaml\n", "", 0)
    assert {path.name: path.read_text() for path in manifests.iterdir()} == {
        "a.yaml": TIDY,
        "b.yaml": TIDY,
        "c.yml": OTHER,
        "d.txt": UNTIDY,
    }
    assert stat.S_IMODE((manifests / "a.yaml").stat().st_mode) == 0o640
    assert isthmus("test", "manifests/a.yaml").returncode == 0


def test_a_check_names_the_files_and_changes_none(isthmus: Isthmus, folder: Folder) -> None:
    manifests = folder({"a.yaml": UNTIDY, "b.yaml": TIDY})

    ended = isthmus("mapping", "fmt", "--check", "manifests")

    assert (ended.stdout, ended.returncode) == ("manifests/a.yaml\n", 1)
    assert (manifests / "a.yaml").read_text() == UNTIDY
    assert isthmus("mapping", "fmt", "--check", "manifests/b.yaml").returncode == 0


def piped(*arguments: str, text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "mapping", "fmt", *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_comes_through_a_pipe_is_printed() -> None:
    assert piped("-", text=UNTIDY).stdout == TIDY
    assert (piped("-", "--check", text=UNTIDY).returncode) == 1
    assert (piped("-", "--check", text=TIDY).returncode) == 0


def test_what_stays_as_it_is_is_named(isthmus: Isthmus, folder: Folder) -> None:
    manifests = folder({"a.yaml": UNTIDY.replace("expression: |", "expression: >")})

    ended = isthmus("mapping", "fmt", manifests / "a.yaml")

    assert "a.yaml:6:15: left as it is: it is folded (>)" in ended.stderr
    assert (ended.stdout, ended.returncode) == ("", 0)


def test_manifests_with_errors_are_told(isthmus: Isthmus, folder: Folder) -> None:
    folder({"a.yaml": UNTIDY.replace("spec:", "spce:"), "b.yaml": UNTIDY})

    ended = isthmus("mapping", "fmt", "manifests")

    assert "did you mean 'spec'?" in ended.stderr
    assert (ended.stdout, ended.returncode) == ("manifests/b.yaml\n", 1)


def test_a_link_is_followed(isthmus: Isthmus, folder: Folder, tmp_path: Path) -> None:
    real = tmp_path / "real.yaml"
    real.write_text(UNTIDY)
    manifests = folder({})
    manifests.mkdir()
    (manifests / "a.yaml").symlink_to(real)

    isthmus("mapping", "fmt", "manifests")

    assert (manifests / "a.yaml").is_symlink()
    assert real.read_text() == TIDY


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param([], "Missing argument", id="nothing"),
        pytest.param(["nowhere"], "there is no such file or folder", id="no such file"),
        pytest.param(["-", "a.yaml"], "- stands alone", id="a pipe and a file"),
    ],
)
def test_wrong_use(isthmus: Isthmus, arguments: list[str], said: str) -> None:
    ended = isthmus("mapping", "fmt", *arguments)

    assert said in ended.stderr
    assert (ended.stdout, ended.returncode) == ("", 2)


def test_the_examples_are_laid_out(isthmus: Isthmus, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")

    ended = isthmus("mapping", "fmt", "--check", "examples")

    assert (ended.stdout, ended.stderr, ended.returncode) == ("", "", 0)
