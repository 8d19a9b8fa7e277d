"""Tables in ConfigMaps on a laptop: manifests beside the others."""

from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess

import httpx
import programs

Isthmus = Callable[..., CompletedProcess[str]]
Folder = Callable[[Mapping[str, str]], Path]

MAPPING = """\
apiVersion: isthmus.dev/v1alpha1
kind: Mapping
metadata: {name: price}
spec:
  expression: '{"net": $table("prices", sku)}'
  sharedTables:
    prices: {configMaps: [{name: prices}], format: csv, value: net}
  tests:
    - {name: a price, input: {sku: A}, expect: {net: "1"}}
"""
ROUTE = """\
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: prices}
spec:
  source: {http: {method: POST, path: /prices}}
  steps: [{map: {mapping: price}}, {respond: {}}]
  tests:
    - {name: a price is answered, request: {body: {sku: A}}, expect: {body: {net: "1"}}}
"""
ROWS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: prices}
data:
  nl.csv: |
    sku,net
    A,1
"""


def test_tests_of_mappings_and_routes_read_them(isthmus: Isthmus, folder: Folder) -> None:
    ended = isthmus("test", folder({"m.yaml": MAPPING, "r.yaml": ROUTE, "rows.yaml": ROWS}))

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout


def test_lint_tells_where_a_row_is_wrong(isthmus: Isthmus, folder: Folder) -> None:
    ended = isthmus("lint", folder({"m.yaml": MAPPING, "rows.yaml": ROWS + "    B\n"}))

    assert ended.returncode == 1
    assert "nl.csv of the ConfigMap 'prices', line 3: 1 cells, not 2" in ended.stdout
    assert "m.yaml:7:" in ended.stdout


def test_lint_misses_a_config_map(isthmus: Isthmus, folder: Folder) -> None:
    ended = isthmus("lint", folder({"m.yaml": MAPPING}))

    assert ended.returncode == 1
    assert "there is no ConfigMap 'prices'" in ended.stdout


def test_two_tables_of_one_name_clash(isthmus: Isthmus, folder: Folder) -> None:
    clash = MAPPING.replace("  sharedTables:", "  tables: {prices: {A: 1}}\n  sharedTables:")
    ended = isthmus("lint", folder({"m.yaml": clash, "rows.yaml": ROWS}))

    assert ended.returncode == 1
    assert "there are two tables 'prices'" in ended.stdout


def test_a_run_that_watches_takes_up_new_rows(folder: Folder) -> None:
    manifests = folder({"m.yaml": MAPPING, "r.yaml": ROUTE, "rows.yaml": ROWS})
    program = programs.start(
        *("-m", "isthmus_cli", "run", manifests, "--watch", "--port", "0", "--admin-port", "0")
    )
    try:
        url = program.wait_for(r"POST (http://\S+)")[1]
        before = httpx.post(url, json={"sku": "A"}).json()
        (manifests / "rows.yaml").write_text(ROWS.replace("A,1", "A,2"))
        program.wait_for("isthmus: reloaded")
        after = httpx.post(url, json={"sku": "A"}).json()
    finally:
        program.end()

    assert (before, after) == ({"net": "1"}, {"net": "2"})
