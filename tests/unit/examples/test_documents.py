"""What the small systems of the examples keep."""

import importlib
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def documents(services: None) -> ModuleType:
    return importlib.import_module("documents")


def test_a_document_that_is_put_again_has_the_next_version(documents: ModuleType) -> None:
    kept = documents.Documents(":memory:")

    versions = [kept.put("lamp", "luna", {"colour": colour}).version for colour in ("sage", "sand")]

    assert versions == [1, 2]
    assert kept.get("lamp", "luna").document == {"colour": "sand"}
    assert kept.get("sofa", "luna") is None


def test_no_two_changes_have_one_time_even_when_the_clock_goes_back(
    documents: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = documents.Documents(":memory:")
    clock = importlib.import_module("clock")
    times = iter(["2026-08-20T09:00:00.999Z", "2026-08-20T09:00:00.999Z", "2026-08-20T08:00:00Z"])
    monkeypatch.setattr(clock, "now", lambda: next(times))

    for key in ("luna", "vesta", "luna"):
        kept.put("lamp", key, {})

    found = kept.changed("lamp", offset=0, limit=10)
    assert [(each.key, each.changed_at) for each in found] == [
        ("vesta", "2026-08-20T09:00:01.000Z"),
        ("luna", "2026-08-20T09:00:01.001Z"),
    ]


def test_what_changed_is_read_from_a_time_on_page_by_page(documents: ModuleType) -> None:
    kept = documents.Documents(":memory:")
    changes = [kept.put("lamp", str(number), {}) for number in range(5)]

    found = kept.changed("lamp", since=changes[1].changed_at, offset=1, limit=2)

    assert [each.key for each in found] == ["2", "3"]
    assert kept.count("lamp", since=changes[1].changed_at) == 4
