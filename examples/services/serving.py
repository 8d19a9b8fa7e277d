"""How a service of the examples starts, logs and stops.

All have the same command line. The port is bound before anything is announced, so a
line that says "listens on" is true, and a port in use is one line instead of a traceback.
"""

import argparse
import errno
import os
import signal
import socket
import sys
from dataclasses import dataclass
from typing import Any, NoReturn

import uvicorn
from starlette.applications import Starlette

KEEP_ALIVE_SECONDS = 75  # longer than a caller's connection pool holds an idle connection
DRAIN_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service listens. Port 0 lets the system choose, which tests like."""

    service: str
    host: str
    port: int
    quiet: bool = False


def address(service: str, *, port: int, about: str | None) -> Address:
    """Read the command line that all services share."""
    parser = argparse.ArgumentParser(prog=service, description=about)
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument("--port", type=_port, default=port, help="default: %(default)s")
    parser.add_argument("--quiet", action="store_true", help="no line per request")
    chosen = parser.parse_args()
    return Address(service, host=chosen.host, port=chosen.port, quiet=chosen.quiet)


def run(app: Starlette, at: Address) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is in flight and exit with 0."""
    _exit_cleanly_on_signals()
    listener = _listen(at)
    host, port = listener.getsockname()[:2]
    print(f"{at.service} listens on http://{_bracketed(host)}:{port}", flush=True)
    config = uvicorn.Config(
        app,
        log_config=_logging(at.service),
        access_log=not at.quiet,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


def refuse_settings(service: str, error: Exception) -> NoReturn:
    """End with one line, and the exit code for wrong use."""
    print(f"{service}: {error}", file=sys.stderr)
    raise SystemExit(2)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError(f"{port} is not between 0 and 65535")
    return port


def _listen(at: Address) -> socket.socket:
    """Bind and listen at once: from here on a caller waits instead of being refused."""
    family = socket.AF_INET6 if ":" in at.host else socket.AF_INET
    # The protocol must be named: asyncio sets TCP_NODELAY only where it reads IPPROTO_TCP, and
    # without it every answer on a kept connection waits 40 ms for the caller's delayed ACK.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((at.host, at.port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        print(f"{at.service}: {_why_not(at, error)}", file=sys.stderr)
        raise SystemExit(1) from None
    return listener


def _why_not(at: Address, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {at.port} on {at.host} is in use; "
            "stop the program that holds it, or choose another with --port"
        )
    return f"cannot listen on {at.host} port {at.port}: {error.strerror or error}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _exit_cleanly_on_signals() -> None:
    """Leave with 0 on the signals that mean "stop".

    Uvicorn catches them while it serves, drains, and then raises them again for the handler
    that was there before: this one. Nothing is left to clean up by then, nor before uvicorn
    runs; an exception instead could surface anywhere, with a traceback or a warning.
    """

    def leave(_number: int, _frame: object) -> None:
        os._exit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)


def _logging(service: str) -> dict[str, Any]:
    """One short line per request, and otherwise only what went wrong."""
    line = {"format": f"%(asctime)s {service:<6} %(message)s", "datefmt": "%H:%M:%S"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": line},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "loggers": {
            "uvicorn.error": {"handlers": ["stderr"], "level": "WARNING"},
            "uvicorn.access": {"handlers": ["stderr"], "level": "INFO"},
        },
    }
