"""A PostgreSQL of our own: real, in a temporary folder, on a socket and a port of loopback.

PostgreSQL refuses to run as root, so under root it runs as `nobody`.
"""

import contextlib
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

INSTALL = "install it: apt-get install postgresql"

_NUMBERS = itertools.count(1)


class Missing(Exception):
    """PostgreSQL's programs are not there; the message says how to get them."""


def programs() -> Path:
    """The folder with initdb, postgres and pg_ctl: the newest version."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    on_path = shutil.which("initdb")
    if places:
        return places[-1]
    if on_path:
        return Path(on_path).parent
    raise Missing(f"PostgreSQL's initdb is neither in /usr/lib/postgresql nor on PATH; {INSTALL}")


class Cluster:
    """One server; `start`, then `database` as often as wanted, then `remove`."""

    def __init__(self) -> None:
        self._bin = programs()
        self._folder = Path(tempfile.mkdtemp(prefix="isthmus-postgres-"))
        self._user: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        if os.getuid() != 0:
            self._user = {}
        else:
            shutil.chown(self._folder, "nobody", "nogroup")
        self.port = _free_port()
        self._postmaster: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8")
        self.start()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def pid(self) -> int:
        """Of the server; its workers are its children."""
        if self._postmaster is None:
            raise RuntimeError("the server was stopped")
        return self._postmaster.pid

    def start(self, *settings: str) -> None:
        """Start the server, and wait until it answers; `settings` as `name=value`."""
        with (self._folder / "log").open("ab") as log:
            self._postmaster = subprocess.Popen(
                [
                    *(self._bin / "postgres", "-D", self._data, "-p", str(self.port)),
                    *("-k", self._folder, "-c", "listen_addresses=127.0.0.1"),
                    *("-c", "max_connections=200"),
                    *(word for setting in settings for word in ("-c", setting)),
                ],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                **self._user,
            )
        self.sql("SELECT 1", patience=30)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT is a fast shutdown, SIGQUIT an immediate one, as after a crash."""
        if self._postmaster:
            self._postmaster.send_signal(number)
            self._postmaster.wait(30)
            self._postmaster = None

    def restart(self, number: signal.Signals = signal.SIGINT) -> None:
        """Every connection is gone afterwards."""
        self.stop(number)
        self.start()

    def remove(self) -> None:
        """Stop it, and leave nothing."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def database(self) -> str:
        """A new database; its address."""
        name = f"journal_{next(_NUMBERS)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.address(name)

    def address(self, name: str) -> str:
        """The address of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def sql(self, statement: str, database: str = "postgres", *, patience: float = 0) -> str:
        """What psql prints for a statement, without headings."""
        deadline = time.monotonic() + patience
        while True:
            done = subprocess.run(
                [
                    *(self._bin / "psql", "-h", "127.0.0.1", "-p", str(self.port)),
                    *("-U", "postgres", "-XAtq", "-v", "ON_ERROR_STOP=1"),
                    *("-d", database, "-c", statement),
                ],
                capture_output=True,
                text=True,
            )
            if done.returncode == 0:
                return done.stdout.strip()
            if time.monotonic() >= deadline:
                raise AssertionError(f"{statement}: {done.stderr.strip()}")
            time.sleep(0.05)

    def _run(self, program: str, *args: str) -> None:
        done = subprocess.run(
            [self._bin / program, *args],
            capture_output=True,
            text=True,
            cwd=self._folder,
            **self._user,
        )
        if done.returncode != 0:
            raise AssertionError(f"{program}: {done.stderr.strip()}")

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.remove()


def _free_port() -> int:
    """One that the system gives to nobody by itself: it must be free again after a restart."""
    while True:
        port = random.randint(15_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
