"""Forms, as another parser reads them."""

import email.parser
import email.policy

from hypothesis import given
from hypothesis import strategies as st

from isthmus_runtime import forms
from isthmus_runtime.forms import Part

NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\r\n"), min_size=1, max_size=20
)
PARTS = st.builds(
    Part,
    NAMES,
    st.binary(max_size=100),
    st.none() | st.text(st.characters(codec="ascii", min_codepoint=32), max_size=20),
    st.none() | st.sampled_from(["text/csv", "image/png"]),
)


@given(st.lists(PARTS, min_size=1, max_size=5))
def test_every_part_arrives_byte_for_byte(parts: list[Part]) -> None:
    body, kind = forms.multipart(parts)

    boundary = kind.partition(b"boundary=")[2]
    pieces = body.split(b"--" + boundary)
    assert (pieces[0], pieces[-1]) == (b"", b"--\r\n")
    contents = [piece.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for piece in pieces[1:-1]]
    assert contents == [part.content for part in parts]


@given(st.lists(PARTS, min_size=1, max_size=5))
def test_no_name_makes_a_header_of_its_own(parts: list[Part]) -> None:
    body, kind = forms.multipart(parts)

    whole = b"Content-Type: " + kind + b"\r\n\r\n" + body
    message = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(whole)
    for part in message.walk():
        if not part.is_multipart():
            assert set(part.keys()) <= {"Content-Disposition", "Content-Type"}


def test_a_boundary_stands_in_no_part() -> None:
    _, first = forms.multipart([Part("a", b"x")])
    boundary = first.partition(b"boundary=")[2]

    _, second = forms.multipart([Part("a", b"x"), Part("b", boundary)])

    assert boundary not in second
