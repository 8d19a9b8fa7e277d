"""Files of an image, of all its layers."""

from pathlib import Path

import oci_layouts

from release import layers


def _read(folder: Path, *made: oci_layouts.Layer, below: str = "") -> dict[str, bytes]:
    oci_layouts.write(folder, made)
    return layers.files(folder, lambda path: path.startswith(below))


def test_a_layer_replaces_and_removes_what_is_below(tmp_path: Path) -> None:
    below: oci_layouts.Layer = {"a/kept": b"1", "a/changed": b"1", "a/gone": b"1", "b/c/gone": b"1"}
    above: oci_layouts.Layer = {"a/changed": b"2", "a/.wh.gone": b"", "b/.wh.c": b"", "b/new": b"2"}

    assert _read(tmp_path, below, above) == {"a/kept": b"1", "a/changed": b"2", "b/new": b"2"}


def test_an_opaque_folder_has_nothing_of_the_layers_below(tmp_path: Path) -> None:
    below: oci_layouts.Layer = {"a/old": b"1", "ab": b"1"}

    assert _read(tmp_path, below, {"a/.wh..wh..opq": b"", "a/new": b"2"}) == {
        "ab": b"1",
        "a/new": b"2",
    }


def test_files_that_nobody_wants_are_left_out(tmp_path: Path) -> None:
    assert _read(tmp_path, {"etc/it": b"1", "usr/it": b"1"}, below="etc/") == {"etc/it": b"1"}


def test_what_is_in_a_folder_is_in_a_link_to_it_too(tmp_path: Path) -> None:
    """As Debian's packages share the terms of one."""
    made: oci_layouts.Layer = {
        "doc/gcc/copyright": b"1",
        "doc/libgcc": "gcc",
        "doc/libstdc": "/doc/gcc",
    }

    assert _read(tmp_path, made) == {
        "doc/gcc/copyright": b"1",
        "doc/libgcc/copyright": b"1",
        "doc/libstdc/copyright": b"1",
    }


def test_names_with_a_dot_in_front_are_the_same_names(tmp_path: Path) -> None:
    assert _read(tmp_path, {"./etc/it": b"1"}, below="etc/") == {"etc/it": b"1"}
