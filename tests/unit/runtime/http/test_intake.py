"""However a stream of bytes is cut, the same requests come out of it."""

import itertools
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from isthmus_runtime.http import intake, limits, messages

STREAM = (
    b"GET /a?b=c HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-Y: z \r\n\r\n"
    b"\r\n"
    b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world"
    b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Trailer: t\r\n\r\n"
    b"POST /u HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
    b"Content-Length: 3\r\n\r\nabc"
    b"GET http://other/x HTTP/1.1\r\nHost: a\r\n\r\n"
    b"GET /refused HTTP/1.1\r\nHost: a\r\n\r\n"
    b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n"
)

Found = tuple[messages.Request, bool] | tuple[messages.Head, int, bool] | int | str
"""A request, an answer before its body, the status of a refusal, or a wait for 100 Continue."""


@dataclass
class Collected:
    found: list[Found] = field(default_factory=list)

    def admit(self, head: messages.Head) -> int | messages.Response:
        return messages.Response(404) if head.path == "/refused" else 1000

    def request(self, request: messages.Request, keep_alive: bool) -> None:
        self.found.append((request, keep_alive))

    def answer(self, head: messages.Head, answer: messages.Response, keep_alive: bool) -> None:
        self.found.append((head, answer.status, keep_alive))

    def refuse(self, head: messages.Head | None, answer: messages.Response) -> None:
        self.found.append(answer.status)

    def dismiss(self, head: messages.Head, answer: messages.Response) -> None:
        self.found.append(answer.status)

    def expects_continue(self) -> None:
        self.found.append("continue")


def read(pieces: list[bytes], **given_limits: int) -> list[Found]:
    sink = Collected()
    reader = intake.Intake(limits.ServerLimits(**given_limits), "peer", sink)
    for piece in pieces:
        reader.feed(piece)
    reader.close()
    return sink.found


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % len(stream) for place in places), len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(bounds)]


def test_a_stream_of_requests_is_understood() -> None:
    found = read([STREAM])

    assert not any(isinstance(item, int) for item in found)
    requests = [
        item[0]
        for item in found
        if isinstance(item, tuple) and isinstance(item[0], messages.Request)
    ]
    assert [request.head.path for request in requests] == [
        "/a",
        "/p",
        "/c",
        "/u",
        "/x",
        "/last",
    ]
    assert [request.body for request in requests] == [
        b"",
        b"hello world",
        b"hello world",
        b"abc",
        b"",
        b"",
    ]
    last = found[-1]
    assert isinstance(last, tuple)
    assert last[1] is False


@given(st.lists(st.integers(0, len(STREAM)), max_size=40))
def test_the_cuts_between_pieces_do_not_matter(places: list[int]) -> None:
    assert read(cut(STREAM, places)) == read([STREAM])


def test_single_bytes_are_understood() -> None:
    assert read([bytes([byte]) for byte in STREAM]) == read([STREAM])


@given(
    st.lists(st.integers(0, len(STREAM)), max_size=10), st.integers(0, len(STREAM) - 1), st.data()
)
def test_a_damaged_byte_never_breaks_the_intake(
    places: list[int], where: int, data: st.DataObject
) -> None:
    damaged = bytearray(STREAM)
    damaged[where] = data.draw(st.integers(0, 255))
    found = read(cut(bytes(damaged), places))

    assert sum(isinstance(item, int) for item in found) <= 1
    if any(isinstance(item, int) for item in found):
        assert isinstance(found[-1], int)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_garbage_never_breaks_the_intake(pieces: list[bytes]) -> None:
    found = read(pieces, header_bytes=500, target_bytes=50, header_count=5)

    assert sum(isinstance(item, int) for item in found) <= 1
