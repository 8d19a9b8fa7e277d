"""Loading, replacing and draining Routes; what the admin port and the log say of them."""

import asyncio
import itertools
import re
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from manifests_text import connector, plans, route
from served import Serve, Start
from upstreams import answer, resets

from isthmus_runtime import metrics, secrets
from isthmus_runtime.instruments import Family
from isthmus_runtime.runtime import Runtime, Settings

ONE = "- map: {expression: '1'}"
TWO = "- map: {expression: '2'}"
OBSERVE = Path(__file__).parents[3] / "docs/how-to/observe.md"


async def test_a_load_serves_exactly_its_routes(serve: Serve) -> None:
    served = await serve(route(ONE), route(ONE, name="old", path="/old"))

    await served.load(route(TWO), route(TWO, name="new", path="/new"))

    assert (await served.get()).json() == 2
    assert (await served.get("/new")).json() == 2
    assert (await served.get("/old")).status_code == 404


async def test_a_runtime_that_does_not_listen_is_not_ready() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        runtime = Runtime(Settings(port=port, admin_port=0), secrets.at(None))
        await runtime.load(plans(route(ONE)))
        before = runtime.is_ready()

        with pytest.raises(OSError, match="in use"):
            await runtime.start()

    assert (before, runtime.is_ready()) == (False, False)


async def test_a_request_under_way_finishes_on_its_route_and_its_connectors(
    serve: Serve, upstream: Start
) -> None:
    gate = asyncio.Event()
    old, new = await upstream(answer("old", when=gate)), await upstream(answer("new"))
    twice = "- call: {connector: erp, path: /1}\n- call: {connector: erp, path: /2}"
    served = await serve(connector(old.url), route(twice))

    asking = asyncio.create_task(served.get())
    await old.until(lambda old: old.under_way == 1)
    await served.load(connector(new.url), route(twice))
    assert (await served.get()).json() == "new"
    gate.set()

    assert (await asking).json() == "old"
    assert [arrival.path for arrival in old.arrivals] == ["/1", "/2"]
    await old.until(lambda old: old.open == 0)  # closed, now that nobody uses it
    assert new.open == 1


async def test_an_unchanged_route_keeps_its_cache_and_its_connections(
    serve: Serve, upstream: Start
) -> None:
    numbers = itertools.count(1)
    erp = await upstream(lambda arrival: answer(next(numbers)))
    kept = (connector(erp.url), route("- {call: {connector: erp}, cache: {ttl: 1h}}"))
    served = await serve(*kept)

    assert (await served.get()).json() == 1
    await served.load(*kept, route(ONE, name="more", path="/more"))
    assert (await served.get()).json() == 1
    await served.load(*kept)

    assert (await served.get()).json() == 1
    assert erp.open == 1


async def test_a_changed_route_keeps_the_connections_of_its_connector(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({}))
    served = await serve(connector(erp.url), route("- call: {connector: erp, path: /1}"))

    await served.get()
    await served.load(connector(erp.url), route("- call: {connector: erp, path: /2}"))
    await served.get()

    assert [arrival.path for arrival in erp.arrivals] == ["/1", "/2"]
    assert erp.most_open == 1


async def test_a_connector_that_no_route_uses_is_closed_and_forgotten(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({}))
    served = await serve(connector(erp.url, name="gone"), route("- call: {connector: gone}"))
    await served.get()
    pool = 'isthmus_connector_connections{connector="gone"'
    assert pool in await served.metrics()

    await served.load(route(ONE))
    await erp.until(lambda erp: erp.open == 0)

    assert pool not in await served.metrics()


async def test_a_failing_load_replaces_nothing(serve: Serve) -> None:
    served = await serve(route(ONE))
    broken = plans(
        route(TWO),
        connector("http://h:99999"),
        route("- call: {connector: erp}", name="b", path="/b"),
    )

    with pytest.raises(ValueError, match="Port out of range"):
        await served.runtime.load(broken)

    assert (await served.get()).json() == 1
    assert (await served.get("/b")).status_code == 404


