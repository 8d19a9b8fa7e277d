"""The script that starts the embedded PostgreSQL, on a real PostgreSQL of this machine."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from helm import CHART
from postgres import programs

NOBODY = 65534
FIRST, SECOND = "made-up-for-this-test", "another-that-is-made-up"
DEADLINE_SECONDS = 60.0


class Volume:
    """A volume with its password file, and the ways to start and ask its server."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "volume"
        self.log = folder / "log"
        self._password_file = folder / "password"
        self._environment = {
            "PATH": f"{programs()}:{os.environ['PATH']}",
            "JOURNAL_DATA": str(self.data),
            "JOURNAL_PASSWORD_FILE": str(self._password_file),
        }
        self.data.mkdir()
        if os.geteuid() == 0:  # as whom PostgreSQL refuses to run
            os.chown(self.data, NOBODY, NOBODY)
        folder.chmod(0o755)

    def start(self, password: str, port: int) -> subprocess.Popen[bytes]:
        """Run the script as the chart does, but on a port of this test."""
        self._password_file.write_text(password)
        settings = (
            f"port={port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.data}",
        )
        nobody = NOBODY if os.geteuid() == 0 else None
        with self.log.open("ab") as log:
            return subprocess.Popen(
                ["sh", CHART / "files/journal.sh", *(f"-c{each}" for each in settings)],
                env=self._environment,
                stdout=log,
                stderr=log,
                cwd=self.data,
                start_new_session=True,
                user=nobody,
                group=nobody,
                extra_groups=None if nobody is None else [],
            )

    @contextlib.contextmanager
    def serving(self, password: str) -> Iterator["Server"]:
        """The server, once it lets clients in; ended with the block."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = self.start(password, port)
        try:
            server = Server(process, port, self._environment)
            server.wait(self.log)
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(DEADLINE_SECONDS)


class Server:
    """A server that runs."""

    def __init__(
        self, process: subprocess.Popen[bytes], port: int, environment: dict[str, str]
    ) -> None:
        self.process = process
        self._port = port
        self._environment = environment

    def wait(self, log: Path) -> None:
        """Return once it accepts clients."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        ready = ["pg_isready", "--quiet", "--host=127.0.0.1", f"--port={self._port}"]
        while subprocess.run(ready, env=self._environment).returncode != 0:
            assert self.process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)

    def sql(self, statement: str, password: str) -> str:
        """What a statement gives to who signs in as Routes do; otherwise what is said instead."""
        done = subprocess.run(
            [
                "psql",
                "-h127.0.0.1",
                f"-p{self._port}",
                "-Uisthmus",
                "-tA",
                "isthmus",
                "-c",
                statement,
            ],
            env=self._environment | {"PGPASSWORD": password},
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
        )
        return done.stdout.strip() if done.returncode == 0 else done.stderr.strip()


@pytest.fixture
def volume() -> Iterator[Volume]:
    """An empty one, in a folder that others may enter; those of pytest are closed to them."""
    with tempfile.TemporaryDirectory(prefix="isthmus-volume-") as folder:
        yield Volume(Path(folder))


def test_an_empty_volume_becomes_a_database_that_only_the_password_opens(volume: Volume) -> None:
    with volume.serving(FIRST) as server:
        assert server.sql("CREATE TABLE kept AS SELECT 1 AS one", FIRST) == "SELECT 1"
        assert "password authentication failed" in server.sql("SELECT 1", SECOND)
        role = "SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        assert server.sql(role, FIRST) == "f|f"

    assert FIRST not in volume.log.read_text()


def test_another_password_opens_what_is_kept_after_a_restart(volume: Volume) -> None:
    with volume.serving(FIRST) as server:
        server.sql("CREATE TABLE kept AS SELECT 42 AS it", FIRST)

    with volume.serving(SECOND) as server:
        assert server.sql("SELECT it FROM kept", SECOND) == "42"
        assert "password authentication failed" in server.sql("SELECT 1", FIRST)


def test_what_a_killed_server_had_written_is_there(volume: Volume) -> None:
    with volume.serving(FIRST) as server:
        server.sql("CREATE TABLE kept AS SELECT 42 AS it", FIRST)
        server.process.kill()

    with volume.serving(FIRST) as server:
        assert server.sql("SELECT it FROM kept", FIRST) == "42"


def test_a_first_start_that_was_cut_short_is_begun_again(volume: Volume) -> None:
    began = volume.start(FIRST, port=1)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not list(volume.data.glob("databases.new/*")):
        assert time.monotonic() < deadline
        assert began.poll() is None
    os.killpg(began.pid, signal.SIGKILL)
    began.wait()
    with contextlib.suppress(ProcessLookupError):  # what the script had started ends as well
        while time.monotonic() < deadline:
            os.killpg(began.pid, 0)

    with volume.serving(FIRST) as server:
        assert server.sql("SELECT 1", FIRST) == "1"
