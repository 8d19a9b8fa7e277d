"""Log lines: their shape, whose object they name, and what never gets into one."""

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from isthmus_operator import logs


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger that writes our lines into a text."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Lines())
    logger = logging.getLogger("test-of-logs")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield logger, stream
    logger.removeHandler(handler)


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_the_message_the_keys_and_the_object(log: Any) -> None:
    logger, stream = log
    with logs.about("Route", "shop", "search"):
        logger.info("route ready", extra={"generation": 3, "first": True})
    logger.info("idle")

    first, second = _lines(stream)
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "level": "info",
        "event": "route ready",
        "logger": "test-of-logs",
        "kind": "Route",
        "namespace": "shop",
        "name": "search",
        "generation": 3,
        "first": True,
    }
    assert "kind" not in second


async def test_two_workers_never_mix_up_their_objects(log: Any) -> None:
    logger, stream = log

    async def work(name: str) -> None:
        with logs.about("Route", "shop", name):
            for _ in range(5):
                logger.info("step", extra={"worker": name})
                await asyncio.sleep(0)

    await asyncio.gather(work("one"), work("two"))

    assert all(line["name"] == line["worker"] for line in _lines(stream))


def test_bodies_are_never_written(log: Any) -> None:
    logger, stream = log
    body = {"data": {"password": "canary"}}
    logger.info(
        "odd", extra={"body": body, "raw": b"canary", "settings": body, "items": ["canary"]}
    )

    assert "canary" not in stream.getvalue()
    assert _lines(stream)[0]["body"] == "<dict>"


def test_a_line_stays_one_line_and_short(log: Any) -> None:
    logger, stream = log
    logger.warning("a\nb" * 5000, extra={"reason": "x\n" * 5000})

    (line,) = _lines(stream)
    assert (len(line["event"]), len(line["reason"])) == (logs.MAX_TEXT, logs.MAX_TEXT)


def test_a_failure_brings_its_traceback_without_local_variables(log: Any) -> None:
    logger, stream = log
    try:
        secret = "canary"
        raise ValueError(len(secret))  # noqa: TRY301 - the test is about this traceback
    except ValueError:
        logger.exception("failed")

    (line,) = _lines(stream)
    assert "ValueError: 6" in line["exception"]
    assert "'canary'" not in line["exception"]


def test_no_key_hides_the_object(log: Any) -> None:
    logger, stream = log
    with logs.about("Route", "shop", "search"):
        logger.info("child applied", extra={"kind": "Service"})

    (line,) = _lines(stream)
    assert (line["kind"], line["kind_"]) == ("Route", "Service")


def test_set_up_covers_foreign_loggers() -> None:
    program = """
import logging, warnings
from isthmus_operator import logs
logs.setup("INFO")
logging.getLogger("kopf.objects").info("noise")
logging.getLogger("aiohttp.access").info("noise")
logging.getLogger("kopf").warning("kopf warns", extra={"k8s_ref": {"x": "canary"}})
logging.getLogger("isthmus_operator").debug("detail")
logging.getLogger("isthmus_operator").info("ours")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == [
        "kopf warns",
        "ours",
    ]
    assert "canary" not in done.stderr
