"""A system that is dead, slow or coming back, and a Connector that leaves it alone meanwhile."""

import asyncio
from typing import Any

import httpx
from manifests_text import connector, route
from served import Serve, Served, Start, problem
from upstreams import answer, hangs, resets, unused_port

CALL = "- call: {connector: erp}"
TOLD = "- call: {connector: told}"
LONG = {"minCalls": 3, "pause": "1h", "maxPause": "1h"}
SHORT = {"minCalls": 3, "pause": "20ms", "maxPause": "80ms"}


def reason(response: httpx.Response) -> str:
    return str(response.json()["type"]).rpartition(":")[2]


async def reasons(served: Served, number: int, path: str = "/it") -> list[str]:
    return [reason(await served.get(path)) for _ in range(number)]


async def state(served: Served) -> dict[str, Any]:
    (found,) = (await served.admin.get("/status")).json()["circuits"]
    return dict(found)


async def answered(served: Served) -> httpx.Response:
    """The first good answer, asked for as long as it takes."""
    async with asyncio.timeout(10):
        while (response := await served.get()).status_code != 200:
            pass
    return response


async def test_a_dead_system_is_left_alone_by_all_routes_of_the_process(
    serve: Serve, upstream: Start, logged: list[dict[str, Any]]
) -> None:
    erp = await upstream(answer(status=503))
    served = await serve(
        connector(erp.url, circuitBreaker=LONG),
        route(CALL),
        route(CALL, name="other", path="/other"),
    )

    assert await reasons(served, 2) == ["UnexpectedStatus"] * 2
    assert await reasons(served, 1, "/other") == ["UnexpectedStatus"]
    refused = await served.get()
    assert await reasons(served, 5, "/other") == ["CircuitOpen"] * 5

    assert len(erp.arrivals) == 3
    assert 3500 < int(refused.headers["retry-after"]) <= 3600
    document = problem(refused)
    assert (document["status"], document["step"], document["connector"]) == (503, "call-0", "erp")
    assert document["detail"] == "erp is left alone, for too many calls to it have failed"
    found = await state(served)
    assert 3500 < found.pop("waitSeconds") <= 3600
    assert found == {
        "namespace": "default",
        "connector": "erp",
        "state": "open",
        "calls": 3,
        "failed": 3,
    }
    (line,) = [line for line in logged if line["event"].startswith("circuit")]
    assert line["event"] == "circuit is open: no calls are made"
    assert (line["connector"], line["failed"], line["pauseSeconds"]) == ("erp", 3, 3600.0)


async def test_metrics_tell_the_state_and_its_changes(serve: Serve, upstream: Start) -> None:
    erp = await upstream(answer(status=503))
    served = await serve(connector(erp.url, name="told", circuitBreaker=LONG), route(TOLD))

    await reasons(served, 5)

    text = await served.metrics()
    labels = 'connector="told",namespace="default"'
    assert f'isthmus_connector_circuit{{{labels},state="open"}} 1.0' in text
    assert f'isthmus_connector_circuit{{{labels},state="closed"}} 0.0' in text
    assert f'isthmus_connector_circuit_changes_total{{{labels},state="open"}} 1.0' in text
    assert f'isthmus_connector_calls_total{{{labels},result="CircuitOpen"}} 2.0' in text


async def test_a_system_that_cannot_be_reached_is_left_alone(serve: Serve) -> None:
    served = await serve(
        connector(f"http://127.0.0.1:{unused_port()}", circuitBreaker=LONG), route(CALL)
    )

    assert await reasons(served, 4) == ["ConnectFailed"] * 3 + ["CircuitOpen"]


