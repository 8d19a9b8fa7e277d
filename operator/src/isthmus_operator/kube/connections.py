"""Connections to one API server, for our own client and for kopf's."""

import sys
from typing import Final

import aiohttp

from isthmus_operator.kube.access import Access

_CLOSES_SLOWLY: Final = sys.version_info < (3, 12, 8)
"""A TLS connection that is left in the middle, as watches are, waits for the server's goodbye, and
on these versions outlives its event loop unless aiohttp ends it."""


def connector(access: Access) -> aiohttp.TCPConnector:
    """A pool of them, without a limit: watches last for minutes and would use up any."""
    return aiohttp.TCPConnector(ssl=access.trust(), limit=0, enable_cleanup_closed=_CLOSES_SLOWLY)
