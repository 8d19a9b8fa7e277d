"""How much one side takes from the other: sizes in bytes, times in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """What a server takes from its clients before it refuses or lets go of them.

    `header_timeout` runs from the first byte (or the connection) to the end of the head.
    `body_timeout` is the longest pause within a body; over all, a body and a client that reads its
    answer must also keep up `minimum_rate` bytes per second, so a trickle ends.
    `write_timeout` is how long a client may leave its answer unread. `pipelined` requests wait
    behind one that is being answered before we stop reading. A connection of some `max_age` (less
    by up to a fifth, at random, so that they do not all end together) is closed with its next
    answer: clients that open another find servers that have come since.
    """

    header_bytes: int = 32 * 1024
    header_count: int = 100
    target_bytes: int = 8 * 1024
    header_timeout: float = 10.0
    body_timeout: float = 30.0
    minimum_rate: int = 500
    idle_timeout: float = 75.0
    write_timeout: float = 30.0
    linger_timeout: float = 2.0
    max_age: float = 300.0
    max_connections: int = 10_000
    pipelined: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLimits:
    """How a client leans on one origin, and how much it takes back.

    A connection of some `max_age` (less by up to a fifth, at random) is closed after its answer.
    """

    max_connections: int = 100
    connect_timeout: float = 5.0
    idle_timeout: float = 30.0
    max_age: float = 300.0
    max_response_bytes: int = 16 * 1024 * 1024
    max_header_bytes: int = 64 * 1024
