"""A large CSV and XML document over HTTP, record by record, beside a plain loop of Python.

    python bench/documents.py [--megabytes 100] [--rounds 3] [--ways loop,cut,journal]

    loop       csv.DictReader, or iterparse with its elements let go, over urllib's response
    cut        our client and what cuts the records, as they are in a poll; each becomes a body
    journal    the whole poll: messages with a key, in a journal in SQLite, synced as ever

Prints MB and records a second, seconds of CPU, and what the process took of memory at its most, by
how much that is above what it took before. Each round has processes of its own, the ways in turn;
medians. The server of the document has a core of its own. All ways must count the same.
"""

import argparse
import asyncio
import csv
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import uvloop

import processes
from isthmus_api.plan import RoutePlan
from isthmus_api.poll import Document
from isthmus_runtime import logs
from isthmus_runtime.connectors.registry import Registry
from isthmus_runtime.drafting import Drafter
from isthmus_runtime.http.client import Client
from isthmus_runtime.http.origins import Origin
from isthmus_runtime.http.streams import Stream
from isthmus_runtime.journal import opening
from isthmus_runtime.sources import cutting, streamed
from isthmus_runtime.sources.poll import Poll
from isthmus_runtime.sources.room import Room
from isthmus_runtime.steps.bound import Binder
from isthmus_runtime.testing import Placeholders

KINDS: Final = ("csv", "xml")
DOCUMENTS: Final[dict[str, dict[str, Any]]] = {
    "csv": {"csv": {}},
    "xml": {"xml": {"element": "catalogue/product"}},
}
COLUMNS: Final = ("sku", "name", "price", "currency", "stock", "updated")


def rows() -> Iterator[tuple[str, ...]]:
    """Products without end."""
    number = 0
    while True:
        number += 1
        yield (
            f"SKU-{number:08}",
            f"Chair, oak, model {number % 977}",
            f"{number % 9973 / 100:.2f}",
            "EUR",
            str(number % 311),
            "2026-01-01T00:00:00Z",
        )


def write(folder: Path, kind: str, size: int) -> int:
    """A document of so many bytes; how many it has in the end."""
    with (folder / f"document.{kind}").open("w", newline="") as file:
        if kind == "csv":
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            for row in rows():
                writer.writerow(row)
                if file.tell() >= size:
                    break
        else:
            file.write('<?xml version="1.0" encoding="utf-8"?>\n<catalogue>\n')
            for row in rows():
                fields = zip(COLUMNS, row, strict=True)
                file.write(f"<product>{''.join(f'<{n}>{v}</{n}>' for n, v in fields)}</product>\n")
                if file.tell() >= size:
                    break
            file.write("</catalogue>\n")
        return file.tell()


# What a child does.


def loop(url: str, kind: str) -> int:
    """What somebody writes who has no runtime."""
    count = 0
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - it is our own
        if kind == "csv":
            for _ in csv.DictReader(io.TextIOWrapper(answer, "utf-8", newline="")):
                count += 1
            return count
        events = ElementTree.iterparse(answer, ("start", "end"))  # noqa: S314 - it is our own
        _, root = next(events)
        for event, element in events:
            if event == "end" and element.tag == "product":
                count += 1
                root.clear()
    return count


async def cut(url: str, kind: str) -> int:
    """The records, and nothing done with them."""
    client = Client(Origin.of(url))
    stream = Stream(limit=2**40, patience=60)
    deadline = asyncio.get_running_loop().time() + 60
    sending = asyncio.create_task(
        client.send("GET", f"/document.{kind}", deadline=deadline, into=stream)
    )
    sending.add_done_callback(stream.end)
    document = Document.model_validate(DOCUMENTS[kind])
    cutter = cutting.of(document, b"", charset="utf-8", limit=10 * 2**20)
    count = 0
    async for piece in stream.pieces(streamed.PIECE):
        for _ in cutter.feed(piece):
            count += 1
    count += sum(1 for _ in cutter.end())
    await sending
    await client.aclose()
    return count


