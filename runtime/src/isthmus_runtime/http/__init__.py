"""HTTP/1.1 for a Route's pods: a thin server and client on one core, over llhttp and uvloop.

The server calls an `Application`; the client sends to one `Origin` and is a `Transport`. Both speak
in `messages`. Nothing here knows of Routes.

    application, messages ◀ intake ◀ connection ◀ server
    transport, messages ◀ streams ◀ link ◀ dialling ◀ pool ◀ client ◀ forwarding
"""

from isthmus_runtime.http.application import Application, OnError, OnRefused
from isthmus_runtime.http.client import Client
from isthmus_runtime.http.errors import (
    ClientClosed,
    ClientError,
    ConnectFailed,
    ConnectionBroken,
    DeadlineExceeded,
    MalformedResponse,
    ResponseTooLarge,
)
from isthmus_runtime.http.heads import UnsafeHeader
from isthmus_runtime.http.limits import ClientLimits, ServerLimits
from isthmus_runtime.http.messages import (
    HOP_BY_HOP,
    Head,
    Header,
    Request,
    Response,
    end_to_end,
    header,
    header_values,
)
from isthmus_runtime.http.origins import Origin
from isthmus_runtime.http.problems import problem
from isthmus_runtime.http.server import Server
from isthmus_runtime.http.streams import Stream
from isthmus_runtime.http.transport import Transport

__all__ = [
    "HOP_BY_HOP",
    "Application",
    "Client",
    "ClientClosed",
    "ClientError",
    "ClientLimits",
    "ConnectFailed",
    "ConnectionBroken",
    "DeadlineExceeded",
    "Head",
    "Header",
    "MalformedResponse",
    "OnError",
    "OnRefused",
    "Origin",
    "Request",
    "Response",
    "ResponseTooLarge",
    "Server",
    "ServerLimits",
    "Stream",
    "Transport",
    "UnsafeHeader",
    "end_to_end",
    "header",
    "header_values",
    "problem",
]
