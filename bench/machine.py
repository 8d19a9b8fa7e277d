"""What a run was taken on: processor, kernel, and which Python runs everything of ours."""

from __future__ import annotations

import os
import platform
import sys
import sysconfig


def conditions() -> dict[str, str]:
    """What figures of this run depend on, beside our code."""
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "kernel": platform.release(),
        "python": f"{platform.python_implementation()} {platform.python_version()}, "
        f"{os.path.realpath(sys.executable)}",
        "profile-guided optimisation": profile_guided(arguments),
    }


def profile_guided(arguments: str) -> str:
    """Whether a Python was built with it, a tenth of our time, by the arguments of its `configure`.

    A build can do it unasked, by `make profile-opt`: Debian's does, and nothing in it says so.
    """
    if "--enable-optimizations" in arguments:
        return "yes"
    return "not asked for; Debian's Python is built with it all the same"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as info:
            return next(
                line.split(":")[1].strip() for line in info if line.startswith("model name")
            )
    except (OSError, StopIteration):
        return platform.machine()
