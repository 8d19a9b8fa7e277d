"""`python -m isthmus_runtime` as a pod runs it: a real process, its signals, its last words."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from manifests_text import connector, mapping, plans, route
from served import Start
from upstreams import answer

from isthmus_api.plan import RoutePlan


@dataclass
class Program:
    """A started runtime; `port` is free to be listened at."""

    process: asyncio.subprocess.Process
    port: int
    admin_port: int
    log: Path

    async def until_ready(self) -> None:
        async with asyncio.timeout(20), httpx.AsyncClient() as client:
            while True:
                try:
                    page = await client.get(f"http://127.0.0.1:{self.admin_port}/readyz")
                    if page.status_code == 200:
                        return
                except httpx.TransportError:
                    await asyncio.sleep(0.05)

    async def until_not_ready(self) -> None:
        async with asyncio.timeout(10), httpx.AsyncClient() as client:
            while (await client.get(f"http://127.0.0.1:{self.admin_port}/readyz")).is_success:
                pass

    async def ended(self) -> tuple[int | None, str]:
        """Its exit code and all it said."""
        async with asyncio.timeout(20):
            said, _ = await self.process.communicate()
        assert said == b""
        return self.process.returncode, self.log.read_text()


Begin = Callable[..., Awaitable[Program]]


def free_ports() -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]


@pytest.fixture
async def begin(tmp_path: Path) -> AsyncIterator[Begin]:
    started: list[Program] = []

    async def start(plan: RoutePlan | bytes | None, **environment: str) -> Program:
        file = tmp_path / "plan.json"
        if plan is not None:
            file.write_bytes(plan if isinstance(plan, bytes) else plan.to_json())
        port, admin_port = free_ports()
        settings = {
            "ISTHMUS_PLAN": str(file),
            "ISTHMUS_HOST": "127.0.0.1",
            "ISTHMUS_PORT": str(port),
            "ISTHMUS_ADMIN_PORT": str(admin_port),
            **environment,
        }
        log = tmp_path / f"{port}.log"
        with log.open("wb") as errors:  # a pipe that nobody reads would fill, and hold the process
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "isthmus_runtime"),
                env={**os.environ, **settings},
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        started.append(Program(process, port, admin_port, log))
        return started[-1]

    yield start
    for program in started:
        if program.process.returncode is None:
            program.process.kill()
            await program.process.communicate()


def priced() -> RoutePlan:
    """A plan with a table that stands in a ConfigMap."""
    table = {"configMaps": [{"name": "prices"}], "format": "csv"}
    priced = mapping('$table("prices", sku)', name="m", sharedTables={"prices": table})
    return plans(priced, route("- map: {mapping: m}\n- respond: {}"))[0]


def echo() -> RoutePlan:
    return plans(route("- map: {expression: $}", method="POST"))[0]


async def test_answers_are_held_against_a_contract_that_is_mounted(
    begin: Begin, upstream: Start, tmp_path: Path
) -> None:
    erp = await upstream(answer({"sku": 7}))
    (tmp_path / "contracts" / "erp").mkdir(parents=True)
    schema = {"type": "object", "properties": {"sku": {"type": "string"}}}
    content = {"application/json": {"schema": schema}}
    paths = {"/": {"get": {"responses": {"200": {"content": content}}}}}
    document = json.dumps({"openapi": "3.1.0", "paths": paths})
    (tmp_path / "contracts" / "erp" / "openapi.json").write_text(document)
    contract = {"openapi": {"configMapKeyRef": {"name": "erp", "key": "openapi.json"}}}
    (plan,) = plans(connector(erp.url, contract=contract), route("- call: {connector: erp}"))
    program = await begin(plan, ISTHMUS_CONTRACTS=str(tmp_path / "contracts"))
    await program.until_ready()

    async with httpx.AsyncClient() as client, asyncio.timeout(20):
        await client.get(f"http://127.0.0.1:{program.port}/it")
        drift: list[dict[str, str]] = []
        while not drift:
            page = await client.get(f"http://127.0.0.1:{program.admin_port}/status")
            drift = page.json()["contracts"][0]["schemaDrift"]

    retyped = {"kind": "retyped", "path": "$.sku", "types": "integer, not string"}
    assert drift == [{"operation": "GET /", **retyped}]


async def test_sigterm_ends_it_with_0_once_requests_under_way_are_answered(
    begin: Begin, upstream: Start, tmp_path: Path
) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer("done", when=gate))
    (tmp_path / "secrets" / "erp").mkdir(parents=True)
    (tmp_path / "secrets" / "erp" / "token").write_text("canary\n")
    token = {"secretKeyRef": {"name": "erp", "key": "token"}}
    plan = plans(
        connector(erp.url, auth={"bearer": {"token": token}}), route("- call: {connector: erp}")
    )[0]
    program = await begin(plan, ISTHMUS_SECRETS=str(tmp_path / "secrets"))
    await program.until_ready()

    async with httpx.AsyncClient() as client:
        asking = asyncio.create_task(client.get(f"http://127.0.0.1:{program.port}/it?q=canary"))
        await erp.until(lambda erp: erp.under_way == 1)
        program.process.send_signal(signal.SIGTERM)
        await program.until_not_ready()
        gate.set()
        response = await asking
    code, said = await program.ended()

    assert response.json() == "done"
    assert code == 0
    assert erp.arrivals[0].header("authorization") == "Bearer canary"
    (line,) = [json.loads(line) for line in said.splitlines()]
    assert set(line) == {
        *("event", "level", "timestamp", "route", "method", "path", "status"),
        *("durationMs", "bytes", "traceId", "correlationId"),
    }
    assert "canary" not in said


class Load:
    """Callers that ask one after the other, until they are told to stop.

    Each request goes to `port`, as a Service sends it to one pod or another.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.answered: Counter[int] = Counter()
        self.goodbyes: Counter[int] = Counter()
        self.failures: list[str] = []
        self._stop = False

    async def call(self, *, keep_alive: bool) -> None:
        kept = httpx.Limits(max_keepalive_connections=None if keep_alive else 0)
        async with httpx.AsyncClient(limits=kept, timeout=10, verify=False) as client:  # noqa: S501
            while not self._stop:
                port = self.port
                try:
                    answer = await client.post(f"http://127.0.0.1:{port}/it", json=port)
                    assert (answer.status_code, answer.json()) == (200, port)
                except (httpx.HTTPError, AssertionError) as error:
                    self.failures.append(repr(error))
                    continue
                self.answered[port] += 1
                self.goodbyes[port] += answer.headers.get("connection") == "close"

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - a count has no event
                await asyncio.sleep(0.01)

    def stop(self) -> None:
        self._stop = True


