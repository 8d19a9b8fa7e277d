"""Folders: which files are read, and what is said of those that cannot be."""

import os
from pathlib import Path

import pytest

from isthmus_api.problems import Code
from isthmus_cli import folder


def connector(name: str, *, namespace: str = "default") -> str:
    return (
        "apiVersion: isthmus.dev/v1alpha1\nkind: Connector\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\n"
        "spec: {http: {baseUrl: https://erp.example.com}}\n"
    )


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(loaded: folder.Loaded) -> list[str]:
    return [key.name for key in loaded.resources.by_key]


@pytest.mark.parametrize(
    ("file", "is_read"),
    [
        pytest.param("a.yaml", True, id="a .yaml file is read"),
        pytest.param("a.yml", True, id="a .yml file is read"),
        pytest.param("a.YAML", True, id="in capitals, too"),
        pytest.param("deep/er/a.yaml", True, id="one in a folder of a folder is read"),
        pytest.param("a.txt", False, id="a .txt file is not"),
        pytest.param(".a.yaml", False, id="a hidden file is not"),
        pytest.param(".git/a.yaml", False, id="one in a hidden folder is not"),
        pytest.param("node_modules/a.yaml", False, id="one in node_modules is not"),
    ],
)
def test_the_files_that_are_read(tmp_path: Path, file: str, is_read: bool) -> None:
    write(tmp_path / file, connector("erp"))

    loaded = folder.load(tmp_path)

    assert names(loaded) == (["erp"] if is_read else [])
    assert loaded.problems == ()


def test_json_is_read(tmp_path: Path) -> None:
    write(
        tmp_path / "a.json",
        '{"apiVersion": "isthmus.dev/v1alpha1", "kind": "Connector", "metadata": {"name": "erp"},'
        ' "spec": {"http": {"baseUrl": "https:\\/\\/erp.example.com"}}}',
    )

    assert names(folder.load(tmp_path)) == ["erp"]


def test_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("c", "a", "b"):
        write(tmp_path / f"{name}.yaml", connector(name))

    assert names(folder.load(tmp_path)) == ["a", "b", "c"]


def test_a_single_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    file = write(tmp_path / "manifests.txt", f"{connector('a')}---\n{connector('b')}")

    assert names(folder.load(file)) == ["a", "b"]


def test_what_is_not_ours_is_counted_and_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "kustomization.yaml", "resources: [erp.yaml]\n")
    write(tmp_path / "erp.yaml", f"{connector('erp')}---\napiVersion: v1\nkind: Secret\n")

    loaded = folder.load(tmp_path)

    assert (names(loaded), loaded.others, loaded.problems) == (["erp"], 2, ())


def test_an_object_that_is_written_twice_names_both_places(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", connector("erp"))
    write(tmp_path / "b.yaml", connector("erp"))
    write(tmp_path / "c.yaml", connector("erp", namespace="other"))

    loaded = folder.load(tmp_path)

    [problem] = loaded.problems
    assert problem.code is Code.DUPLICATE_RESOURCE
    assert f"{tmp_path}/a.yaml:3:18" in problem.message
    assert str(problem.location) == f"{tmp_path}/b.yaml:3:18"
    assert loaded.objects == 2


def test_a_missing_folder_is_a_problem(tmp_path: Path) -> None:
    [problem] = folder.load(tmp_path / "nowhere").problems

    assert problem.message == "there is no such file or folder"


def test_a_link_to_a_folder_is_followed_once(tmp_path: Path) -> None:
    write(tmp_path / "a" / "erp.yaml", connector("erp"))
    (tmp_path / "b").symlink_to(tmp_path / "a")

    loaded = folder.load(tmp_path)

    assert (names(loaded), loaded.problems) == (["erp"], ())


def test_a_mounted_config_map_is_read(tmp_path: Path) -> None:
    """Kubernetes mounts files as links into a hidden folder."""
    write(tmp_path / "..data" / "erp.yaml", connector("erp"))
    (tmp_path / "erp.yaml").symlink_to("..data/erp.yaml")

    assert names(folder.load(tmp_path)) == ["erp"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        pytest.param(".", "the link leads back to a folder around it", id="to its own folder"),
        pytest.param("x.yaml", "the link leads back to itself", id="to itself"),
        pytest.param("gone.yaml", "no such file or directory", id="to nothing"),
    ],
)
def test_a_link_that_leads_nowhere_is_a_problem(tmp_path: Path, target: str, message: str) -> None:
    write(tmp_path / "erp.yaml", connector("erp"))
    (tmp_path / "x.yaml").symlink_to(target)

    loaded = folder.load(tmp_path)

    assert [problem.message for problem in loaded.problems] == [message]
    assert names(loaded) == ["erp"]


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")

    [problem] = folder.load(tmp_path).problems

    assert problem.message == "this is no file"