def _plan(url: str, kind: str) -> RoutePlan:
    call = {"connector": "pim", "path": f"/document.{kind}"}
    written = {
        "version": 1,
        "namespace": "default",
        "name": "bench",
        "connectors": {"pim": {"http": {"baseUrl": url, "timeout": "60s"}}},
        "source": {"poll": {"every": "24h", "call": call, "document": DOCUMENTS[kind]}},
        "message": {"key": "{% sku %}"},
        "steps": [{"filter": "{% false %}"}],
    }
    return RoutePlan.from_json(json.dumps(written).encode())


async def journal(url: str, kind: str) -> int:
    """Messages in a journal; nothing delivers them."""
    plan = _plan(url, kind)
    if plan.source.poll is None:
        raise TypeError("the Route has no poll")
    variables: dict[str, Any] = {"route": {"name": plan.name, "namespace": plan.namespace}}
    binder = Binder()
    with tempfile.TemporaryDirectory() as folder:
        opened = await opening.open(f"sqlite:{folder}/journal.db")
        poll = Poll(
            plan,
            plan.source.poll,
            journal=lambda: opened,
            system=Registry(Placeholders()).of(plan)["pim"],
            binder=binder,
            drafter=Drafter("default/bench", plan.message, binder, variables),
            variables=variables,
            room=Room("default/bench", 10**9),
            owner="bench",
        )
        poll.start()
        while not (last := poll.status()["lastRun"]) or not (last["pages"] or "failure" in last):  # noqa: ASYNC110 - a status has no event
            await asyncio.sleep(0.02)
        await poll.stop()
        await opened.close()
        return int(last["accepted"])


def child(way: str, kind: str, url: str) -> None:
    """One way, once; what it took goes to the parent as JSON."""
    ways: dict[str, Callable[[], int]] = {
        "loop": partial(loop, f"{url}/document.{kind}", kind),
        "cut": lambda: uvloop.run(cut(url, kind)),
        "journal": lambda: uvloop.run(journal(url, kind)),
    }
    before = _peak()
    began, cpu = time.perf_counter(), time.process_time()
    with logs.captured():
        count = ways[way]()
    took = {
        "count": count,
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "peak": _peak(),
        "more": _peak() - before,
    }
    print(json.dumps(took))


def _peak() -> float:
    """MB that this process held at its most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# What the parent does.


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def serve(folder: str) -> None:
    """Serve the documents until the parent ends; the first line says where."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder))
    print(server.server_port, flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.serve_forever()


def measure(megabytes: int, rounds: int, ways: list[str]) -> None:
    """All ways in turn, round by round."""
    cores = processes.Cores.of_this_machine()
    with tempfile.TemporaryDirectory() as folder:
        sizes = {kind: write(Path(folder), kind, megabytes * 10**6) for kind in KINDS}
        with processes.pinned(cores.load):
            server = subprocess.Popen(
                [sys.executable, __file__, "--serve", folder],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        if server.stdout is None:
            raise RuntimeError("the server has no output")
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        try:
            with processes.pinned(cores.server):
                for kind in KINDS:
                    _kind(kind, sizes[kind], url, rounds, ways)
        finally:
            server.kill()
            server.wait()


def _kind(kind: str, size: int, url: str, rounds: int, ways: list[str]) -> None:
    took: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            said = subprocess.run(
                [sys.executable, __file__, "--child", way, kind, url],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            ).stdout
            took[way].append(json.loads(said))
    counts = {each["count"] for found in took.values() for each in found}
    if len(counts) != 1:
        raise SystemExit(f"they do not count the same: {counts}")
    for way, found in took.items():
        middle = {name: statistics.median(each[name] for each in found) for name in found[0]}
        print(
            f"{kind} {way:<8}{size / 1e6 / middle['seconds']:8.1f} MB/s"
            f"{middle['count'] / middle['seconds']:11,.0f} records/s{middle['cpu']:8.1f} s of CPU"
            f"{middle['peak']:8.0f} MB at most{middle['more']:+7.1f}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ways", default="loop,cut,journal")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(*given.child)
    elif given.serve:
        serve(given.serve)
    else:
        measure(given.megabytes, given.rounds, given.ways.split(","))


if __name__ == "__main__":
    main()