async def test_a_process_that_takes_over_under_load_loses_no_request(begin: Begin) -> None:
    old = await begin(echo(), ISTHMUS_LINGER_SECONDS="2")
    new = await begin(echo())
    await old.until_ready()
    await new.until_ready()
    load = Load(old.port)

    async with asyncio.TaskGroup() as callers:
        for keep_alive in (True, False) * 4:
            callers.create_task(load.call(keep_alive=keep_alive))
        await load.until(lambda: load.answered[old.port] > 200)
        assert load.goodbyes[old.port] == 0
        old.process.send_signal(signal.SIGTERM)
        await old.until_not_ready()
        late = load.answered[old.port]
        # What spreads the news takes its time: connections old and new still come here.
        await load.until(lambda: load.answered[old.port] > late + 50)
        load.port = new.port
        code, _ = await old.ended()
        sofar = load.answered[new.port]
        await load.until(lambda: load.answered[new.port] > sofar + 200)
        load.stop()

    assert load.failures == []
    assert code == 0
    assert load.goodbyes[old.port] >= 50
    assert load.goodbyes[new.port] == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_it_at_once(
    begin: Begin, upstream: Start, second: signal.Signals
) -> None:
    erp = await upstream(answer("never", when=asyncio.Event()))
    plan = plans(
        connector(erp.url, timeout="60s"), route("- call: {connector: erp}", timeout="60s")
    )[0]
    program = await begin(plan, ISTHMUS_LINGER_SECONDS="50", ISTHMUS_DRAIN_SECONDS="50")
    await program.until_ready()

    async with httpx.AsyncClient(timeout=20) as client:
        asking = asyncio.create_task(client.get(f"http://127.0.0.1:{program.port}/it"))
        await erp.until(lambda erp: erp.under_way == 1)
        program.process.send_signal(signal.SIGTERM)
        await program.until_not_ready()
        program.process.send_signal(second)
        code, said = await program.ended()
        with pytest.raises(httpx.TransportError):
            await asking

    assert code == 1
    (line,) = [json.loads(line) for line in said.splitlines()]
    assert (line["event"], line["inFlight"]) == ("a second signal ended the drain", 1)


