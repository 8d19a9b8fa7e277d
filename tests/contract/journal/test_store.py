"""The keyed store: both sides, and time."""

import pytest
from journals import accepted, ended, older, one, until

from isthmus_runtime.journal.entries import Memory
from isthmus_runtime.journal.journal import Journal


def memory(value: str = "1", **given: object) -> Memory:
    """A customer of the shop, with its number in the ERP."""
    whole = {"namespace": "shop", "store": "customers", "key": "c1"} | given
    return Memory(value=value.encode(), **whole)  # type: ignore[arg-type]


async def test_a_value_is_found_by_its_key(journal: Journal) -> None:
    await journal.put([memory('{"name": "Zoë"}'), memory("2", key="c2", reference="E2")])

    found = await journal.get("shop", "customers", key="c1")

    assert found == memory('{"name": "Zoë"}')
    assert await journal.get("shop", "customers", key="c3") is None


async def test_a_value_is_found_from_the_other_side(journal: Journal) -> None:
    await journal.put([memory(reference="E1"), memory("2", key="c2", reference="E2")])

    assert await journal.get("shop", "customers", reference="E2") == memory(
        "2", key="c2", reference="E2"
    )
    assert await journal.get("shop", "customers", reference="c2") is None


@pytest.mark.parametrize("other", [{"namespace": "b"}, {"store": "b"}], ids=str)
async def test_stores_and_namespaces_are_apart(journal: Journal, other: dict[str, str]) -> None:
    await journal.put([memory("1", reference="E1")])
    await journal.put([memory("2", reference="E1", **other)])

    found = await journal.get("shop", "customers", key="c1")
    back = await journal.get("shop", "customers", reference="E1")

    assert found == back == memory("1", reference="E1")


async def test_what_is_written_again_replaces_what_was_there(journal: Journal) -> None:
    await journal.put([memory("1", reference="E1", ttl=3600)])
    await journal.put([memory("2", reference="E2"), memory("3", reference="E3")])

    assert await journal.get("shop", "customers", key="c1") == memory("3", reference="E3")
    assert await journal.get("shop", "customers", reference="E1") is None


async def test_of_two_with_one_reference_the_newer_is_meant(journal: Journal) -> None:
    await journal.put([memory("1", key="a", reference="E")])
    await journal.put([memory("2", key="b", reference="E")])

    found = await journal.get("shop", "customers", reference="E")

    assert found is not None
    assert found.key == "b"


async def test_a_value_expires(journal: Journal) -> None:
    await journal.put([memory("1", ttl=3600), memory("2", key="c2", ttl=0.05)])

    async def gone() -> bool:
        return await journal.get("shop", "customers", key="c2") is None

    assert await until(gone)
    found = await journal.get("shop", "customers", key="c1")
    assert found is not None
    assert 3500 < (found.ttl or 0) <= 3600


async def test_a_settlement_remembers_in_its_transaction(journal: Journal) -> None:
    await accepted(journal, "1")
    message = await one(journal)
    kept = (memory("1"), memory("2"))

    await journal.settle(ended(older(message), memories=kept))
    assert await journal.get("shop", "customers", key="c1") is None
    await journal.settle(ended(message, memories=kept))

    assert await journal.get("shop", "customers", key="c1") == memory("2")


async def test_a_very_long_key_is_found(journal: Journal) -> None:
    await journal.put([memory("1", key="k" * 10_000, reference="r" * 10_000)])

    assert await journal.get("shop", "customers", key="k" * 10_000) is not None
    assert await journal.get("shop", "customers", reference="r" * 10_000) is not None
    assert await journal.get("shop", "customers", key="k" * 10_001) is None