async def test_a_drain_finishes_what_is_under_way_and_says_that_it_is_not_ready(
    serve: Serve, upstream: Start
) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer("done", when=gate))
    served = await serve(connector(erp.url), route("- call: {connector: erp}"), drain_seconds=20)
    assert (await served.admin.get("/readyz")).status_code == 200

    asking = asyncio.create_task(served.get())
    await erp.until(lambda erp: erp.under_way == 1)
    draining = asyncio.create_task(served.runtime.drain())
    while (await served.admin.get("/readyz")).status_code == 200:
        pass
    assert (await served.admin.get("/livez")).status_code == 200
    async with httpx.AsyncClient() as another:
        with pytest.raises(httpx.ConnectError):
            await another.get(f"http://127.0.0.1:{served.port}/it")
    gate.set()

    assert (await asking).json() == "done"
    await draining
    with pytest.raises(httpx.ConnectError):
        await served.admin.get("/readyz")


async def test_a_drain_ends_in_its_time_though_a_cached_call_does_not(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({}, when=asyncio.Event()))
    served = await serve(
        connector(erp.url, timeout="60s"),
        route("- {call: {connector: erp}, cache: {ttl: 1h}}", timeout="60s"),
        drain_seconds=0.2,
    )

    asking = asyncio.create_task(served.get())
    await erp.until(lambda erp: erp.under_way == 1)
    async with asyncio.timeout(10):
        await served.runtime.drain()

    with pytest.raises(httpx.RemoteProtocolError):
        await asking


async def test_the_admin_pages(serve: Serve) -> None:
    served = await serve(route(ONE, path="/it/{id}", method="POST"))

    status = (await served.admin.get("/status")).json()
    other = await served.admin.get("/other")
    posted = await served.admin.post("/status")

    assert status.pop("version")
    assert status == {
        "planVersion": 1,
        "ready": True,
        "routes": [
            {
                "namespace": "default",
                "name": "it",
                "method": "POST",
                "path": "/it/{id}",
                "planHash": served.runtime.status()["routes"][0]["planHash"],
            }
        ],
    }
    assert re.fullmatch("[0-9a-f]{16}", status["routes"][0]["planHash"])
    assert (await served.admin.get("/livez")).text == "ok\n"
    assert (await served.admin.head("/metrics")).status_code == 200
    assert other.status_code == 404
    assert "/livez, /readyz, /metrics, /status" in other.json()["detail"]
    assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD")


async def test_a_runtime_without_routes_is_not_ready(serve: Serve) -> None:
    served = await serve()

    assert (await served.admin.get("/readyz")).status_code == 503


def documented() -> dict[str, set[str]]:
    """The metrics of the table in docs/how-to/observe.md, with their labels."""
    rows = re.findall(r"^\| `(isthmus_\w+)` \| ([^|]*) \|", OBSERVE.read_text(), re.MULTILINE)
    return {
        name: set(re.sub(r"\([^)]*\)", "", labels).replace(" ", "").split(","))
        for name, labels in rows
    }


def registered() -> dict[str, set[str]]:
    found = {}
    for family in vars(metrics).values():
        if isinstance(family, Family):
            (metric,) = family.collect()
            suffix = "_total" if metric.type == "counter" else ""
            found[family.name + suffix] = set(family.label_names)
    return found


def test_every_metric_is_documented_with_its_labels() -> None:
    assert registered() == documented()


