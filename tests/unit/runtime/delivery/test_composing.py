"""What a target knows a batch by."""

import dataclasses

from isthmus_runtime.delivery import composing
from isthmus_runtime.journal.entries import Composition, Message, Settlement, State


def message(identity: str, composition: Composition | None = None) -> Message:
    return Message(
        route="shop/orders",
        uid=identity,
        sequence=1,
        token=1,
        identity=identity,
        body=b"{}",
        content_type="application/json",
        request=b"{}",
        key=None,
        version=None,
        correlation_id="",
        trace="",
        parent=None,
        attempt=1,
        accepted_at=0.0,
        claimed_at=0.0,
        composition=composition,
    )


A, B, C = map(message, "abc")
LEFT = Composition(key="left", size=2)


def left(*messages: Message) -> list[Message]:
    return [dataclasses.replace(each, composition=LEFT) for each in messages]


def again(each: Message, delay: float) -> Settlement:
    return Settlement(message=each, state=State.RETRY, delay=delay)


def test_the_key_follows_from_the_messages_and_their_order() -> None:
    keys = [composing.key(each) for each in ([A, B], [B, A], [A], [A, B, C])]

    assert len(set(keys)) == 4
    assert composing.key([A, B]) == keys[0]


def test_a_batch_that_is_whole_keeps_its_key() -> None:
    assert composing.key(left(A, B)) == "left"


def test_what_is_left_of_a_batch_has_another_key() -> None:
    key = composing.key(left(A))

    assert key not in ("left", composing.key([A]))


def test_all_that_are_tried_again_come_together_when_the_last_may() -> None:
    first, second = composing.together([again(A, 1.0), again(B, 3.0)], key="k", size=2)

    assert first.composition == second.composition == Composition(key="k", size=2)
    assert (first.delay, second.delay) == (3.0, 3.0 + composing.LATER)


def test_where_one_is_not_tried_any_more_the_rest_has_another_key() -> None:
    dead = Settlement(message=A, state=State.DEAD)
    ended, rest = composing.together([dead, again(B, 1.0)], key="k", size=2)

    assert ended == dead
    assert rest.delay == 1.0
    assert rest.composition
    assert rest.composition.size == 1
    assert rest.composition.key not in ("k", composing.key([B]))


def test_where_none_is_tried_again_nothing_changes() -> None:
    done = [Settlement(message=each, state=State.FINISHED) for each in (A, B)]

    assert composing.together(done, key="k", size=0) == done


def test_what_nothing_was_done_with_stays_what_it_was() -> None:
    refused = [dataclasses.replace(again(each, 5.0), counts=False) for each in (A, B)]

    assert composing.together(refused, key="k", size=2) == refused
