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


@dataclass
class Collected:
    found: list[object] = field(default_factory=list)

    def admit(self, head):
        return messages.Response(404) if head.path == "/refused" else 1000

    def request(self, request, keep_alive):
        self.found.append((request, keep_alive))

    def answer(self, head, answer, keep_alive):
        self.found.append((head, answer.status, keep_alive))

    def refuse(self, head, answer):
        self.found.append(answer.status)

    def expects_continue(self):
        self.found.append("continue")


def read(pieces: list[bytes], **given_limits: int) -> list[object]:
    sink = Collected()
    reader = intake.Intake(limits.ServerLimits(**given_limits), "peer", sink)
    for piece in pieces:
        reader.feed(piece)
    reader.close()
    return sink.found


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % len(stream) for place in places), len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(bounds)]


def test_a_stream_of_requests_is_understood():
    found = read([STREAM])

    assert [item[0].head.path for item in found if isinstance(item[0], messages.Request)] == [
        "/a",
        "/p",
        "/c",
        "/u",
        "/x",
        "/last",
    ]
    assert [item[0].body for item in found if isinstance(item[0], messages.Request)] == [
        b"",
        b"hello world",
        b"hello world",
        b"abc",
        b"",
        b"",
    ]
    assert found[-1][1] is False


@given(st.lists(st.integers(0, len(STREAM)), max_size=40))
def test_the_cuts_between_pieces_do_not_matter(places):
    assert read(cut(STREAM, places)) == read([STREAM])


def test_single_bytes_are_understood():
    assert read([bytes([byte]) for byte in STREAM]) == read([STREAM])


@given(
    st.lists(st.integers(0, len(STREAM)), max_size=10), st.integers(0, len(STREAM) - 1), st.data()
)
def test_a_damaged_byte_never_breaks_the_intake(places, where, data):
    damaged = bytearray(STREAM)
    damaged[where] = data.draw(st.integers(0, 255))
    found = read(cut(bytes(damaged), places))

    assert sum(isinstance(item, int) for item in found) <= 1
    if any(isinstance(item, int) for item in found):
        assert isinstance(found[-1], int)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_garbage_never_breaks_the_intake(pieces):
    found = read(pieces, header_bytes=500, target_bytes=50, header_count=5)

    assert sum(isinstance(item, int) for item in found) <= 1
