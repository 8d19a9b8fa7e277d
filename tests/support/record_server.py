"""A system with many records, and one that takes them: a process, for polls that read for long.

    python record_server.py COUNT

    GET  /records?after=0&limit=1000    {"items": [{"id": 1, "changed_at": ..., ...}], "next": 1000}
    GET  /records.csv, /records.xml     all of them in one document, written as it is read
    POST /sink                          a list of records; the answer names none that failed
    GET  /seen                          how many records were read, taken, and taken again
    PUT  /pace  {"seconds": 0.5}        how long the sink takes over a call

Records are made when they are asked for, so the process holds a bit for each and nothing else.
"""

import asyncio
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
PADDING = "x" * 160
"""With it a record has about 250 bytes, as a stock level or a price has."""


class Records:
    """So many records, and which of them were taken."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.read = 0
        self.taken = bytearray(count + 1)
        self.again = 0
        self.pace = 0.0

    def page(self, after: int, limit: int) -> dict[str, object]:
        """The records behind a number, and where the next page begins."""
        last = min(after + limit, self.count)
        self.read = max(self.read, last)
        items = [_record(number) for number in range(after + 1, last + 1)]
        return {"items": items, "next": last if last < self.count else None}

    def take(self, ids: list[int]) -> None:
        """Note that records came."""
        for number in ids:
            self.again += self.taken[number]
            self.taken[number] = 1


def _record(number: int) -> dict[str, object]:
    moment = BEGAN + timedelta(seconds=number)
    return {"id": number, "changed_at": moment.isoformat(), "text": PADDING}


def _as_csv(records: Records) -> Iterator[str]:
    yield "id,changed_at,text\n"
    for page in _pages(records):
        yield "".join(f"{each['id']},{each['changed_at']},{each['text']}\n" for each in page)


def _as_xml(records: Records) -> Iterator[str]:
    yield '<?xml version="1.0"?>\n<records>\n'
    for page in _pages(records):
        yield "".join(
            f"<record><id>{each['id']}</id><changed_at>{each['changed_at']}</changed_at>"
            f"<text>{each['text']}</text></record>\n"
            for each in page
        )
    yield "</records>"


def _pages(records: Records) -> Iterator[list[dict[str, object]]]:
    for after in range(0, records.count, 500):
        last = min(after + 500, records.count)
        records.read = max(records.read, last)
        yield [_record(number) for number in range(after + 1, last + 1)]


def app(records: Records) -> Starlette:
    """The records behind HTTP."""

    async def get_records(request: Request) -> Response:
        after, limit = (int(request.query_params.get(name, 0)) for name in ("after", "limit"))
        return _json(records.page(after, limit or 1000))

    async def get_csv(_request: Request) -> Response:
        return StreamingResponse(_as_csv(records), media_type="text/csv; charset=utf-8")

    async def get_xml(_request: Request) -> Response:
        return StreamingResponse(_as_xml(records), media_type="application/xml")

    async def post_sink(request: Request) -> Response:
        await asyncio.sleep(records.pace)
        records.take([int(each["id"]) for each in orjson.loads(await request.body())])
        return _json({"errors": []})

    async def get_seen(_request: Request) -> Response:
        taken = sum(records.taken)
        return _json({"read": records.read, "taken": taken, "again": records.again})

    async def put_pace(request: Request) -> Response:
        records.pace = orjson.loads(await request.body())["seconds"]
        return _json({})

    return Starlette(
        routes=[
            Route("/records", get_records),
            Route("/records.csv", get_csv),
            Route("/records.xml", get_xml),
            Route("/sink", post_sink, methods=["POST"]),
            Route("/seen", get_seen),
            Route("/pace", put_pace, methods=["PUT"]),
        ]
    )


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


def main() -> None:
    """Serve until SIGTERM; the first line says where."""
    # The protocol is named so that asyncio turns off Nagle's algorithm.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    print(f"records listens on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app(Records(int(sys.argv[1]))), log_level="warning", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
