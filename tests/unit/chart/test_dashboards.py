"""The dashboards of the chart: committed as generated, and of metrics that there are."""

import json
import re
from pathlib import Path
from typing import Any

import metric_labels
import pytest

import boards
import dashboards

ROOT = Path(__file__).parents[3]
BOARDS = {
    board.name: json.loads((ROOT / dashboards.FOLDER / f"{board.name}.json").read_text())
    for board in boards.BOARDS
}
BOARD = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


def _panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in board["panels"] if each["type"] != "row"]


def test_the_committed_files_are_the_generated_ones(tmp_path: Path) -> None:
    dashboards.main([str(tmp_path)])

    folder = tmp_path / dashboards.FOLDER
    assert {file.name for file in (ROOT / dashboards.FOLDER).iterdir()} == {
        file.name for file in folder.iterdir()
    }
    for file in folder.iterdir():
        committed = (ROOT / dashboards.FOLDER / file.name).read_text()
        assert committed == file.read_text(), "run `make generate`"


@BOARD
def test_every_panel_asks_for_metrics_and_labels_that_there_are(board: dict[str, Any]) -> None:
    queries = [target["expr"] for panel in _panels(board) for target in panel["targets"]]

    assert {query: wrong for query in queries if (wrong := metric_labels.unknown(query))} == {}
    assert all(metric_labels.named(query) for query in queries)


@BOARD
def test_every_legend_shows_labels_that_the_query_keeps(board: dict[str, Any]) -> None:
    for panel in _panels(board):
        [target] = panel["targets"]
        shown = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
        assert shown <= metric_labels.grouped(target["expr"]), panel["title"]


@BOARD
def test_every_choice_of_a_viewer_is_one_that_a_metric_has(board: dict[str, Any]) -> None:
    _, *variables = board["templating"]["list"]
    names = {each["name"] for each in variables}

    for each in variables:
        found = re.fullmatch(r"label_values\((\w+)\{.*\}, (\w+)\)", each["query"])
        assert found, each["query"]
        assert found[2] in metric_labels.KNOWN[found[1]] | metric_labels.OF_THE_SCRAPE
    for panel in _panels(board):
        used = set(re.findall(r"\$(\w+)", panel["targets"][0]["expr"]))
        assert used <= names | {"__rate_interval"}


@BOARD
def test_no_panel_lies_on_another(board: dict[str, Any]) -> None:
    cells = [
        (x, y)
        for panel in board["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(cells) == len({*cells})
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
