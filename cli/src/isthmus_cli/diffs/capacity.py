"""Capacity: what pods ask a cluster for. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from isthmus_api.quantities import Cpu, Size
from isthmus_api.route import RouteSpec
from isthmus_operator.desired import amounts

_MEBIBYTE = 1024**2


@dataclass(frozen=True, slots=True)
class Share:
    """Pods, and the CPU and memory that they request together."""

    pods: int = 0
    cpu_millis: int = 0
    memory_bytes: int = 0

    @classmethod
    def of(cls, spec: RouteSpec) -> "Share":
        """What the pods of a Route request; autoscalers may make more of them."""
        pods = 0 if spec.paused else spec.replicas
        requests = amounts.of(spec.resources)["requests"]
        cpu, memory = Cpu(requests["cpu"]), Size(requests["memory"])
        return cls(pods, pods * cpu.millis, pods * memory.bytes)

    @classmethod
    def sum(cls, shares: Iterable["Share"]) -> "Share":
        """All of them."""
        listed = list(shares)
        return cls(
            sum(each.pods for each in listed),
            sum(each.cpu_millis for each in listed),
            sum(each.memory_bytes for each in listed),
        )

    @property
    def cpu(self) -> str:
        """In CPUs."""
        return str(Decimal(self.cpu_millis) / 1000)

    @property
    def memory(self) -> str:
        """As Kubernetes writes it, in whole Mi where it is one."""
        mebibytes, rest = divmod(self.memory_bytes, _MEBIBYTE)
        return str(self.memory_bytes) if rest else f"{mebibytes}Mi"

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"pods": self.pods, "cpu": self.cpu, "memory": self.memory}
