"""Limits that several runtimes share through a journal, and what becomes of them without it."""

import asyncio
import signal
from collections.abc import Iterator
from typing import Any

import asyncpg
import postgres
import pytest
import upstreams
from manifests_text import connector, delivering, route
from served import Serve, Served, Start
from upstreams import answer

HOURLY = {"requests": 2, "per": "1h"}
CALL = "- call: {connector: erp}"


@pytest.fixture(scope="module")
def cluster() -> Iterator[postgres.Cluster]:
    """A server of these tests' own, for one of them stops it."""
    with postgres.Cluster() as started:
        yield started


@pytest.fixture
def database(cluster: postgres.Cluster) -> str:
    return cluster.database()


async def status_of(served: Served) -> int:
    return (await served.get()).status_code


async def alone(served: Served) -> float:
    """How many calls a runtime counted for itself though there is a journal."""
    lines = (await served.metrics()).splitlines()
    name = "isthmus_connector_rate_limit_alone_total{"
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


async def test_routes_that_answer_share_a_limit(
    serve: Serve, upstream: Start, database: str
) -> None:
    erp = await upstream(answer({}))
    manifests = connector(erp.url, rateLimit=HOURLY), route(CALL)
    here = await serve(*manifests, journal=database)
    there = await serve(*manifests, journal=database)
    await asyncio.gather(here.opened(), there.opened())
    before = await alone(here)

    answered = [await status_of(each) for each in (here, there, here, there)]

    assert answered == [200, 200, 503, 503]
    assert len(erp.arrivals) == 2
    assert await alone(here) == before


async def test_connectors_of_other_namespaces_and_names_are_apart(
    serve: Serve, upstream: Start, database: str
) -> None:
    erp = await upstream(answer({}))
    one = await serve(connector(erp.url, rateLimit=HOURLY), route(CALL), journal=database)
    other = await serve(
        connector(erp.url, name="pim", rateLimit=HOURLY),
        route("- call: {connector: pim}"),
        journal=database,
    )
    await asyncio.gather(one.opened(), other.opened())

    answered = [await status_of(each) for each in (one, one, one, other, other, other)]

    assert answered == [200, 200, 503] * 2


async def test_calls_at_once_are_shared(serve: Serve, upstream: Start, database: str) -> None:
    gate = asyncio.Event()
    erp = await upstream(answer({}, when=gate))
    manifests = connector(erp.url, rateLimit={"concurrency": 1}), route(CALL)
    here = await serve(*manifests, journal=database)
    there = await serve(*manifests, journal=database)
    await asyncio.gather(here.opened(), there.opened())

    asking = [asyncio.create_task(status_of(each)) for each in (here, there, here, there)]
    await erp.until(lambda erp: erp.under_way == 1)
    gate.set()

    assert await asyncio.gather(*asking) == [200] * 4
    assert erp.most_under_way == 1


async def test_what_one_was_told_holds_back_the_others(
    serve: Serve, upstream: Start, database: str
) -> None:
    erp = await upstream(answer(status=429, headers=("retry-after: 50",)))
    manifests = connector(erp.url, rateLimit={"requests": 1000}), route(CALL)
    here = await serve(*manifests, journal=database)
    there = await serve(*manifests, journal=database)
    await asyncio.gather(here.opened(), there.opened())

    assert await status_of(here) == 502

    async with asyncio.timeout(30):
        while await status_of(there) != 503:
            pass
    arrived = len(erp.arrivals)
    assert await status_of(there) == await status_of(here) == 503
    assert len(erp.arrivals) == arrived


async def test_callers_are_answered_while_the_journal_is_away(
    serve: Serve, upstream: Start, logged: list[dict[str, Any]]
) -> None:
    erp = await upstream(answer({}))
    nowhere = f"postgresql://nobody@127.0.0.1:{upstreams.unused_port()}/none"
    served = await serve(connector(erp.url, rateLimit=HOURLY), route(CALL), journal=nowhere)
    assert (await served.admin.get("/readyz")).status_code == 200
    before = await alone(served)

    answered = [await status_of(served) for _ in range(3)]

    assert answered == [200, 200, 503], "the limit holds within the process"
    assert await alone(served) - before == 2
    told = [
        line for line in logged if line["event"] == "limits and tokens are of this process alone"
    ]
    assert [line["level"] for line in told] == ["warning"], "once in an outage"


async def test_a_limit_is_counted_here_in_an_outage_and_shared_again_after_it(
    serve: Serve, upstream: Start, database: str, cluster: postgres.Cluster
) -> None:
    erp = await upstream(answer({}))
    limit = {"requests": 1000, "per": "1h"}
    served = await serve(
        connector(erp.url, rateLimit=limit, timeout="30s"), route(CALL), journal=database
    )
    await served.opened()
    assert await status_of(served) == 200
    before = await alone(served)

    cluster.stop(signal.SIGQUIT)
    assert await status_of(served) == 200
    assert await alone(served) > before
    cluster.start()

    def counted() -> int:
        """What the database knows of."""
        asked = "SELECT coalesce(sum(u), 0) FROM isthmus.limits, unnest(used) AS u"
        return int(cluster.sql(asked, database.rsplit("/")[-1], patience=30))

    first = counted()
    async with asyncio.timeout(30):
        while counted() == first:
            assert await status_of(served) == 200


async def test_a_journal_that_does_not_answer_holds_no_call_up_for_long(
    serve: Serve, upstream: Start, database: str
) -> None:
    erp = await upstream(answer({}))
    served = await serve(
        connector(erp.url, rateLimit={"requests": 1000}), route(CALL), journal=database
    )
    await served.opened()
    before = await alone(served)
    other = await asyncpg.connect(database)
    try:
        async with other.transaction():
            await other.execute("LOCK TABLE isthmus.limits IN ACCESS EXCLUSIVE MODE")
            assert await status_of(served) == 200
    finally:
        await other.close()

    assert await alone(served) == before + 1


@pytest.mark.parametrize("limit", [None, HOURLY], ids=["no limit", "a limit, and a file"])
async def test_no_journal_is_opened_for_nothing(
    serve: Serve, upstream: Start, tmp_path: Any, limit: dict[str, Any] | None
) -> None:
    """Not for Connectors without a limit; nor one that is of this process alone."""
    erp = await upstream(answer({}))
    file = tmp_path / "journal.db"
    address = f"sqlite:{file}" if limit else "postgresql://nobody@127.0.0.1:1/none"
    served = await serve(connector(erp.url, rateLimit=limit), route(CALL), journal=address)

    assert await status_of(served) == 200
    assert "journal" not in (await served.admin.get("/status")).json()
    assert not file.exists()


async def test_a_journal_of_one_process_counts_nothing(
    serve: Serve, upstream: Start, tmp_path: Any
) -> None:
    erp = await upstream(answer({}))
    hook = delivering({"webhook": {"path": "/hook", "open": True}}, CALL, name="hook")
    served = await serve(
        connector(erp.url, rateLimit=HOURLY),
        route(CALL),
        hook,
        journal=f"sqlite:{tmp_path / 'journal.db'}",
    )
    before = await alone(served)

    answered = [await status_of(served) for _ in range(3)]

    assert answered == [200, 200, 503]
    assert await alone(served) == before
