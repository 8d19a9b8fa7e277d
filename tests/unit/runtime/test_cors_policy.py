"""Which origins a policy allows, whatever a browser, or somebody else, sends."""

from hypothesis import given
from hypothesis import strategies as st

from isthmus_api.source import HttpSource
from isthmus_runtime.callers.cors import Policy
from isthmus_runtime.http import heads
from isthmus_runtime.http.messages import Head, Response

SHOP = b"https://shop.example.com"
POLICY = Policy(
    HttpSource.model_validate(
        {"path": "/a", "cors": {"origins": [SHOP.decode()], "credentials": True}}
    )
)
NEAR = st.sampled_from([SHOP, SHOP.upper(), SHOP + b"/", SHOP + b".a", b"null", b"*", b""])


@given(NEAR | st.binary(max_size=64))
def test_an_origin_is_allowed_that_stands_there_letter_by_letter(origin: bytes) -> None:
    fields = dict(POLICY.fields(Head("GET", b"/a", "/a", "", [(b"origin", origin)])))

    assert (b"access-control-allow-origin" in fields) is (origin == SHOP)
    assert fields[b"vary"] == b"Origin"
    heads.response(Response(200, list(fields.items())), b"")  # may be written as it is
