"""What an informer believes when a request and its watch tell of the same object."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, cast

import pytest

from isthmus_operator.informer import Informer
from isthmus_operator.kube import ApiError, Client, Gone
from isthmus_operator.kube.kinds import SERVICES
from isthmus_operator.live import Child

NAME = ("shop", "it")


class Script:
    """A client whose lists and watches are written down; it ends with `StopIteration`."""

    def __init__(self, *lists: Any, watches: tuple[Any, ...] = ()) -> None:
        self.lists = iter(lists)
        self.watches = iter(watches)
        self.since: list[str] = []

    async def list(self, *_: Any, **__: Any) -> AsyncIterator[tuple[list[Any], str]]:
        for chunk in next(self.lists):
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    async def watch(self, *_: Any, since: str, **__: Any) -> AsyncGenerator[tuple[str, Any], None]:
        self.since.append(since)
        for event in next(self.watches):
            if isinstance(event, Exception):
                raise event
            yield event


def _service(version: int, name: str = "it") -> dict[str, Any]:
    metadata = {"namespace": "shop", "name": name, "uid": name, "resourceVersion": str(version)}
    return {"kind": "Service", "metadata": metadata, "spec": {"version": version}}


def _informer(script: Script) -> Informer[Child]:
    return Informer(
        cast(Client, script),
        SERVICES,
        namespace=None,
        selector="",
        remember=Child.of,
        changed=lambda *_: None,
    )


class _End(Exception):
    """The script is over."""


@pytest.mark.parametrize(("version", "believed"), [(4, 5), (5, 5), (6, 6)])
async def test_the_answer_to_a_request_does_not_undo_what_the_watch_told(
    version: int, believed: int
) -> None:
    informer = _informer(Script([([], "1")], watches=([("ADDED", _service(5)), _End()],)))
    with pytest.raises(_End):
        await informer.run()

    put = informer.put(_service(version))

    assert put.version == believed
    assert informer.get(NAME) == put


async def test_a_list_that_broke_off_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """What went while it was broken off would never be missed otherwise."""

    async def at_once(_: float) -> None: ...

    monkeypatch.setattr("asyncio.sleep", at_once)
    broken = [([_service(5)], ""), ApiError(500, "InternalError", "half of it")]
    script = Script(
        [([_service(5), _service(6, "gone")], "7")],
        broken,
        [([_service(5)], "20")],
        watches=([Gone(410, "Expired", "too old")], [_End()]),
    )
    informer = _informer(script)
    with pytest.raises(_End):
        await informer.run()

    assert script.since == ["7", "20"]
    assert [name for name, _ in informer] == [NAME]
