"""What the ERP must hold when all has come to rest, compared with what it holds."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from erp_ledger import Ledger
from shop_load import Webhook


def wanted(accepted: Sequence[Webhook], *, refused: Collection[str]) -> dict[str, list[str]]:
    """The versions of each order that the ERP must hold, oldest first; it refuses some orders."""
    found: dict[str, list[str]] = {}
    for webhook in accepted:
        if webhook.is_wanted and webhook.number not in refused:
            found.setdefault(webhook.number, []).append(webhook.version)
    return {number: sorted(set(versions)) for number, versions in found.items()}


def is_complete(ledger: Ledger, versions: Mapping[str, Sequence[str]]) -> bool:
    """Whether each version was written, however often."""
    return all(
        set(ledger.versions.get(number, ())) >= set(all_) for number, all_ in versions.items()
    )


def breaches(ledger: Ledger, versions: Mapping[str, Sequence[str]]) -> list[str]:
    """Every way in which the ERP's writes are not what was promised, as sentences."""
    return [
        *_surplus(ledger, versions),
        *(breach for number in versions for breach in _of(ledger, number, versions[number])),
        *_keys(ledger),
    ]


def _surplus(ledger: Ledger, versions: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for number in ledger.versions.keys() - versions.keys():
        yield f"order {number} was written, and nobody was promised that"


def _of(ledger: Ledger, number: str, versions: Sequence[str]) -> Iterator[str]:
    written = ledger.versions.get(number, [])
    for version in versions:
        times = written.count(version)
        if times != 1:
            yield f"order {number}, version {version} was written {times} times"
    if written != sorted(written):
        yield f"order {number} was written in the order {', '.join(written)}"


def _keys(ledger: Ledger) -> Iterator[str]:
    owners: dict[str, tuple[str, str]] = {}
    for version, keys in ledger.keys.items():
        for key in keys:
            if owners.setdefault(key, version) != version:
                yield f"{version} and {owners[key]} came with the same idempotency key"
        if len(keys) > 1:
            yield f"{version} came with {len(keys)} idempotency keys"
