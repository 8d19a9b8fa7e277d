"""Who takes webhooks and delivers them: pods of a Route on either home, and NATS JetStream behind
a gateway that waits for the stream's acknowledgement."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import engines
import processes
import shares
import wire
from journal import places

UPSTREAM: Final = 18191
"""Fixed: the Connector of `isthmus/journal` names it."""
TRAFFIC: Final = 18200
ADMIN: Final = 18220
NATS: Final = 18260
"""Fixed in `peers/jetstream/nats.conf`, as is the port above it, which tells of health."""
PLACES: Final = 32
"""Deliveries at once; `isthmus/journal/route.yaml` has it, too."""

PEER: Final = "jetstream"
SOURCE: Final = engines.BENCH / "peers" / "jetstream"
ENDS: Final = engines.BENCH / "ends"


@dataclasses.dataclass(frozen=True, slots=True)
class Running:
    """What was started, and where it takes webhooks."""

    targets: tuple[str, ...]
    started: tuple[processes.Process, ...]

    def cpu(self) -> float:
        return sum(each.cpu() for each in self.started)

    def rss(self) -> int:
        return sum(each.memory().rss for each in self.started)


def isthmus(place: str, replicas: int, share: float = 1) -> str:
    """How a report calls it."""
    many = f" x{replicas}" if replicas > 1 else ""
    return f"{place}{many}{f', {100 * share:.0f} %' if share < 1 else ''}"


class Contestant(Protocol):
    """One that takes webhooks, keeps them safe and delivers them."""

    name: str

    def running(self) -> contextlib.AbstractContextManager[Running]:
        """From nothing, until the end of the block."""
        ...

    def size(self) -> int:
        """Bytes on disk of what it kept."""
        ...

    def beside(self) -> float:
        """Seconds of processor time of what it works with and did not start."""
        ...


class Isthmus:
    """The processes of a Route's pods: one on the server's core, more on all of them, as are those
    that have a share of a core only."""

    def __init__(self, place: places.Place, replicas: int, share: float = 1) -> None:
        self.name = isthmus(place.name, replicas, share)
        self.place = place
        self.replicas = replicas
        self.share = share
        self._plan = engines.cache() / "plans" / "journal.json"
        self._plan.parent.mkdir(parents=True, exist_ok=True)
        self._plan.write_bytes(engines.planned("journal"))

    @property
    def is_alone(self) -> bool:
        """Whether it is one, on a core of its own."""
        return self.replicas == self.share == 1

    @contextlib.contextmanager
    def running(self) -> Iterator[Running]:
        journal = self.place.fresh()
        cores = processes.Cores.of_this_machine()
        with contextlib.ExitStack() as stack:
            started = []
            for number in range(self.replicas):
                hold = stack.enter_context(shares.group(self.share)) if self.share < 1 else None
                process = processes.start(
                    [sys.executable, "-m", "isthmus_runtime"],
                    cores=cores.server if self.is_alone else cores.server | cores.load,
                    log=engines.cache() / "logs" / f"journal-{number}.log",
                    port=ADMIN + number,
                    ready=wire.Request("GET", "/readyz", b""),
                    env=self._env(journal, number),
                )
                stack.callback(processes.stop, process)
                if hold:
                    hold(process.popen.pid)
                started.append(process)
            targets = tuple(f"127.0.0.1:{TRAFFIC + number}" for number in range(self.replicas))
            yield Running(targets, tuple(started))

    def size(self) -> int:
        return self.place.size()

    def beside(self) -> float:
        return self.place.cpu()

    def _env(self, journal: str, number: int) -> dict[str, str]:
        return {
            "ISTHMUS_PLAN": str(self._plan),
            "ISTHMUS_JOURNAL": journal,
            "ISTHMUS_HOST": "127.0.0.1",
            "ISTHMUS_PORT": str(TRAFFIC + number),
            "ISTHMUS_ADMIN_PORT": str(ADMIN + number),
        }


class JetStream:
    """nats-server and our gateway, both on the server's core. It syncs each write before it
    acknowledges it; or, as it does unasked, all of them every two minutes."""

    def __init__(self, folder: Path, *, synced: bool) -> None:
        self.name = PEER if synced else f"{PEER}, 2m"
        self._interval = "always" if synced else "2m"
        self._store = folder
        tool = "github.com/nats-io/nats-server/v2"
        self._server = engines.go_build(SOURCE, "nats-server", package=tool)
        self._gateway = engines.go_build(SOURCE, PEER)

    @contextlib.contextmanager
    def running(self) -> Iterator[Running]:
        shutil.rmtree(self._store, ignore_errors=True)
        with contextlib.ExitStack() as stack:
            config = str(SOURCE / "nats.conf")
            health = wire.Request("GET", "/healthz", b"")
            server = self._start([str(self._server), "-c", config], NATS + 1, health)
            stack.callback(processes.stop, server)
            gateway = [
                *(str(self._gateway), "--address", f"127.0.0.1:{TRAFFIC}"),
                *("--nats", f"nats://127.0.0.1:{NATS}", "--concurrency", str(PLACES)),
                *("--target", f"http://127.0.0.1:{UPSTREAM}/orders"),
            ]
            front = self._start(gateway, TRAFFIC, wire.Request("GET", "/ready", b""))
            stack.callback(processes.stop, front)
            yield Running((f"127.0.0.1:{TRAFFIC}",), (server, front))

    def size(self) -> int:
        return sum(each.stat().st_size for each in self._store.rglob("*") if each.is_file())

    def beside(self) -> float:
        return 0.0

    def _start(self, command: list[str], port: int, ready: wire.Request) -> processes.Process:
        return processes.start(
            command,
            cores=processes.Cores.of_this_machine().server,
            log=engines.cache() / "logs" / f"{Path(command[0]).name}.log",
            port=port,
            ready=ready,
            env={"GOMAXPROCS": "1", "STORE": str(self._store), "SYNC": self._interval},
        )
