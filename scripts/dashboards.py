"""The dashboards of the chart, as Grafana reads them.

`python scripts/dashboards.py .` writes them below a folder, here the repository itself. What they
show stands in `boards`.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from boards import BOARDS, Board, Panel

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = Path("charts/isthmus/files/dashboards")
_WIDTH: Final = 12
_HEIGHT: Final = 8
_SCHEMA: Final = 39
"""Version of Grafana's own model of a dashboard."""


def dashboard(board: Board) -> dict[str, Any]:
    """The board in Grafana's words."""
    return {
        "uid": board.name,
        "title": board.title,
        "tags": ["isthmus"],
        "schemaVersion": _SCHEMA,
        "editable": False,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [_source(), *_variables(board)]},
        "panels": [*_placed(board)],
    }


def _source() -> dict[str, Any]:
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
    }


def _variables(board: Board) -> Iterator[dict[str, Any]]:
    """Each narrows those after it."""
    chosen: list[str] = []
    for label, metric in board.variables.items():
        yield {
            "name": label,
            "label": label.capitalize(),
            "type": "query",
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
            "query": f"label_values({metric}{{{','.join(chosen)}}}, {label})",
            "refresh": 2,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        }
        chosen.append(f'{label}=~"${label}"')


def _placed(board: Board) -> Iterator[dict[str, Any]]:
    """Rows one below the other, two panels beside each other."""
    number, top = 0, 0
    for title, panels in board.rows.items():
        number += 1
        yield {"id": number, "type": "row", "title": title, "gridPos": _place(0, top, 24, 1)}
        top += 1
        for index, panel in enumerate(panels):
            number += 1
            left, down = index % 2 * _WIDTH, index // 2 * _HEIGHT
            yield _panel(panel, number) | {"gridPos": _place(left, top + down, _WIDTH, _HEIGHT)}
        top += -(-len(panels) // 2) * _HEIGHT


def _place(left: int, top: int, width: int, height: int) -> dict[str, int]:
    return {"x": left, "y": top, "w": width, "h": height}


def _panel(panel: Panel, number: int) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${datasource}"}
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "datasource": source,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [
            {
                "refId": "A",
                "datasource": source,
                "expr": panel.query,
                "legendFormat": panel.legend,
            }
        ],
    }


def main(arguments: list[str] | None = None) -> None:
    """Write the dashboards below a folder."""
    parser = argparse.ArgumentParser(prog="python scripts/dashboards.py", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args(arguments).folder / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for board in BOARDS:
        text = json.dumps(dashboard(board), indent=1) + "\n"
        (folder / f"{board.name}.json").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
