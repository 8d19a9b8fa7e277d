"""Amounts: the CPU and memory of a pod, as the Route says or as is usual.

CPU has no limit of its own accord: the kernel would stop a process that answers requests in the
middle of one, although nobody else wants the CPU.
"""

from typing import Final

from isthmus_api.quantities import Cpu, Size
from isthmus_api.workload import Amounts, PodResources

CPU_REQUEST: Final = Cpu("100m")
MEMORY_REQUEST: Final = Size("128Mi")
MEMORY_LIMIT: Final = Size("256Mi")

_NOTHING: Final = Amounts()


def of(resources: PodResources | None) -> dict[str, dict[str, str]]:
    """Requests and limits of a container; a request that is not written fits below its limit."""
    requests = (resources and resources.requests) or _NOTHING
    limits = (resources and resources.limits) or _NOTHING
    cpu = requests.cpu or _least_cpu(CPU_REQUEST, limits.cpu)
    memory = requests.memory or _least(MEMORY_REQUEST, limits.memory)
    most_memory = limits.memory or max(MEMORY_LIMIT, memory, key=lambda size: size.bytes)
    most = {"memory": str(most_memory)} | ({"cpu": str(limits.cpu)} if limits.cpu else {})
    return {"requests": {"cpu": str(cpu), "memory": str(memory)}, "limits": most}


def _least_cpu(usual: Cpu, limit: Cpu | None) -> Cpu:
    return limit if limit and limit.millis < usual.millis else usual


def _least(usual: Size, limit: Size | None) -> Size:
    return limit if limit and limit.bytes < usual.bytes else usual
