"""Lines as they are written: one JSON object each, in the order in which things happened."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from isthmus_runtime import logs


@pytest.fixture(autouse=True)
def as_json() -> Iterator[None]:
    logs.setup("json")
    yield
    logs.setup("json")


def written(capture: pytest.CaptureFixture[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capture.readouterr().err.splitlines()]


def test_a_line_begins_with_when_and_what(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    logs.info("request", route="shop/search", status=200)

    (line,) = written(capsysbinary)
    assert list(line) == ["timestamp", "level", "event", "route", "status"]
    assert datetime.fromisoformat(line["timestamp"]).tzinfo == UTC
    assert (line["level"], line["event"], line["status"]) == ("info", "request", 200)


async def test_lines_of_one_moment_are_written_together_and_in_order(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    for number in range(3):
        logs.info("request", number=number)
    assert written(capsysbinary) == []

    async with asyncio.timeout(5):
        while not (lines := written(capsysbinary)):  # noqa: ASYNC110 - a stream has no event
            await asyncio.sleep(0)

    assert [line["number"] for line in lines] == [0, 1, 2]


def test_what_json_cannot_say_the_fast_way_is_written_too(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    logs.error("a request failed", ValueError("half a pair: \ud83d"), at=object)

    (line,) = written(capsysbinary)
    assert line["exception"].endswith("ValueError: half a pair: \ud83d\n")
    assert line["at"] == "<class 'object'>"
