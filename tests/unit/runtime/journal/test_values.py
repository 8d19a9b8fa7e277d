"""What a journal holds: ids, keys, journeys, and statements for two dialects."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus_runtime.journal import entries, journeys, opening, script
from isthmus_runtime.journal.journal import WrongAddress
from isthmus_runtime.journal.postgres import address


def test_ids_are_apart_and_grow_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for second in range(3):
        monkeypatch.setattr(time, "time_ns", lambda: (1_700_000_000 + second) * 10**9)  # noqa: B023
        made += [sorted(entries.new_uid() for _ in range(100))]

    flat = [uid for part in made for uid in part]
    assert flat == sorted(flat)
    assert len(set(flat)) == 300
    assert {len(uid) for uid in flat} == {32}


@given(st.text(max_size=2000))
def test_a_key_fits_into_every_index(key: str) -> None:
    fitted = entries.fitting(key)

    assert len(fitted.encode()) <= 4 * 512
    assert "\0" not in fitted
    assert entries.fitting(fitted) == fitted


@given(st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=512))
def test_an_ordinary_key_stays_as_it_is(key: str) -> None:
    assert entries.fitting(key) == key


@given(st.text(min_size=600, max_size=700), st.text(min_size=600, max_size=700))
def test_long_keys_stay_apart(one: str, other: str) -> None:
    same = entries.legible(one) == entries.legible(other)

    assert (entries.fitting(one) == entries.fitting(other)) is same


@given(st.binary(max_size=5000))
def test_a_journey_is_unpacked_as_it_was_packed(journey: bytes) -> None:
    assert journeys.unpack(journeys.pack(journey)) == journey


def test_no_journey_takes_no_room() -> None:
    assert journeys.pack(b"") == b""


def test_of_a_huge_journey_the_beginning_is_kept() -> None:
    huge = json.dumps({"steps": ["é" * 100] * 10_000}, ensure_ascii=False).encode()

    kept = json.loads(journeys.unpack(journeys.pack(huge)))

    assert kept["cut"] is True
    assert kept["bytes"] == len(huge)
    assert huge.decode().startswith(kept["beginning"])


def test_a_statement_is_said_in_both_dialects() -> None:
    sql = "SELECT $1, $12 WHERE at < @now AND n IN @numbers($2) AND t IN @texts($3)"

    assert script.for_sqlite(sql) == (
        "SELECT ?1, ?12 WHERE at < journal_now() AND n IN (SELECT value FROM json_each(?2))"
        " AND t IN (SELECT value FROM json_each(?3))"
    )
    assert script.for_postgresql(sql) == (
        "SELECT $1, $12 WHERE at < extract(epoch FROM clock_timestamp())::float8"
        " AND n = ANY($2::bigint[]) AND t = ANY($3::text[])"
    )


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:journal.db", "journal.db"),
        ("sqlite:/var/lib/isthmus/journal.db", "/var/lib/isthmus/journal.db"),
        ("sqlite:///journal.db", "journal.db"),
        ("sqlite:////var/journal.db", "/var/journal.db"),
    ],
)
def test_a_sqlite_address_names_a_path(url: str, path: str) -> None:
    assert str(opening.file(url)) == path


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p%40ss@db.example.com:5432/shop", "postgresql://db.example.com:5432/shop"),
        ("postgresql://db/shop?sslmode=require", "postgresql://db/shop"),
        ("postgres://u:p@[::1]:5432/shop", "postgresql://[::1]:5432/shop"),
        ("postgresql://u:p@a:1,b:2/shop", "postgresql://a:1,b:2/shop"),
    ],
)
def test_an_address_is_shown_without_user_and_password(url: str, shown: str) -> None:
    found = address.read(url)

    assert str(found) == shown
    assert found.url == url
    assert "p%40ss" not in repr(found)


@given(st.text(max_size=20))
def test_an_address_never_shows_its_password(password: str) -> None:
    secret = f"s3cret{password}s3cret"
    try:
        told = str(address.read(f"postgresql://user:{secret}@host/shop"))
    except WrongAddress as error:
        told = str(error)

    assert "s3cret" not in told
