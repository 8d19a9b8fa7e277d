"""Our load generator: where an answer ends, percentiles, arrivals, and what a tally sums up."""

import itertools
import math

import pytest

import loader

WHOLE = [
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", id="a length"),
    pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", id="no body, no blank"),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer: x\r\n\r\n{}", id="a length, not the last"
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        id="chunks",
    ),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n\r\n0\r\n\r\nmore", id="a body like an end"
    ),
]


@pytest.mark.parametrize("answer", WHOLE)
def test_an_answer_ends_where_its_body_does(answer: bytes) -> None:
    assert loader.answer_end(answer) == len(answer)


@pytest.mark.parametrize("answer", WHOLE)
def test_the_next_answer_is_left_alone(answer: bytes) -> None:
    assert loader.answer_end(answer + b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n") == len(
        answer
    )


@pytest.mark.parametrize("answer", WHOLE)
def test_an_answer_that_is_not_whole_has_no_end(answer: bytes) -> None:
    assert {loader.answer_end(answer[:length]) for length in range(len(answer))} == {None}


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        pytest.param(0.50, 50, id="the median"),
        pytest.param(0.99, 99, id="one in a hundred is slower"),
        pytest.param(0.991, 100, id="rounded up"),
        pytest.param(1.0, 100, id="the slowest"),
    ],
)
def test_percentile(share: float, expected: float) -> None:
    assert loader.percentile([float(n) for n in range(1, 101)], share) == expected


def test_every_percentile_of_one_is_that_one() -> None:
    assert [loader.percentile([7.0], share) for share in (0.01, 0.5, 1.0)] == [7.0, 7.0, 7.0]


def test_a_percentile_of_nothing_is_no_number() -> None:
    assert math.isnan(loader.percentile([], 0.99))


def test_a_closed_load_is_due_at_once() -> None:
    assert list(itertools.islice(loader.arrivals(None, 5.0), 3)) == [0.0, 0.0, 0.0]


def test_arrivals_are_the_same_for_every_engine_and_keep_their_rate() -> None:
    first = list(itertools.islice(loader.arrivals(1000, 5.0), 10_000))

    assert first == list(itertools.islice(loader.arrivals(1000, 5.0), 10_000))
    assert first == sorted(first)
    assert first[0] > 5.0
    assert first[-1] == pytest.approx(15.0, rel=0.05)


def test_a_summary_counts_late_requests_in_latencies_but_not_as_answers() -> None:
    tally = loader.Tally(latencies=[0.3, 0.1, 0.2], size=200, errors=1, late=1)

    assert tally.summary(2.0) == {
        "requests": 2,
        "seconds": 2.0,
        "p50": 0.2,
        "p99": 0.3,
        "errors": 1,
        "late": 1,
        "mean_size": 100,
    }


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"", b"GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", id="no body"),
        pytest.param(
            b"{}",
            b"GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
            id="a body",
        ),
    ],
)
def test_a_request_is_composed(body: bytes, expected: bytes) -> None:
    assert loader.compose("GET", "/a", body) == expected
