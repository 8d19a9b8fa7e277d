"""Whatever stands in Authorization is a token that holds, or is refused and says nothing."""

import base64
import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from issuers import ISSUER, ec_key, token

from isthmus_api.proofs import Jwt
from isthmus_runtime.body import Body
from isthmus_runtime.callers.check import NOBODY, Caller
from isthmus_runtime.callers.keyrings import GivenKeys
from isthmus_runtime.callers.tokens import Held, Token
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.faults import Rejected
from isthmus_runtime.http.messages import Head, Request
from isthmus_runtime.tracing import Trace

KEY = ec_key("ec")
CHECK = Token(
    Jwt.model_validate({"issuer": ISSUER, "audience": ["shop"], "keys": [KEY.jwk]}),
    GivenKeys([KEY.jwk]),
    b'realm="a"',
)
TRACE = Trace("0" * 32, "00", b"", "c", (b"x-correlation-id", b"c"))


async def judged(*values: bytes, check: Token = CHECK) -> Caller:
    head = Head("GET", b"/", "/", "", [(b"authorization", value) for value in values])
    x = Exchange(Body(b""), variables={}, deadline=0.0, trace=TRACE)
    told = check(Request(head), x)
    return told if isinstance(told, Caller) else await told


async def refused(*values: bytes) -> Rejected:
    with pytest.raises(Rejected) as found:
        await judged(*values)
    return found.value


async def judged_or_refused(made: bytes) -> Caller | None:
    """Who sent a token; nothing where it is refused with 401, and any other failure as it is."""
    try:
        return await judged(b"Bearer " + made)
    except Rejected as fault:
        if fault.status != 401:
            raise
        return None


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
HEADS = st.dictionaries(st.sampled_from(["alg", "kid", "crit", "typ", "b64", "jwk", "x5u"]), JSON)
SOLID = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


@SOLID
@given(st.binary(max_size=200))
async def test_bytes_are_no_token(text: bytes) -> None:
    assert (await refused(b"Bearer " + text)).status == 401


@SOLID
@given(HEADS | JSON, JSON, st.binary(max_size=80))
async def test_what_nobody_signed_is_refused(head: Any, claims: Any, signature: bytes) -> None:
    named = {"alg": "ES256", "kid": "ec", **head} if isinstance(head, dict) else head
    signed = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
    made = f"{part(named)}.{part(claims)}.{signed}".encode()

    assert (await refused(b"Bearer " + made)).status == 401


@SOLID
@given(st.data())
async def test_a_token_with_another_letter_is_refused_or_says_the_same(data: st.DataObject) -> None:
    """Of base64 the last bits of a part mean nothing."""
    made = token(KEY, sub="jan").encode()
    at = data.draw(st.integers(0, len(made) - 1))
    letter = data.draw(st.binary(min_size=1, max_size=1))
    changed = made[:at] + letter + made[at + 1 :]

    caller = await judged_or_refused(changed)

    assert caller is None or caller.facts["name"] == "jan"


async def test_two_headers_are_none() -> None:
    made = b"Bearer " + token(KEY).encode()

    assert (await refused(made, made)).reason == "TokenMissing"


@SOLID
@given(st.dictionaries(st.sampled_from(["exp", "nbf", "iat", "aud", "iss", "sub", "jti"]), JSON))
async def test_claims_of_any_form_are_judged(claims: dict[str, Any]) -> None:
    try:
        made = token(KEY, **claims)
    except (TypeError, ValueError):
        return  # what no issuer can sign with this library
    caller = await judged_or_refused(made.encode())

    assert caller is None or caller.facts["claims"]["iss"] == ISSUER


class Keys:
    """Keys that a test replaces."""

    def __init__(self) -> None:
        self.now: GivenKeys | None = GivenKeys([KEY.jwk])

    def find(self, kid: str | None, algorithm: str) -> Any | None:
        return self.now.find(kid, algorithm) if self.now else None

    async def fetched(self, kid: str | None, algorithm: str) -> Any | None:
        return None


async def test_a_token_that_held_is_refused_once_it_ends_or_its_key_is_gone() -> None:
    spec = {"issuer": ISSUER, "audience": ["shop"], "keys": [KEY.jwk], "leeway": "1m"}
    keys, clock = Keys(), [time.time()]
    check = Token(Jwt.model_validate(spec), keys, b"", clock=lambda: clock[0])
    made = b"Bearer " + token(KEY, sub="jan", exp=int(clock[0]) - 30).encode()

    first, second = await judged(made, check=check), await judged(made, check=check)
    assert second is first
    keys.now = GivenKeys([KEY.jwk])  # fetched anew: it is checked again
    third = await judged(made, check=check)
    assert third is not first
    assert third == first

    keys.now = None
    with pytest.raises(Rejected):
        await judged(made, check=check)

    keys.now = GivenKeys([KEY.jwk])
    fourth = await judged(made, check=check)
    clock[0] += 40  # what is held ends; the library looks at the machine's own clock
    assert await judged(made, check=check) is not fourth


def test_no_more_tokens_are_held_than_there_is_room_for() -> None:
    held = Held(clock=lambda: 0.0)

    for number in range(1000):
        held.keep(b"%d" % number, KEY, NOBODY, until=1.0)
    held.keep(b"x" * 5000, KEY, NOBODY, until=1.0)

    assert len(held) == Held.MOST
    assert held.find(b"999", KEY) is NOBODY
    assert held.find(b"x" * 5000, KEY) is None
    assert held.find(b"0", KEY) is None
