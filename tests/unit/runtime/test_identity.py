"""What tells content apart."""

from hypothesis import given
from hypothesis import strategies as st

from isthmus_runtime import identity

Parts = tuple[str, str, bytes]
PARTS = st.tuples(st.text(max_size=9), st.text(max_size=9), st.binary(max_size=9))


@given(PARTS, PARTS)
def test_different_routes_keys_or_contents_are_told_apart(one: Parts, other: Parts) -> None:
    assert (identity.of_content(*one) == identity.of_content(*other)) is (one == other)


def test_an_identity_fits_a_header_and_never_changes() -> None:
    # Targets remember these: another way to make them would let what is replayed in twice.
    assert identity.of_content("shop/orders", "100045", b"2") == "b07df490686a349fd7048f2dcfd367ad"
    assert identity.of_fed("shop/mail", "5f") == "785959bf53a00d5fa263990cf3246903"
