"""Shared tables: rows out of ConfigMaps, and what is said of those that cannot be read."""

import json
from typing import Any

import pytest

from isthmus_api import manifests
from isthmus_api.shared_table import SharedTable, TableError, rows

PART = {"name": "prices"}


def table(**spec: Any) -> SharedTable:
    return SharedTable.model_validate({"configMaps": [PART], "format": "csv", **spec})


def read(written: SharedTable, **texts: str) -> dict[str, Any]:
    data = {name.replace("_", "."): text for name, text in texts.items()}
    return rows("net", written, {"prices": data, "more": {"b.csv": "sku,net\nC,3"}}.get)


CSV = "sku,net,unit\nA,1,each\nB,2,box\n"


@pytest.mark.parametrize(
    ("written", "text", "expected"),
    [
        pytest.param(table(value="net"), CSV, {"A": "1", "B": "2"}, id="a column"),
        pytest.param(table(), CSV, {"A": {"sku": "A", "net": "1", "unit": "each"},
                                    "B": {"sku": "B", "net": "2", "unit": "box"}}, id="the row"),
        pytest.param(table(key="unit", value="sku"), CSV, {"each": "A", "box": "B"}, id="a key"),
        pytest.param(table(value="net", separator=";"), "sku;net\n\nA;\"1;0\"", {"A": "1;0"},
                     id="another separator"),
        pytest.param(table(), "sku,net", {}, id="no rows"),
        pytest.param(table(format="json"), '{"A": 1, "B": [2]}', {"A": 1, "B": [2]}, id="object"),
        pytest.param(table(format="json", value="n"), '{"A": {"n": 1}}', {"A": 1}, id="values"),
        pytest.param(table(format="json", key="id", value="n"),
                     '[{"id": "A", "n": 1}, {"id": 2, "n": {}}]', {"A": 1, "2": {}}, id="list"),
        pytest.param(table(format="json", key="id"), '[{"id": "A"}]', {"A": {"id": "A"}},
                     id="objects of a list"),
    ],
)  # fmt: skip
def test_rows(written: SharedTable, text: str, expected: Any) -> None:
    assert read(written, a_csv=text) == expected


@pytest.mark.parametrize(
    ("written", "text", "message"),
    [
        pytest.param(table(), "sku,net\nA", "the table 'net': a.csv of the ConfigMap 'prices', "
                     "line 2: 1 cells, not 2 as in the first row", id="a short row"),
        pytest.param(table(), "sku\nA\nB\nA", "line 4: the key of this row was there before",
                     id="one key twice"),
        pytest.param(table(value="gross"), CSV, "there is no column 'gross'; there are: sku, net, "
                     "unit", id="no such column"),
        pytest.param(table(), 'sku\n"A', "line 2: no CSV: unexpected end of data", id="no CSV"),
        pytest.param(table(format="json"), "{", "no JSON: Expecting property name", id="no JSON"),
        pytest.param(table(format="json"), "[]", "an object, or a list with 'key' is wanted",
                     id="a list without a key"),
        pytest.param(table(format="json", key="id"), "{}", "a list of objects is wanted",
                     id="an object with a key"),
        pytest.param(table(format="json", key="id"), '[{"id": 1}, {"n": 1}]',
                     "[1]: no text or whole number at 'id'", id="an item without a key"),
        pytest.param(table(format="json", key="id", value="n"), '[{"id": 1}]',
                     "a row has nothing at 'n'", id="an item without a value"),
        pytest.param(table(configMaps=[{"name": "nowhere"}]), CSV,
                     "the table 'net': there is no ConfigMap 'nowhere'", id="no ConfigMap"),
        pytest.param(table(configMaps=[{"name": "prices", "key": "b"}]), CSV,
                     "the ConfigMap 'prices' has no key 'b'", id="no key"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(written: SharedTable, text: str, message: str) -> None:
    with pytest.raises(TableError) as caught:
        read(written, a_csv=text)

    assert message in str(caught.value)


def test_no_cell_is_quoted() -> None:
    with pytest.raises(TableError) as caught:
        read(table(), a_csv="sku,net\ncanary,canary\ncanary,canary")

    assert "canary" not in str(caught.value)


def test_many_texts_make_one_table() -> None:
    written = table(configMaps=[PART, {"name": "more", "key": "b.csv"}], value="net")

    assert read(written, a_csv="sku,net\nA,1", z_csv="sku,net\nB,2") == {
        "A": "1", "B": "2", "C": "3"
    }  # fmt: skip


def test_config_maps_of_manifests_are_found_beside_other_objects() -> None:
    text = """
apiVersion: v1
kind: ConfigMap
metadata: {name: prices, namespace: shop}
data: {a.csv: "sku,net", n.json: '{"A": 1}'}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
"""
    found = manifests.read(text.encode(), file="a.yaml")

    assert (found.others, found.problems) == (2, ())
    [config_map] = found.config_maps
    assert (config_map.namespace, config_map.name) == ("shop", "prices")
    assert json.loads(config_map.data["n.json"]) == {"A": 1}
