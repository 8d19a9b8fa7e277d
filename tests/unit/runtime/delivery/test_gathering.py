"""Which claimed messages go through the steps together."""

from hypothesis import given
from hypothesis import strategies as st
from messages import message

from isthmus_runtime.delivery.gathering import Batching, Singles


def batching(count: int = 3, size: int = 100, wait: float = 5.0) -> Batching:
    return Batching(count=count, size=size, wait=wait)


def test_single_messages_go_one_by_one_at_once() -> None:
    one, two = message(), message()
    singles = Singles()

    assert singles.wanted(4) == 4
    assert singles.add([one, two], now=0) == [(one,), (two,)]
    assert singles.ripe(now=1e9) == ()
    assert singles.ripe_in(now=0) is None


def test_a_full_batch_goes_at_once_and_the_rest_waits() -> None:
    messages = [message() for _ in range(4)]
    batches = batching()

    assert batches.wanted(1) == 3
    assert batches.add(messages, now=10) == [tuple(messages[:3])]
    assert batches.wanted(1) == 2
    assert batches.wanted(0) == 0


def test_a_batch_goes_when_its_first_message_has_waited() -> None:
    first, second = message(), message()
    batches = batching()

    assert batches.ripe_in(now=0) is None
    assert batches.add([first], now=10) == []
    assert batches.add([second], now=13) == []
    assert batches.ripe(now=14.9) == ()
    assert batches.ripe_in(now=14) == 1
    assert batches.ripe(now=15) == (first, second)
    assert batches.ripe(now=15) == ()


def test_what_a_message_waited_in_the_journal_counts() -> None:
    late = message(accepted_at=100, claimed_at=104)
    batches = batching()

    batches.add([late], now=10)

    assert batches.ripe_in(now=10) == 1


def test_a_message_that_does_not_fit_any_more_begins_the_next_batch() -> None:
    large, small = message(body=b"x" * 80), message(body=b"x" * 30)
    batches = batching()

    assert batches.add([large, small], now=0) == [(large,)]
    assert batches.ripe(now=9) == (small,)


def test_a_message_larger_than_a_batch_goes_alone() -> None:
    huge, small = message(body=b"x" * 1000), message(body=b"x")
    batches = batching()

    assert batches.add([small, huge, small], now=0) == [(small,), (huge,)]


@given(st.lists(st.integers(0, 120), max_size=30))
def test_no_message_is_lost_or_moved_and_no_batch_is_too_large(sizes: list[int]) -> None:
    messages = [message(body=b"x" * size) for size in sizes]
    batches = batching()

    gone = [group for one in messages for group in batches.add([one], now=0)]
    gone += [rest for rest in [batches.ripe(now=100)] if rest]

    assert [one for group in gone for one in group] == messages
    for group in gone:
        assert len(group) <= 3
        assert len(group) == 1 or sum(len(one.body) for one in group) <= 100
