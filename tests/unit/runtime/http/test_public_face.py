"""The package shows what it means to show."""

import types

from isthmus_runtime import http
from isthmus_runtime.http import transport


def test_all_names_are_the_public_names() -> None:
    public = {
        name
        for name, value in vars(http).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }

    assert sorted(public) == sorted(http.__all__)


async def test_the_client_is_a_transport() -> None:
    client: transport.Transport = http.Client(http.Origin("http", "localhost", 80))

    assert callable(client.send)


def test_every_client_error_says_whether_something_was_sent() -> None:
    errors = [
        http.ClientClosed(),
        http.ConnectFailed("x"),
        http.DeadlineExceeded("pool"),
        http.DeadlineExceeded("response"),
        http.ConnectionBroken(3, "reset"),
        http.MalformedResponse("x"),
        http.ResponseTooLarge(9),
    ]

    assert [error.sent for error in errors] == [False, False, False, True, True, True, True]
    assert all(isinstance(error, http.ClientError) for error in errors)
