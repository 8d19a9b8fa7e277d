"""Kubernetes Events: as kubectl shows them, and what happens when they cannot be written."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import upstreams
from control_plane import ControlPlane
from upstreams import Upstream, answer, resets

from isthmus_operator.events import Events, Subject
from isthmus_operator.kube import Access, Client
from isthmus_operator.kube.kinds import EVENTS, ROUTES
from isthmus_operator.queue import Backoff

WITHIN = 10.0
QUICK = Backoff(first=0.01, longest=0.02)
ROUTE = {
    "apiVersion": ROUTES.api_version,
    "kind": "Route",
    "spec": {"source": {"http": {"path": "/x"}}, "steps": [{"respond": {"status": 204}}]},
}


@contextlib.asynccontextmanager
async def _writing(events: Events) -> AsyncIterator[None]:
    task = asyncio.create_task(events.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _subject(found: dict[str, Any]) -> Subject:
    metadata = found["metadata"]
    return Subject(
        found["apiVersion"], found["kind"], metadata["namespace"], metadata["name"], metadata["uid"]
    )


HERE = Subject("isthmus.dev/v1alpha1", "Route", "here", "one", "u")


def _tell(events: Events, subject: Subject = HERE, message: str = "2 of 2 pods serve.") -> None:
    events.tell(subject, kind="Normal", reason="Ready", message=message)


async def test_kubectl_shows_what_was_told(
    client: Client, plane: ControlPlane, namespace: str
) -> None:
    metadata = {"namespace": namespace, "name": "search"}
    subject = _subject(await client.apply(ROUTES, ROUTE | {"metadata": metadata}))
    events = Events(client, pod="isthmus-operator-1")
    async with _writing(events):
        _tell(events, subject)
        events.tell(subject, kind="Warning", reason="Stalled", message="A step is wrong.")
        assert await events.written(WITHIN)

    described = plane.kubectl("describe", "route", "search", "-n", namespace).stdout
    shown = plane.kubectl("get", "events", "-n", namespace, "--sort-by=.eventTime").stdout
    shown_events = [line.split(maxsplit=4) for line in shown.splitlines()[1:]]
    assert "2 of 2 pods serve." in described
    assert "isthmus.dev/operator" in described
    assert {tuple(line[1:4]) for line in shown_events} == {
        ("Normal", "Ready", "route/search"),
        ("Warning", "Stalled", "route/search"),
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a" * 253, "long name"),
        (("a" * 235) + "-" * 10 + "b" * 8, "a name cut at its dashes"),
        ("plain", "ü" * 5000),
        ("plain", ""),
    ],
    ids=["a name of full length", "a name cut at a dash", "a long note", "an empty note"],
)
async def test_the_api_server_takes_it_whatever_is_told(
    name: str, message: str, client: Client, namespace: str
) -> None:
    fates: list[str] = []
    events = Events(client, pod="p" * 500, told=fates.append)
    async with _writing(events):
        _tell(events, Subject("isthmus.dev/v1alpha1", "Route", namespace, name, "u"), message)
        assert await events.written(WITHIN)

    (chunk,) = [chunk async for chunk, _ in client.list(EVENTS, namespace)]
    assert fates == ["written"]
    assert chunk[0].get("note", "")[:500] == message[:500]


@pytest.fixture
async def server() -> AsyncIterator[Upstream]:
    """Stands where the API server does; a test says what it answers."""
    server = Upstream(upstreams.choosing((answer({}),)))
    await server.start()
    yield server
    await server.stop()


async def test_a_fault_that_passes_loses_no_event(server: Upstream) -> None:
    fates: list[str] = []
    server.choose = upstreams.choosing(
        (resets(), answer(status=500), answer(status=429), answer({}, status=201))
    )
    async with Client(Access(server.url, None)) as client:
        events = Events(client, pod="p", backoff=QUICK, told=fates.append)
        async with _writing(events):
            _tell(events)
            assert await events.written(WITHIN)

    assert fates == ["written"]
    assert len({arrival.body for arrival in server.arrivals}) == 1  # one name: never written twice


async def test_one_that_arrived_though_its_answer_did_not_is_written(server: Upstream) -> None:
    fates: list[str] = []
    server.choose = upstreams.choosing((resets(), answer(status=409)))
    async with Client(Access(server.url, None)) as client:
        events = Events(client, pod="p", backoff=QUICK, told=fates.append)
        async with _writing(events):
            _tell(events)
            assert await events.written(WITHIN)

    assert fates == ["written"]


@pytest.mark.parametrize(("status", "requests"), [(403, 1), (404, 1), (422, 1), (500, 6)])
async def test_what_is_refused_is_dropped_and_the_next_is_written(
    status: int, requests: int, server: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    fates: list[str] = []
    refusals = [answer(status=status) for _ in range(requests)]
    server.choose = upstreams.choosing((*refusals, answer({}, status=201)))
    async with Client(Access(server.url, None)) as client:
        events = Events(client, pod="p", backoff=QUICK, told=fates.append)
        async with _writing(events):
            _tell(events)
            _tell(events)
            assert await events.written(WITHIN)

    assert fates == ["dropped", "written"]
    assert "event dropped" in caplog.messages


async def test_telling_never_waits(server: Upstream) -> None:
    fates: list[str] = []
    async with Client(Access(server.url, None)) as client:
        events = Events(client, pod="p", waiting=3, told=fates.append)
        for _ in range(5):
            _tell(events)

        assert fates == ["dropped", "dropped"]
        async with _writing(events):
            assert await events.written(WITHIN)
    assert fates.count("written") == 3