async def test_connections_grow_old_as_the_environment_says(begin: Begin) -> None:
    program = await begin(echo(), ISTHMUS_MAX_CONNECTION_SECONDS="0.1")
    await program.until_ready()
    load = Load(program.port)

    async with asyncio.TaskGroup() as callers:
        callers.create_task(load.call(keep_alive=True))
        await load.until(lambda: load.goodbyes[program.port] > 1)
        load.stop()

    assert load.failures == []
    assert load.answered[program.port] > load.goodbyes[program.port]


NEWER = b'{"version": 2, "steps": "whatever"}'
UNUSABLE = {
    "a newer plan": (
        NEWER,
        {},
        "the plan has version 2; this runtime reads version 1 and older. Use a newer runtime "
        "image, or an older operator.",
    ),
    "no plan": (None, {}, "cannot be read: No such file or directory; set ISTHMUS_PLAN"),
    "no JSON": (b"{", {}, "the plan is not JSON: "),
    "half a plan": (b'{"version": 1}', {}, "the plan is not valid: "),
    "a port that is none": (
        b"",
        {"ISTHMUS_PORT": "tcp://10.0.0.1:80"},
        "ISTHMUS_PORT is 'tcp://10.0.0.1:80'; a number is wanted",
    ),
    "a port too high": (
        b"",
        {"ISTHMUS_ADMIN_PORT": "99999"},
        "ISTHMUS_ADMIN_PORT is 99999; a port between 0 and 65535 is wanted",
    ),
    "a time that is none": (
        b"",
        {"ISTHMUS_LINGER_SECONDS": "5s"},
        "ISTHMUS_LINGER_SECONDS is '5s'; a number is wanted",
    ),
    "claims too short": (
        b"",
        {"ISTHMUS_CLAIM_SECONDS": "2"},
        "ISTHMUS_CLAIM_SECONDS is 2; a number from 5 to 3600 is wanted",
    ),
    "no rows of a table": (
        priced(),
        {"ISTHMUS_TABLES": "/not/there"},
        "the table 'prices': there is no ConfigMap 'prices'",
    ),
    "no secrets": (b"", {"ISTHMUS_SECRETS": "/not/there"}, "/not/there cannot be read: No such"),
}


@pytest.mark.parametrize(("plan", "environment", "words"), UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_what_cannot_be_run_ends_it_with_2_and_one_line(
    begin: Begin, plan: RoutePlan | bytes | None, environment: dict[str, str], words: str
) -> None:
    program = await begin(echo() if plan == b"" else plan, **environment)

    code, said = await program.ended()

    assert code == 2
    assert said.startswith("isthmus-runtime: ")
    assert words in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("variable", ["ISTHMUS_PORT", "ISTHMUS_ADMIN_PORT"])
async def test_a_port_in_use_ends_it_with_2_and_one_line(begin: Begin, variable: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        program = await begin(echo(), **{variable: port})

        code, said = await program.ended()

    assert code == 2
    assert said.startswith("isthmus-runtime: cannot listen")
    assert port in said
    assert "address already in use" in said
    assert said.count("\n") == 1
