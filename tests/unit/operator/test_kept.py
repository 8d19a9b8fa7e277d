"""What is kept of thousands of objects takes the room that it needs."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from isthmus_operator.declared import Declared
from isthmus_operator.kept import packed
from isthmus_operator.live import Child

COUNT = 200


def _object(number: int) -> dict[str, Any]:
    """An object that a Route or one of its children could be."""
    metadata = {"namespace": "shop", "name": f"it-{number}", "uid": str(number)}
    return {
        "apiVersion": "v1",
        "kind": "Route",
        "metadata": metadata | {"resourceVersion": str(number), "generation": 1},
        "spec": {"steps": [{"respond": {"body": "x" * 300}}]},
        "status": {"message": "y" * 300},
    }


def _child(number: int) -> bytes:
    return Child.of(_object(number)).body


def _manifest(number: int) -> bytes:
    return Declared.of(_object(number)).manifest


def _status(number: int) -> bytes:
    return Declared.of(_object(number)).status


@pytest.mark.parametrize("kept", [_child, _manifest, _status])
def test_what_is_kept_takes_no_more_room_than_its_text(kept: Callable[[int], bytes]) -> None:
    tracemalloc.start()
    try:
        texts = [kept(number) for number in range(COUNT)]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert taken < 1.5 * sum(map(len, texts))


def test_it_is_the_json_of_the_value() -> None:
    assert orjson.loads(packed({"a": [1, None, "ü"]})) == {"a": [1, None, "ü"]}
