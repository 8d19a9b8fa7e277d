"""The fakes that `isthmus test` runs Routes with: scripted answers and a clock that jumps."""

import asyncio
import time
from typing import Any

import pytest

from isthmus_api.connector import HttpTransport
from isthmus_api.route_case import TestAnswer
from isthmus_runtime import testing
from isthmus_runtime.http import errors
from isthmus_runtime.http.messages import Response

ERP = HttpTransport.model_validate({"baseUrl": "https://erp.example.com/api"})


def script(*answers: dict[str, Any]) -> testing.ScriptedAnswers:
    return testing.ScriptedAnswers(
        [TestAnswer.model_validate({"connector": "erp", **answer}) for answer in answers]
    )


def send(answers: testing.ScriptedAnswers, method: str, *targets: str) -> list[Response]:
    async def all_of() -> list[Response]:
        transport = answers.transport("erp", ERP)
        deadline = asyncio.get_running_loop().time() + 5
        return [await transport.send(method, target, deadline=deadline) for target in targets]

    return testing.run(all_of())


def test_answers_are_used_in_order_by_the_first_call_they_fit() -> None:
    answers = script({"path": "/b", "body": 1}, {"body": 2}, {"method": "GET", "body": 3})

    bodies = [answer.body for answer in send(answers, "GET", "/api/a", "/api/b", "/api/c")]

    assert bodies == [b"2", b"1", b"3"]
    assert answers.unused == ()


def test_a_call_without_an_answer_is_named() -> None:
    answers = script({"path": "/a"})

    with pytest.raises(testing.NoAnswer, match="GET /b of the Connector erp"):
        send(answers, "GET", "/api/b")

    assert [call.path for call in answers.unanswered] == ["/b"]


def test_calls_are_kept_below_the_base_url_with_their_query_decoded() -> None:
    answers = script({})

    send(answers, "GET", "/api/a%2Fb?q=x%20y&q=z&e=")

    [call] = answers.calls
    assert (call.path, call.query) == ("/a%2Fb", {"q": ["x y", "z"], "e": [""]})


@pytest.mark.parametrize(
    ("fail", "error"),
    [
        pytest.param("connect", errors.ConnectFailed, id="no connection"),
        pytest.param("timeout", errors.DeadlineExceeded, id="no answer in time"),
        pytest.param("broken", errors.ConnectionBroken, id="half an answer"),
    ],
)
def test_failures_are_the_clients_own_errors(fail: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        send(script({"fail": fail}), "GET", "/api/a")


def test_a_system_that_is_down_stays_down_for_the_same_call() -> None:
    answers = script({"status": 503})

    assert [answer.status for answer in send(answers, "GET", "/api/a", "/api/a")] == [503, 503]
    with pytest.raises(testing.NoAnswer):
        send(answers, "GET", "/api/b")


def test_the_clock_jumps_over_waits() -> None:
    async def wait() -> float:
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await asyncio.gather(asyncio.sleep(10), asyncio.sleep(86_400))
        return loop.time() - started

    started = time.perf_counter()

    assert testing.run(wait()) == pytest.approx(3600)
    assert time.perf_counter() - started < 5


def test_waiting_for_what_cannot_happen_ends() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="cannot happen"):
        testing.run(wait())
