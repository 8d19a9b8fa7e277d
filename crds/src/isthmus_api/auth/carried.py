"""Carried: the fields and parameters of a call that its auth writes."""

from collections.abc import Iterator
from typing import Literal

from isthmus_api.auth import Auth

Place = Literal["header", "query"]


def by(auth: Auth | None) -> Iterator[tuple[Place, str]]:
    """What proves who we are, by place and name; names of headers in small letters."""
    if auth is None:
        return
    for name in _headers(auth):
        yield "header", name.lower()
    if auth.api_key and auth.api_key.query:
        yield "query", auth.api_key.query
    for name in (auth.hmac and auth.hmac.query) or ():
        yield "query", name


def _headers(auth: Auth) -> Iterator[str]:
    if auth.basic or auth.bearer or auth.oauth2 or auth.oauth1 or auth.aws_sig_v4:
        yield "Authorization"
    if auth.api_key and auth.api_key.header:
        yield auth.api_key.header
    if auth.session and auth.session.cookies:
        yield "Cookie"
    if auth.aws_sig_v4:
        yield from ("X-Amz-Date", "X-Amz-Content-Sha256")
        if auth.aws_sig_v4.session_token:
            yield "X-Amz-Security-Token"
    for each in (auth.session, auth.hmac):
        yield from (each and each.headers) or ()
