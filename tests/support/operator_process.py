"""The operator as a process of its own, as its pod runs it, and a kubelet that starts it again.

async with Pod(plane, name="one", namespace="shop").running() as pod:
    pod.kill()                  SIGKILL: it is started again
    await pod.until_well()      its probes pass: it knows the cluster, or stands by
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx
from control_plane import ControlPlane, ending_with_us
from operating import IMAGE, eventually
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

END_SECONDS: Final = 20.0
_LOG_TAIL_LINES: Final = 20
_WRITES: Final = frozenset({"patch", "create", "update", "delete"})


class Pod:
    """One replica of the operator. It keeps its name when its process is started again."""

    def __init__(
        self, plane: ControlPlane, *, name: str, namespace: str, server: str | None = None
    ) -> None:
        """Serves `namespace`, and has its Lease there. `server` stands in for the API server."""
        self.name = name
        self.starts = 0
        self.ends: list[int] = []
        """Exit codes; below zero, the number of a signal."""
        self._folder = tempfile.TemporaryDirectory(prefix="isthmus-operator-")
        self._log = Path(self._folder.name) / "log"
        self._port = _free_port()
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ISTHMUS_")},
            "KUBECONFIG": str(self._kubeconfig(server) if server else plane.kubeconfig),
            "ISTHMUS_RUNTIME_IMAGE": IMAGE,
            "ISTHMUS_NAMESPACE": namespace,
            "ISTHMUS_NAMESPACES": namespace,
            "ISTHMUS_POD": name,
            "ISTHMUS_PORT": str(self._port),
        }
        self._process: asyncio.subprocess.Process | None = None

    def _kubeconfig(self, server: str) -> Path:
        """A kubeconfig for a stand-in, which asks for no credentials."""
        file = Path(self._folder.name) / "kubeconfig"
        file.write_text(
            f"clusters: [{{name: it, cluster: {{server: '{server}'}}}}]\n"
            "users: [{name: it, user: {}}]\n"
            "contexts: [{name: it, context: {cluster: it, user: it}}]\n"
            "current-context: it\n"
        )
        return file

    @contextlib.asynccontextmanager
    async def running(self, *, again: bool = True) -> AsyncIterator["Pod"]:
        """The process runs for as long as the block lasts, and is then asked to end.

        With `again` it is started again whenever it ends.
        """
        keeping = asyncio.create_task(self._keep(again=again))
        try:
            yield self
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await self._end()
            self._folder.cleanup()

    def kill(self) -> None:
        """End the process at once, so that it can tidy up nothing."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.returncode is None

    async def until_well(self, *, within: float = 30.0) -> None:
        """Return once it is alive and ready, by its own word."""

        async def look() -> list[str]:
            return [path for path in ("/livez", "/readyz") if not await self._answers(path)]

        await eventually(look, within=within, until=lambda failing: not failing)

    async def complaint(self) -> str:
        """What its liveness probe complains of; empty when it is well."""
        answer = await self._get("/livez")
        return "" if answer.status_code == httpx.codes.OK else answer.text

    async def metrics(self) -> dict[str, float]:
        """What it counted since its start: the sum over all labels, by name."""
        sums: dict[str, float] = {}
        for sample in await self._samples():
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
        return sums

    async def writes(self) -> Counter[tuple[str, str]]:
        """Its requests that changed something, by verb and kind."""
        counts: Counter[tuple[str, str]] = Counter()
        for sample in await self._samples():
            verb, code = sample.labels.get("verb", ""), sample.labels.get("code", "")
            counted = sample.name == "isthmus_operator_api_requests_total"
            if counted and verb in _WRITES and code.startswith("2"):
                counts[verb, sample.labels["kind"]] += int(sample.value)
        return counts

    def log(self) -> str:
        """The end of what it said."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:])

    async def _keep(self, *, again: bool) -> None:
        while again or not self.starts:
            with self._log.open("ab") as output:
                self._process = await asyncio.create_subprocess_exec(
                    *(*ending_with_us(), sys.executable, "-m", "isthmus_operator"),
                    env=self._environment,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                )
            self.starts += 1
            self.ends.append(await self._process.wait())

    async def _end(self) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), END_SECONDS)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            raise AssertionError(f"it did not end within {END_SECONDS} s:\n{self.log()}") from None
        assert self._process.returncode == 0, self.log()

    async def _samples(self) -> list[Sample]:
        text = (await self._get("/metrics")).text
        return [each for family in text_string_to_metric_families(text) for each in family.samples]

    async def _answers(self, path: str) -> bool:
        try:
            return (await self._get(path)).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False  # it is not up

    async def _get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
            return await client.get(f"http://127.0.0.1:{self._port}{path}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
