"""A steady load on a Service: `traffic_client` in a pod, and the account it gives."""

import contextlib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import script_pods
from kubernetes_cluster import Namespace, eventually

CLIENT = Path(__file__).with_name("traffic_client.py")
# The image has no shell and no kill.
STOP = "import os, signal; os.kill(1, signal.SIGTERM)"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Account:
    """What was sent, and what became of it."""

    sent: int
    answers: dict[str, int]
    """How often, by body."""
    lost: list[dict[str, str]]
    longest: float
    """Seconds of the slowest answer."""

    def assert_nothing_lost(self) -> None:
        """Every request was answered with 200, and there were enough to tell."""
        assert self.lost == []
        assert sum(self.answers.values()) == self.sent
        assert self.sent > 100, "there was too little load to tell"


@dataclass(frozen=True)
class Load:
    """A load that runs."""

    namespace: Namespace
    pod: str

    def end(self) -> Account:
        """Stop it and read its account."""
        self.namespace.kubectl("exec", self.pod, "--", "python", "-c", STOP)
        self.namespace.wait(f"pod/{self.pod}", "jsonpath={.status.phase}=Succeeded")
        return Account(**json.loads(self._log().splitlines()[-1]))

    def begun(self) -> bool:
        """Whether the first answers are in."""
        return "begun" in self._log().splitlines()

    def _log(self) -> str:
        return self.namespace.kubectl("logs", self.pod)


@contextlib.contextmanager
def steady_load(namespace: Namespace, service: str, path: str) -> Iterator[Load]:
    """A load on port 80 of a Service, from the moment on that its first answers are in."""
    name = f"load-{next(_numbers)}"
    namespace.apply(*script_pods.manifests(name, CLIENT, service, "80", path))
    try:
        namespace.wait(f"pod/{name}")
        load = Load(namespace, name)
        eventually(load.begun, until=bool)
        yield load
    finally:
        namespace.kubectl("delete", "pod", name, "--wait=false", "--grace-period=1")
