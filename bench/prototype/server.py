"""COMPOSE written by hand: the same two calls and the same join on the same libraries.

What it leaves out is what a Route adds: steps, metrics, logs, trace context, fall-back, a deadline
handed on. The difference between the two is the price of our steps.
"""

import argparse
import asyncio
from urllib.parse import parse_qs, quote

import orjson
import uvloop

from isthmus_api.expressions import jlens_engine
from isthmus_runtime import http

JSON = (b"content-type", b"application/json")
SKUS = jlens_engine.ENGINE.compile("{'skus': [hits.sku]}")
JOIN = jlens_engine.ENGINE.compile(
    '{ "items": [hits.{ "sku": sku, "name": name, "price": $lookup($prices, sku) }], '
    '"total": estimatedTotalHits }'
)


class Compose:
    """Asks the search service, then the ERP, and joins."""

    def __init__(self, upstream: http.Client) -> None:
        self._upstream = upstream
        self._loop = asyncio.get_running_loop()

    def admit(self, head: http.Head) -> int | http.Response:
        """Take any request without a body."""
        return 0

    async def handle(self, request: http.Request) -> http.Response:
        """Answer hits with prices."""
        q = parse_qs(request.head.query)["q"][0]
        now = self._loop.time()
        hits = await self._upstream.send(
            "GET", f"/products/search?q={quote(q, safe='')}", deadline=now + 2.0
        )
        skus = SKUS.evaluate_json(hits.body) or b"null"
        prices = await self._upstream.send(
            "POST", "/prices", [JSON], skus, deadline=self._loop.time() + 0.3
        )
        joined = JOIN.evaluate_json(hits.body, {"prices": orjson.loads(prices.body)})
        return http.Response(200, [JSON], joined or b"null")


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    upstream = http.Client(http.Origin("http", "127.0.0.1", 18081))
    server = http.Server(Compose(upstream), http.ServerLimits(), on_error=print)
    await server.start("127.0.0.1", port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(serve(parser.parse_args().port))
