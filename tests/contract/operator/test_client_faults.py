"""The operator's client against an API server that misbehaves, on real sockets."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import upstreams
from upstreams import Behave, Upstream, answer, hangs, head, resets, says

from isthmus_operator.kube import Access, ApiError, Client, Forbidden, Gone, Refused
from isthmus_operator.kube.errors import Busy
from isthmus_operator.kube.kinds import CONFIG_MAPS, ROUTES

PATIENCE = 0.3
OBJECT = {"metadata": {"namespace": "here", "name": "one", "resourceVersion": "1"}}
CHUNKED = head(200, "transfer-encoding: chunked", "content-type: application/json")
Call = Callable[[Client], Awaitable[Any]]


async def _watched(client: Client) -> list[str]:
    return [kind async for kind, _ in client.watch(CONFIG_MAPS, "here", since="1")]


async def _listed(client: Client) -> list[Any]:
    return [chunk async for chunk, _ in client.list(CONFIG_MAPS, "here")]


CALLS: dict[str, Call] = {
    "get": lambda client: client.get(CONFIG_MAPS, "here", "one"),
    "list": _listed,
    "watch": _watched,
    "patch": lambda client: client.apply(CONFIG_MAPS, OBJECT),
    "create": lambda client: client.create(CONFIG_MAPS, OBJECT),
    "update": lambda client: client.replace(CONFIG_MAPS, OBJECT),
    "delete": lambda client: client.delete(CONFIG_MAPS, "here", "one", uid="u"),
}


@pytest.fixture
async def server() -> AsyncIterator[Upstream]:
    """An API server that resets every connection, until a test says otherwise."""
    server = Upstream(upstreams.choosing((resets(),)))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def faulty(server: Upstream) -> AsyncIterator[Client]:
    """A client of that server, with little patience."""
    access = Access(server.url, None, fixed_token="canary")
    async with Client(access, timeout=PATIENCE, silence=PATIENCE) as client:
        yield client


def _so(server: Upstream, *behaviours: Behave) -> None:
    server.choose = upstreams.choosing(behaviours)


NO_ANSWERS = {
    "connections are reset": resets(),
    "it closes without a word": says(b""),
    "it hangs": hangs(),
    "it hangs after the head": hangs(CHUNKED),
    "it closes in the middle of a body": says(CHUNKED + b'5\r\n{"a":'),
    "it talks no HTTP": says(b"220 mail ready\r\n\r\n"),
    "it answers what is no JSON": answer(body=b"<html>"),
    "it answers JSON of another shape": answer([1]),
}


@pytest.mark.parametrize("verb", CALLS)
@pytest.mark.parametrize("case", NO_ANSWERS)
async def test_what_is_no_answer_is_an_error_with_status_0(
    verb: str, case: str, server: Upstream, faulty: Client
) -> None:
    _so(server, NO_ANSWERS[case])

    with pytest.raises(ApiError) as failed:
        await CALLS[verb](faulty)

    assert (failed.value.status, failed.value.reason) == (0, "NoAnswer")
    assert "canary" not in str(failed.value)


@pytest.mark.parametrize("verb", CALLS)
@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, Busy), (503, Busy), (500, ApiError), (403, Forbidden), (410, Gone), (422, Refused)],
)
async def test_a_refusal_is_an_error_of_its_kind(
    verb: str, status: int, kind: type[ApiError], server: Upstream, faulty: Client
) -> None:
    said = {"kind": "Status", "reason": "Because", "message": "not now", "code": status}
    _so(server, answer(said, status=status))

    with pytest.raises(ApiError) as refused:
        await CALLS[verb](faulty)

    assert type(refused.value) is kind
    assert (refused.value.status, refused.value.reason) == (status, "Because")


@pytest.mark.parametrize(
    ("said", "after"), [("7", 7.0), ("86400", 60.0), ("soon", 0.0), ("-1", 0.0), ("²", 0.0)]
)
async def test_the_wait_that_a_server_asks_for_is_told_within_a_minute(
    said: str, after: float, server: Upstream, faulty: Client
) -> None:
    _so(server, answer(status=429, headers=(f"retry-after: {said}",)))

    with pytest.raises(Busy) as busy:
        await faulty.get(CONFIG_MAPS, "here", "one")

    assert busy.value.after == after


async def test_a_redirect_is_no_answer_to_follow(server: Upstream, faulty: Client) -> None:
    _so(server, answer(status=307, headers=("location: /elsewhere",)))

    with pytest.raises(ApiError) as refused:
        await faulty.get(CONFIG_MAPS, "here", "one")

    assert refused.value.status == 307
    assert len(server.arrivals) == 1


async def test_a_watch_gives_what_came_before_the_cut(server: Upstream, faulty: Client) -> None:
    event = b'{"type": "ADDED", "object": {"metadata": {}}}\n'
    _so(server, says(CHUNKED + b"%x\r\n%b\r\n" % (len(event), event)))
    events = faulty.watch(CONFIG_MAPS, "here", since="1")

    assert await anext(events) == ("ADDED", {"metadata": {}})
    with pytest.raises(ApiError):
        await anext(events)


async def test_an_error_inside_a_watch_is_one_of_its_kind(server: Upstream, faulty: Client) -> None:
    _so(server, answer({"type": "ERROR", "object": {"code": 410, "reason": "Expired"}}))

    with pytest.raises(Gone):
        await _watched(faulty)


async def test_a_token_file_that_is_away_is_an_error_of_ours(
    server: Upstream, tmp_path: Any
) -> None:
    async with Client(Access(server.url, None, token_file=tmp_path / "token")) as client:
        with pytest.raises(ApiError):
            await client.get(CONFIG_MAPS, "here", "one")


async def test_each_request_is_observed_once(server: Upstream) -> None:
    seen: list[tuple[str, str, int]] = []
    _so(server, answer({}), answer(status=500), resets())
    access = Access(server.url, None)
    manifest = {"metadata": {"namespace": "here", "name": "one"}}
    async with Client(
        access, observe=lambda verb, kind, status, _: seen.append((verb, kind, status))
    ) as client:
        await client.apply(ROUTES, manifest, sub="status")
        for _ in range(2):
            with pytest.raises(ApiError):
                await client.create(CONFIG_MAPS, manifest)

    assert seen == [
        ("patch", "Route/status", 200),
        ("create", "ConfigMap", 500),
        ("create", "ConfigMap", 0),
    ]
