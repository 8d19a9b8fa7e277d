"""Mappings that call Mappings, as lint and test show them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess

Isthmus = Callable[..., CompletedProcess[str]]
Folder = Callable[[Mapping[str, str]], Path]

ORDER = """\
apiVersion: isthmus.dev/v1alpha1
kind: Mapping
metadata: {name: order}
spec:
  expression: |
    {
      "lines": [items.$mapping("line", $)]
    }
  tests:
    - {name: one line, input: {items: [{a: 1}]}, expect: {lines: [{b: 1}]}}
"""
LINE = """\
apiVersion: isthmus.dev/v1alpha1
kind: Mapping
metadata: {name: line}
spec: {expression: '{"b": a}', tests: [{name: a, input: {a: 1}, expect: {b: 1}}]}
"""


def test_tests_run_with_the_mappings_that_are_called(isthmus: Isthmus, folder: Folder) -> None:
    ended = isthmus("test", folder({"order.yaml": ORDER, "line.yaml": LINE}))

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout


def test_a_called_mapping_that_is_missing_is_shown_where_it_is_called(
    isthmus: Isthmus, folder: Folder
) -> None:
    ended = isthmus("lint", folder({"order.yaml": ORDER}))

    assert ended.returncode == 1
    assert "order.yaml:7:32" in ended.stdout
    assert "there is no Mapping 'line' in this namespace" in ended.stdout


def test_a_circle_is_shown_with_its_path(isthmus: Isthmus, folder: Folder) -> None:
    circle = LINE.replace("'{\"b\": a}'", "'$mapping(\"order\", $)'")
    ended = isthmus("lint", folder({"order.yaml": ORDER, "line.yaml": circle}))

    assert ended.returncode == 1
    assert "line → order → line" in ended.stdout
    assert "order → line → order" in ended.stdout
