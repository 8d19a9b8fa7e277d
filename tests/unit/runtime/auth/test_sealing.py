"""Sealing: who has the credentials reads what was sealed, and nobody else."""

import pytest

from isthmus_runtime.connectors.auth.sealing import Seal

CONTENT = b"a token"
SEALED = Seal(b"secret", purpose=b"erp").close(CONTENT)


def test_who_has_the_same_credentials_and_purpose_reads_it() -> None:
    same, again = Seal(b"secret", purpose=b"erp"), Seal(b"secret", purpose=b"erp")

    assert same.open(SEALED) == CONTENT
    assert same.name == again.name


@pytest.mark.parametrize(
    ("credentials", "purpose"), [(b"Secret", b"erp"), (b"secret", b"pim"), (b"", b"erp")]
)
def test_nobody_else_reads_or_finds_it(credentials: bytes, purpose: bytes) -> None:
    other = Seal(credentials, purpose=purpose)

    assert other.open(SEALED) is None
    assert other.name != Seal(b"secret", purpose=b"erp").name


@pytest.mark.parametrize("place", range(len(SEALED)))
def test_what_was_changed_is_not_read(place: int) -> None:
    changed = bytearray(SEALED)
    changed[place] ^= 1

    assert SEAL.open(bytes(changed)) is None


@pytest.mark.parametrize("length", range(len(SEALED)))
def test_what_was_cut_is_not_read(length: int) -> None:
    assert SEAL.open(SEALED[:length]) is None


def test_the_same_is_another_text_each_time() -> None:
    assert SEAL.close(CONTENT) != SEAL.close(CONTENT)


SEAL = Seal(b"secret", purpose=b"erp")
