"""Tokens that several runtimes share through a journal in PostgreSQL, and one that is away."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import asyncpg
import postgres
import pytest
from authorization_server import CLIENT, SECRET, AuthorizationServer, Client
from manifests_text import connector, route
from served import Serve, Served, Start
from upstreams import Arrival, Behave, answer

CALL = "- call: {connector: erp}"
VALUES = {"erp/id": CLIENT, "erp/secret": SECRET, "erp/refresh": "first"}


def ref(key: str) -> dict[str, Any]:
    return {"secretKeyRef": {"name": "erp", "key": key}}


@pytest.fixture(scope="module")
def cluster() -> Iterator[postgres.Cluster]:
    with postgres.Cluster() as started:
        yield started


@pytest.fixture
def database(cluster: postgres.Cluster) -> str:
    return cluster.database()


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    started = AuthorizationServer(Client("client_secret_basic"))
    started.start()
    yield started
    started.stop()


class System:
    """Takes the tokens of a server, but for those that it was told to refuse."""

    def __init__(self, server: AuthorizationServer) -> None:
        self.server = server
        self.refused: set[str | None] = set()
        self.shown: list[str | None] = []

    def __call__(self, arrival: Arrival) -> Behave:
        shown = arrival.header("authorization")
        self.shown.append(shown)
        is_good = shown in self.server.good and shown not in self.refused
        return answer({}, status=200 if is_good else 401)


def sharing(server: AuthorizationServer, **more: Any) -> dict[str, Any]:
    spec = {"tokenUrl": server.url, "clientId": ref("id"), "clientSecret": ref("secret")}
    return {"oauth2": {**spec, "sharedToken": True, **more}}


async def replicas(
    count: int, serve: Serve, url: str, auth: dict[str, Any], database: str, **more: Any
) -> list[Served]:
    """Runtimes of one Route, as its pods are, each with the journal open."""
    manifests = connector(url, auth=auth, **more), route(CALL)
    started = [await serve(*manifests, journal=database, secrets_in=VALUES) for _ in range(count)]
    await asyncio.gather(*(each.opened() for each in started))
    return started


async def statuses(served: list[Served]) -> set[int]:
    return {answered.status_code for answered in await asyncio.gather(*(s.get() for s in served))}


async def test_replicas_that_begin_together_ask_for_one_token(
    serve: Serve, upstream: Start, server: AuthorizationServer, database: str
) -> None:
    system = System(server)
    erp = await upstream(system)
    started = await replicas(4, serve, erp.url, sharing(server), database)

    assert await statuses(started * 5) == {200}
    assert len(server.issued) == 1
    assert len(set(system.shown)) == 1


async def test_a_token_that_ended_early_is_renewed_once_for_all(
    serve: Serve, upstream: Start, server: AuthorizationServer, database: str
) -> None:
    system = System(server)
    erp = await upstream(system)
    started = await replicas(3, serve, erp.url, sharing(server), database)
    await statuses(started)
    system.refused |= server.good

    assert await statuses(started * 5) == {200}
    assert len(server.issued) == 2


async def test_a_token_is_renewed_ahead_of_its_end_once_for_all(
    serve: Serve, upstream: Start, database: str
) -> None:
    server = AuthorizationServer(Client("client_secret_basic"), life=3)
    server.start()
    try:
        erp = await upstream(System(server))
        started = await replicas(3, serve, erp.url, sharing(server), database)
        async with asyncio.timeout(60):
            while len(server.issued) < 2:
                assert await statuses(started) == {200}
        await statuses(started)
    finally:
        server.stop()

    assert len(server.issued) < 1 + 3, "each would have renewed it"


async def test_who_begins_later_finds_the_token(
    serve: Serve, upstream: Start, server: AuthorizationServer, database: str
) -> None:
    """In a Route of its own, too, and with another name of the Connector."""
    erp = await upstream(System(server))
    await statuses(await replicas(1, serve, erp.url, sharing(server), database))
    other = await serve(
        connector(erp.url, name="same", auth=sharing(server)),
        route("- call: {connector: same}", name="other"),
        journal=database,
        secrets_in=VALUES,
    )

    assert await statuses([other]) == {200}
    assert len(server.issued) == 1


async def test_the_database_alone_tells_neither_token_nor_credentials(
    serve: Serve, upstream: Start, server: AuthorizationServer, database: str, logged: list[Any]
) -> None:
    erp = await upstream(System(server))
    server.refreshed.append("first")
    auth = sharing(server, refreshToken={"token": ref("refresh")})
    started = await replicas(1, serve, erp.url, auth, database)
    await statuses(started)
    reading = await asyncpg.connect(database)
    names = await reading.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'isthmus'")
    held = [await reading.fetch(f"SELECT t::text FROM isthmus.{name} AS t") for (name,) in names]
    [(value,)] = await reading.fetch("SELECT value FROM isthmus.memories")
    await reading.close()

    token = server.issued[0].document
    canaries = [token["access_token"], token["refresh_token"], SECRET]
    shown = [str(held), bytes(value).decode(), json.dumps(logged, default=repr)]
    shown.append(await started[0].metrics())
    assert all(canary not in text for canary in canaries for text in shown)


async def test_who_has_other_credentials_finds_nothing(
    serve: Serve, upstream: Start, server: AuthorizationServer, database: str
) -> None:
    erp = await upstream(System(server))
    await statuses(await replicas(1, serve, erp.url, sharing(server), database))
    other = await serve(
        connector(erp.url, auth=sharing(server)),
        route(CALL),
        journal=database,
        secrets_in={**VALUES, "erp/secret": "guessed"},
    )

    assert await statuses([other]) == {502}
    assert len(server.forms) == 2


async def test_what_somebody_wrote_over_it_is_no_token(
    serve: Serve, upstream: Start, server: AuthorizationServer, database: str
) -> None:
    system = System(server)
    erp = await upstream(system)
    await statuses(await replicas(1, serve, erp.url, sharing(server), database))
    writing = await asyncpg.connect(database)
    for written in (b'"AAAA"', b'"%%"', b"[1]", b"no JSON"):
        await writing.execute("UPDATE isthmus.memories SET value = $1", written)
        assert await statuses(await replicas(1, serve, erp.url, sharing(server), database)) == {200}
    await writing.close()

    assert len(server.issued) == 5


async def test_refresh_tokens_that_are_good_once_are_handed_on(
    serve: Serve, upstream: Start, server: AuthorizationServer, database: str
) -> None:
    """From replica to replica, and over a restart of them all."""
    server.refreshed.append("first")
    system = System(server)
    erp = await upstream(system)
    auth = sharing(server, refreshToken={"token": ref("refresh")})
    for _ in range(2):
        started = await replicas(2, serve, erp.url, auth, database)
        for _ in range(2):
            system.refused |= server.good
            for each in started:
                assert await statuses([each]) == {200}

    used = [form["refresh_token"] for form in server.forms]
    assert used == server.refreshed[:4]


async def test_after_one_that_was_killed_while_it_asked_another_one_asks(
    serve: Serve, upstream: Start, server: AuthorizationServer, database: str
) -> None:
    """Its lease is in the database still; that of this test is over soon."""
    erp = await upstream(System(server))
    [first] = await replicas(1, serve, erp.url, sharing(server), database)
    await statuses([first])
    writing = await asyncpg.connect(database)
    [(name,)] = await writing.fetch("DELETE FROM isthmus.memories RETURNING key")
    await writing.execute(
        "INSERT INTO isthmus.leads (task, owner, until)"
        " VALUES ($1, 'killed', extract(epoch FROM clock_timestamp()) + 1)",
        f"token default/{name}",
    )
    second = await replicas(1, serve, erp.url, sharing(server), database, timeout="30s")

    assert await statuses(second) == {200}
    assert len(server.issued) == 2
    left = await writing.fetchval("SELECT count(*) FROM isthmus.leads")
    await writing.close()
    assert left == 0


async def test_while_another_one_asks_for_too_long_the_call_fails(
    serve: Serve, upstream: Start, server: AuthorizationServer, database: str
) -> None:
    erp = await upstream(System(server))
    [first] = await replicas(1, serve, erp.url, sharing(server), database)
    await statuses([first])
    writing = await asyncpg.connect(database)
    [(name,)] = await writing.fetch("DELETE FROM isthmus.memories RETURNING key")
    await writing.execute(
        "INSERT INTO isthmus.leads (task, owner, until)"
        " VALUES ($1, 'slow', extract(epoch FROM clock_timestamp()) + 6)",
        f"token default/{name}",
    )
    await writing.close()
    [second] = await replicas(1, serve, erp.url, sharing(server), database, timeout="1s")

    response = await second.get()

    detail = "erp cannot sign in: the token endpoint did not answer in time"
    assert (response.status_code, response.json()["detail"]) == (504, detail)
    assert len(server.issued) == 1


async def test_without_the_journal_each_has_a_token_of_its_own(
    serve: Serve, upstream: Start, server: AuthorizationServer, logged: list[Any]
) -> None:
    erp = await upstream(System(server))
    manifests = connector(erp.url, auth=sharing(server)), route(CALL)
    away = "postgresql://nobody@127.0.0.1:1/none"
    started = [await serve(*manifests, journal=away, secrets_in=VALUES) for _ in range(2)]

    assert await statuses(started * 3) == {200}
    assert len(server.issued) == 2
    told = [line for line in logged if "of this process alone" in str(line["event"])]
    assert len(told) == 2, "once in a process"


async def test_without_a_journal_nothing_is_shared(
    serve: Serve, upstream: Start, server: AuthorizationServer, tmp_path: Any
) -> None:
    """Nor with one in a file, which is not opened for it."""
    erp = await upstream(System(server))
    file = tmp_path / "journal.db"
    manifests = connector(erp.url, auth=sharing(server)), route(CALL)
    started = [await serve(*manifests, secrets_in=VALUES)]
    started.append(await serve(*manifests, journal=f"sqlite:{file}", secrets_in=VALUES))

    assert await statuses(started * 3) == {200}
    assert len(server.issued) == 2
    assert not file.exists()