async def test_a_system_that_breaks_connections_off_is_left_alone(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(resets())
    served = await serve(connector(erp.url, circuitBreaker=LONG), route(CALL))

    assert await reasons(served, 4) == ["ConnectionBroken"] * 3 + ["CircuitOpen"]


async def test_a_slow_system_is_left_alone(serve: Serve, upstream: Start) -> None:
    erp = await upstream(hangs())
    breaker = {**LONG, "patience": "50ms"}
    served = await serve(connector(erp.url, timeout="300ms", circuitBreaker=breaker), route(CALL))

    assert await reasons(served, 4) == ["Timeout"] * 3 + ["CircuitOpen"]


async def test_callers_in_a_hurry_do_not_make_a_system_slow(serve: Serve, upstream: Start) -> None:
    erp = await upstream(hangs())
    breaker = {**LONG, "patience": "1h"}
    served = await serve(connector(erp.url, timeout="50ms", circuitBreaker=breaker), route(CALL))

    assert await reasons(served, 6) == ["Timeout"] * 6


async def test_what_the_caller_did_wrong_is_no_failure(serve: Serve, upstream: Start) -> None:
    behaviours = [answer(status=status) for status in (400, 404, 408, 409, 422, 429)]
    erp = await upstream(*behaviours)
    served = await serve(connector(erp.url, circuitBreaker=LONG), route(CALL))

    assert await reasons(served, 8) == ["UnexpectedStatus"] * 8
    assert (await state(served))["failed"] == 0


async def test_a_rate_limit_without_room_is_no_failure(serve: Serve, upstream: Start) -> None:
    erp = await upstream(answer({}))
    served = await serve(
        connector(
            erp.url,
            timeout="1s",
            rateLimit={"requests": 1, "per": "1h"},
            circuitBreaker={**LONG, "minCalls": 1, "failureRate": 1},
        ),
        route(CALL),
    )

    assert (await served.get()).status_code == 200
    assert await reasons(served, 2) == ["RateLimited"] * 2
    assert (await state(served))["state"] == "closed"


async def test_a_system_that_comes_back_is_tried_by_one_call_and_then_by_all(
    serve: Serve, upstream: Start, logged: list[dict[str, Any]]
) -> None:
    gate = asyncio.Event()
    dead = [answer(status=500)] * 3
    erp = await upstream(*dead, answer("back", when=gate))
    served = await serve(connector(erp.url, circuitBreaker=SHORT), route(CALL))
    assert await reasons(served, 3) == ["UnexpectedStatus"] * 3

    probe = asyncio.create_task(answered(served))
    await erp.until(lambda erp: len(erp.arrivals) == 4)
    others = await asyncio.gather(*(served.get() for _ in range(20)))
    assert {reason(each) for each in others} == {"CircuitOpen"}
    assert (await state(served))["state"] == "half-open"
    assert len(erp.arrivals) == 4

    gate.set()
    assert (await probe).json() == "back"
    assert (await state(served))["state"] == "closed"
    assert {each.status_code for each in [await served.get() for _ in range(5)]} == {200}
    changes = [line["event"].split(":")[0] for line in logged if line["event"][:7] == "circuit"]
    assert changes == ["circuit is open", "circuit is half-open", "circuit is closed"]


async def test_pauses_grow_to_their_longest_while_probes_fail(
    serve: Serve, upstream: Start, logged: list[dict[str, Any]]
) -> None:
    erp = await upstream(answer(status=500))
    served = await serve(connector(erp.url, circuitBreaker=SHORT), route(CALL))

    async with asyncio.timeout(10):
        while len(erp.arrivals) < 7:
            await served.get()

    pauses = [line["pauseSeconds"] for line in logged if "circuit is open" in line["event"]]
    assert pauses[:5] == [0.02, 0.04, 0.08, 0.08, 0.08]


async def test_a_probe_that_nobody_waits_for_makes_room_for_another(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(*[answer(status=500)] * 3, hangs(), answer("back"))
    served = await serve(
        connector(erp.url, timeout="400ms", circuitBreaker={**SHORT, "patience": "1h"}), route(CALL)
    )
    await reasons(served, 3)

    assert (await answered(served)).json() == "back"
    assert len(erp.arrivals) == 5


async def test_retries_do_not_go_on_at_an_open_circuit(serve: Serve, upstream: Start) -> None:
    erp = await upstream(answer(status=503))
    served = await serve(
        connector(
            erp.url,
            timeout="60s",
            retry={"attempts": 10, "backoff": {"initial": "1ms", "max": "1ms"}},
            circuitBreaker=LONG,
        ),
        route(CALL),
    )

    assert await reasons(served, 3) == ["CircuitOpen"] * 3
    assert len(erp.arrivals) == 3


async def test_calls_that_wait_for_the_rate_limit_are_not_made_once_it_opens(
    serve: Serve, upstream: Start
) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer(status=500, when=gate))
    served = await serve(
        connector(
            erp.url,
            rateLimit={"concurrency": 1},
            circuitBreaker={**LONG, "minCalls": 1},
        ),
        route(CALL),
    )
    asking = [asyncio.create_task(served.get()) for _ in range(10)]
    waiting = 'isthmus_connector_rate_limit_waiting{connector="erp",namespace="default"} 9.0'
    async with asyncio.timeout(10):
        while waiting not in await served.metrics():
            pass
    gate.set()

    found = sorted(reason(each) for each in await asyncio.gather(*asking))
    assert found == ["CircuitOpen"] * 9 + ["UnexpectedStatus"]
    assert len(erp.arrivals) == 1


async def test_a_log_in_that_fails_opens_it_and_none_is_made_while_it_is_open(
    serve: Serve, upstream: Start
) -> None:
    erp = await upstream(answer(status=503))
    session = {
        "login": {"path": "/login"},
        "token": "{% token %}",
        "headers": {"x-session": "{% $token %}"},
    }
    breaker = {**LONG, "minCalls": 1}
    served = await serve(
        connector(erp.url, auth={"session": session}, circuitBreaker=breaker), route(CALL)
    )

    assert await reasons(served, 3) == ["SignInFailed", "CircuitOpen", "CircuitOpen"]
    assert [arrival.path for arrival in erp.arrivals] == ["/login"]


async def test_a_fall_back_takes_over_at_once(serve: Serve, upstream: Start) -> None:
    erp = await upstream(hangs())
    served = await serve(
        connector(
            erp.url, timeout="200ms", circuitBreaker={**LONG, "minCalls": 1, "patience": "10ms"}
        ),
        route(f"{CALL}\n  onError: {{use: '{{% $failure.reason %}}'}}"),
    )

    assert [(await served.get()).json() for _ in range(3)] == ["Timeout", *["CircuitOpen"] * 2]
    assert len(erp.arrivals) == 1


async def test_a_change_of_another_route_leaves_it_open(serve: Serve, upstream: Start) -> None:
    erp = await upstream(answer(status=500))
    system = connector(erp.url, circuitBreaker=LONG)
    served = await serve(system, route(CALL))
    await reasons(served, 3)

    await served.load(system, route(CALL), route(CALL, name="new", path="/new"))

    assert await reasons(served, 1, "/new") == ["CircuitOpen"]