async def test_every_request_counts_once_where_the_document_says(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer({}), answer(status=500), resets())
    served = await serve(
        connector(erp.url, name="tallied"),
        route(
            """
            - name: ask
              call: {connector: tallied}
            - name: soft
              map: {expression: "$error('x')"}
              onError: {use: 1}
            """,
            name="tallied",
        ),
    )

    for _ in range(3):
        await served.get()
    await served.get("/nowhere")

    text = await served.metrics()
    where = 'namespace="default",route="tallied"'
    system = 'connector="tallied",namespace="default"'
    for line in (
        f'isthmus_route_requests_total{{{where},status="2xx"}} 1.0',
        f'isthmus_route_requests_total{{{where},status="5xx"}} 2.0',
        f"isthmus_route_request_duration_seconds_count{{{where}}} 3.0",
        f"isthmus_route_in_flight_requests{{{where}}} 0.0",
        f'isthmus_step_duration_seconds_count{{{where},step="ask"}} 3.0',
        f'isthmus_connector_calls_total{{{system},result="2xx"}} 1.0',
        f'isthmus_connector_calls_total{{{system},result="5xx"}} 1.0',
        f'isthmus_connector_calls_total{{{system},result="ConnectionBroken"}} 1.0',
        f"isthmus_connector_call_duration_seconds_count{{{system}}} 3.0",
    ):
        assert line in text
    errors = [line for line in text.splitlines() if line.startswith("isthmus_step_errors_total")]
    ours = sorted(line for line in errors if 'route="tallied"' in line)
    start = 'isthmus_step_errors_total{handled="%s",namespace="default",reason="%s",'
    assert ours == sorted(
        [
            start % ("false", "ConnectionBroken") + 'route="tallied",step="ask"} 1.0',
            start % ("false", "UnexpectedStatus") + 'route="tallied",step="ask"} 1.0',
            start % ("true", "ExpressionFailed") + 'route="tallied",step="soft"} 1.0',
        ]
    )
    assert 'isthmus_unrouted_requests_total{status="404"}' in text
    assert 'isthmus_runtime_build_info{plan_version="1",version="' in text


@pytest.mark.parametrize(
    ("sent", "status", "known"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, {}, id="unsound"),
        pytest.param(b"GET / HTTP/1.1\r\nx: " + b"y" * 60_000, 431, {}, id="a long head"),
        pytest.param(
            b"POST /it?q=canary HTTP/1.1\r\nHost: a\r\nX-Correlation-Id: c\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n64\r\n",
            413,
            {"method": "POST", "path": "/it", "correlationId": "c"},
            id="a large body",
        ),
    ],
)
async def test_what_the_server_refuses_by_itself_counts_and_is_logged(
    serve: Serve, logged: list[dict[str, Any]], sent: bytes, status: int, known: dict[str, str]
) -> None:
    served = await serve(route(ONE, method="POST", maxBody="10"))
    count = f'isthmus_unrouted_requests_total{{status="{status}"}}'

    def counted(text: str) -> float:
        return sum(float(line.split()[1]) for line in text.splitlines() if line.startswith(count))

    before = counted(await served.metrics())

    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(sent + b"z" * 100)
    async with asyncio.timeout(10):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.close()

    assert head.startswith(f"HTTP/1.1 {status} ")
    assert counted(await served.metrics()) == before + 1
    (line,) = logged
    assert line.items() >= {"event": "request refused", "status": status, **known}.items()
    assert f"\r\nx-correlation-id: {line['correlationId']}\r\n" in head
    assert "canary" not in repr(logged)


async def test_one_line_is_logged_for_each_request(
    serve: Serve, upstream: Start, logged: list[dict[str, Any]]
) -> None:
    erp = await upstream(answer({}), answer({"canary": 1}, status=500))
    served = await serve(
        connector(erp.url), route("- call: {connector: erp}", method="POST", path="/it/{id}")
    )

    for _ in range(2):
        await served.post(
            "/it/4%2F2?q=canary", json="canary", headers={"x-correlation-id": "c", "x-a": "canary"}
        )
    await served.get("/nowhere")

    done, failed, refused = logged
    common = {"route", "method", "path", "status", "durationMs", "bytes", "traceId"}
    common |= {"correlationId", "event", "level", "timestamp"}
    assert set(done) == common
    assert set(failed) == common | {"reason", "step", "connector", "detail"}
    assert (done["path"], done["status"], done["correlationId"]) == ("/it/4%2F2", 200, "c")
    assert (failed["reason"], failed["step"], failed["connector"]) == (
        "UnexpectedStatus",
        "call-0",
        "erp",
    )
    assert refused["status"] == 404
    assert "canary" not in repr(logged)
