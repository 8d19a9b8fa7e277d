"""Logs of the pods of a Route: read once, in the order of time, or followed as pods come and go."""

import heapq
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from isthmus_cli import log_lines
from isthmus_cli.cluster import kinds
from isthmus_cli.cluster.api import Api, Object
from isthmus_cli.cluster.errors import NoCluster, NotFound, Refused
from isthmus_cli.log_lines import Line
from isthmus_operator.desired import selector

Told = Callable[[str], None]

CONTAINER: Final = "route"
MOST_FOLLOWED: Final = 50
"""Pods at a time; each holds a connection of the API server."""
_LOOK_SECONDS: Final = 2.0
"""Between looks for pods that are new, or whose container began again."""
_BUFFERED: Final = 1_000
_NOT_STARTED: Final = 400
"""What the API server answers for a container that does not run yet."""


@dataclass(frozen=True, slots=True)
class Source:
    """Whose logs are meant, and from when on."""

    api: Api
    namespace: str
    route: str
    pod: str = ""
    """Only this one; empty for all."""
    query: dict[str, str] = field(default_factory=dict)

    def pods(self) -> list[str]:
        """The pods that there are, by name."""
        found = self.api.list(kinds.PODS, self.namespace, labels=selector(self.route))
        names = sorted(each["metadata"]["name"] for each in found if _has_started(each))
        return [name for name in names if self.pod in ("", name)]

    def lines(self, pod: str, **query: str) -> Iterator[Line]:
        """The lines of one pod."""
        asked = {"container": CONTAINER, "timestamps": "true", **self.query, **query}
        for raw in self.api.log(self.namespace, pod, asked):
            yield log_lines.of(pod, raw)


def once(source: Source, pods: list[str], *, told: Told) -> Iterator[Line]:
    """The lines that pods have now, the oldest first.

    Of a pod whose node does not answer that is `told`; a right that is missing is raised.
    """
    return heapq.merge(*(_there(source, pod, told) for pod in pods), key=lambda line: line.moment)


def followed(source: Source, *, told: Told) -> Iterator[Line]:
    """The lines of all pods as they come, those of pods that come later as well; without an end.

    What goes wrong on the way is `told`, and tried again; a right that is missing is raised.
    """
    lines: queue.Queue[Line | NoCluster] = queue.Queue(_BUFFERED)
    threading.Thread(target=_Follower(source, lines, told).run, daemon=True).start()
    while True:
        line = lines.get()
        if isinstance(line, NoCluster):
            raise line
        yield line


class _Follower:
    """Looks for pods, and has a thread for each whose log is open."""

    def __init__(self, source: Source, lines: "queue.Queue[Line | NoCluster]", told: Told) -> None:
        self._source = source
        self._lines = lines
        self._told = told
        self._open: dict[str, threading.Thread] = {}
        self._last: dict[str, Line] = {}
        self._is_first = True

    def run(self) -> None:
        """Look again and again."""
        failed = ""
        while True:
            try:
                self._look()
                failed = ""
            except NoCluster as error:
                if not error.passes:
                    self._lines.put(error)
                    return
                if str(error) != failed:
                    self._told(f"{error}; trying again")
                failed = str(error)
            time.sleep(_LOOK_SECONDS)

    def _look(self) -> None:
        pods = self._source.pods()
        self._open = {pod: each for pod, each in self._open.items() if each.is_alive()}
        for pod in pods:
            if pod in self._open:
                continue
            if len(self._open) >= MOST_FOLLOWED:
                self._told(f"{len(pods)} pods run; only {MOST_FOLLOWED} are followed")
                break
            query = self._query(pod)
            reading = threading.Thread(target=self._read, args=(pod, query), daemon=True)
            self._open[pod] = reading
            reading.start()
        for gone in set(self._last).difference(pods):
            self._last.pop(gone, None)
        self._is_first = False

    def _query(self, pod: str) -> dict[str, str]:
        """A pod that is new is read from its first line, one whose log ended from where it did."""
        if last := self._last.get(pod):
            return {"sinceTime": last.at, "tailLines": ""}
        return {} if self._is_first else {"tailLines": "", "sinceTime": "", "sinceSeconds": ""}

    def _read(self, pod: str, query: dict[str, str]) -> None:
        last = self._last.get(pod)
        try:
            for line in self._source.lines(pod, follow="true", **query):
                if last is None or line.moment > last.moment:
                    self._last[pod] = line
                    self._lines.put(line)
        except NoCluster as error:
            if _passes(pod, error, self._told):
                return
            self._lines.put(error)


def _there(source: Source, pod: str, told: Told) -> Iterator[Line]:
    try:
        yield from source.lines(pod)
    except NoCluster as error:
        if not _passes(pod, error, told):
            raise


def _passes(pod: str, error: NoCluster, told: Told) -> bool:
    """Whether others can be read though this pod cannot: it may be gone, or not have started."""
    if isinstance(error, NotFound):
        return True
    if isinstance(error, Refused) and error.status == _NOT_STARTED:
        return True
    if error.passes:
        told(f"the log of {pod} cannot be read: {error}")
    return error.passes


def _has_started(pod: Object) -> bool:
    """Whether the container ran at all; before, there is nothing to read."""
    found = (pod.get("status") or {}).get("containerStatuses") or ()
    states = [each for each in found if each["name"] == CONTAINER]
    return any("waiting" not in each["state"] or each.get("lastState") for each in states)
