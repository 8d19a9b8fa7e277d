"""What a poll has accepted already."""

from typing import Any

from journals import draft

from isthmus_runtime.journal.entries import Draft
from isthmus_runtime.sources.known import Known


def record(key: str | None, content: str, **given: Any) -> Draft:
    return draft(key=key, identity=f"{key} {content}", **{"once": True, **given})


def test_a_record_is_news_until_it_is_accepted_and_again_when_it_changes() -> None:
    known = Known()
    one, two = record("1", "a"), record("2", "a")

    assert known.news([one, two]) == [one, two]
    known.note([one])
    assert known.news([one, two]) == [two]
    changed = record("1", "b")
    assert known.news([changed]) == [changed]
    known.note([changed])
    assert known.news([one]) == [one]  # changed back


def test_records_that_may_come_twice_are_always_news() -> None:
    known = Known()
    keyless, repeated = record(None, "a"), record("1", "a", once=False)

    known.note([keyless, repeated])

    assert known.news([keyless, repeated]) == [keyless, repeated]


def test_the_key_that_was_not_seen_for_longest_is_forgotten() -> None:
    known = Known(most=2)
    one, two, three = record("1", "a"), record("2", "a"), record("3", "a")

    known.note([one, two])
    known.news([one])
    known.note([three])

    assert known.news([one, two, three]) == [two]
