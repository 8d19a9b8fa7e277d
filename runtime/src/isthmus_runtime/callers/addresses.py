"""Addresses: where a request comes from, and whether that is in some network."""

import re
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from isthmus_runtime.callers.check import NOBODY, Caller, Check, forbidden
from isthmus_runtime.exchange import Exchange
from isthmus_runtime.http.messages import Head, Request

Address = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]
Sender = Callable[[Head], Address | None]
"""Who sent a request, as far as we believe it."""


def allowed(texts: Sequence[str], sender: Sender) -> Check:
    """Only requests from these networks pass."""
    found = networks(texts)

    def check(request: Request, _: Exchange) -> Caller:
        address = sender(request.head)
        if address is None or not is_in(address, found):
            raise forbidden("AddressNotAllowed", "requests are not taken from this address")
        return NOBODY

    return check


def behind(proxies: Sequence[str]) -> Sender:
    """The peer or, where that is a proxy we trust, the last address before those."""
    trusted = networks(proxies)

    def sender(head: Head) -> Address | None:
        address = read(head.peer)
        hops = [
            hop
            for name, value in head.headers
            if name == b"x-forwarded-for"
            for hop in value.decode("latin-1").split(",")
        ]
        while address is not None and hops and is_in(address, trusted):
            address = read(hops.pop())
        return address

    return sender


def networks(texts: Sequence[str]) -> Networks:
    """Networks as they are written in a manifest."""
    return tuple(ip_network(text, strict=False) for text in texts)


def is_in(address: Address, found: Networks) -> bool:
    """Whether one of the networks has the address."""
    return any(address in network for network in found)


_WITH_PORT: Final = re.compile(r"\[(.+)\](?::\d+)?|([0-9.]+):\d+")


def read(text: str) -> Address | None:
    """An address, with or without a port; nothing where it is none."""
    text = text.strip()
    if found := _WITH_PORT.fullmatch(text):
        text = found[1] or found[2]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
