"""Compositions: which messages of a batch come together again.

A target that honours idempotency keys takes a batch once only if the same messages come with the
same key. So a batch that is tried again is noted with its messages, in the transaction that says
so, and a worker that claims one of them takes the others along. The others are due by themselves
somewhat later: should the first one be gone, none of them waits for it for ever.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from isthmus_runtime.journal.entries import Composition, Message, Settlement
from isthmus_runtime.journal.script import Script, query


@dataclass(frozen=True, slots=True)
class Choice:
    """Of what was claimed: what stays, the compositions to be completed, and what is too much."""

    kept: list[Message]
    compositions: list[Composition]
    surplus: list[Message]


def of(sequences: Sequence[int]) -> Script[dict[int, Composition]]:
    """To which compositions these messages belong; most belong to none."""
    rows = yield query(
        "SELECT sequence, key, size FROM compositions WHERE sequence IN @numbers($1)",
        list(sequences),
    )
    return {sequence: Composition(key=key, size=size) for sequence, key, size in rows}


def choose(claimed: Iterable[Message], known: Mapping[int, Composition], *, limit: int) -> Choice:
    """As many compositions as fit into what was asked for, and one at least: each member that was
    claimed stands for many more messages."""
    kept: list[Message] = []
    members: dict[Composition, list[Message]] = {}
    for message in claimed:
        composition = known.get(message.sequence)
        if composition is None:
            kept.append(message)
        else:
            member = replace(message, composition=composition)
            members.setdefault(composition, []).append(member)
    chosen: list[Composition] = []
    surplus: list[Message] = []
    count = len(kept)
    for composition, found in members.items():
        if chosen and count >= limit:
            surplus += found
        else:
            chosen.append(composition)
            kept += found
            count += composition.size
    return Choice(kept, chosen, surplus)


def complete(choice: Choice, mates: Iterable[tuple[Message, str]]) -> list[Message]:
    """What was claimed and, with the keys of their compositions, what was taken along; in the order
    of acceptance."""
    named = {composition.key: composition for composition in choice.compositions}
    taken = [replace(message, composition=named[key]) for message, key in mates]
    return sorted([*choice.kept, *taken], key=lambda each: each.sequence)


def note(settlements: Sequence[Settlement]) -> Script[None]:
    """Remember what is to come together again, and forget what is over."""
    for composition, sequences in _remembered(settlements).items():
        yield query(
            "INSERT INTO compositions (sequence, route, key, size)"
            " SELECT sequence, route, CAST($2 AS text), CAST($3 AS integer) FROM messages"
            " WHERE sequence IN @numbers($1) ON CONFLICT (sequence) DO UPDATE"
            " SET key = excluded.key, size = excluded.size",
            sequences,
            composition.key,
            composition.size,
        )
    over = [each.message.sequence for each in settlements if _is_over(each)]
    if over:
        yield query("DELETE FROM compositions WHERE sequence IN @numbers($1)", over)


def is_noted(settlement: Settlement) -> bool:
    """Whether there is something to `note`."""
    return settlement.composition is not None or settlement.message.composition is not None


def _remembered(settlements: Iterable[Settlement]) -> dict[Composition, list[int]]:
    found: dict[Composition, list[int]] = {}
    for each in settlements:
        if each.composition is not None:
            found.setdefault(each.composition, []).append(each.message.sequence)
    return found


def _is_over(settlement: Settlement) -> bool:
    return settlement.composition is None and settlement.message.composition is not None
