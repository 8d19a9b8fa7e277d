"""The entry point of a Route's pod: `python -m isthmus_runtime`.

Reads one plan file and serves it until SIGTERM. Settings come from the environment; a plan that
cannot be run ends the process with one line that says why.
"""

import gc
import math
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import uvloop

from isthmus_api.contract import Contract
from isthmus_api.expressions.engine import ExpressionError
from isthmus_api.plan import RoutePlan, UnreadablePlan
from isthmus_runtime import logs, secrets
from isthmus_runtime.http import ServerLimits
from isthmus_runtime.runtime import NoJournal, Runtime, Settings
from isthmus_runtime.secrets import MissingSecret
from isthmus_runtime.shared_tables import NO_TABLES, ConfigMapMounts, SharedTables
from isthmus_runtime.stopping import Signals

CLAIM_SECONDS = 5, 3600
"""Shorter claims end while a process is only busy; of longer ones nobody would wait for the end."""
EXIT_CUT_SHORT = 1
EXIT_UNUSABLE = 2


class Unusable(Exception):
    """The process cannot serve; the message is one line for who set it up."""


_UNUSABLE = (Unusable, UnreadablePlan, ExpressionError, MissingSecret, NoJournal, ValueError)


def main() -> int:
    """Serve the plan that ISTHMUS_PLAN names; 0, or how it ended otherwise."""
    logs.setup("json")
    try:
        return uvloop.run(_serve(_plan(), _settings()))
    except _UNUSABLE as error:
        sys.stderr.write(f"isthmus-runtime: {' '.join(str(error).split())}\n")
        return EXIT_UNUSABLE


async def _serve(plan: RoutePlan, settings: Settings) -> int:
    folder = os.environ.get("ISTHMUS_SECRETS")
    tables = os.environ.get("ISTHMUS_TABLES")
    runtime = Runtime(
        settings,
        secrets.at(Path(folder) if folder else None),
        tables=SharedTables(ConfigMapMounts(Path(tables))) if tables else NO_TABLES,
        find_contract=_find_contract,
    )
    await runtime.load([plan])
    _spare_the_collector()
    signals = Signals()
    try:
        await runtime.start()
    except OSError as error:
        raise Unusable(f"cannot listen: {error.strerror or error}") from error
    await signals.first.wait()
    return 0 if await signals.drain(runtime) else EXIT_CUT_SHORT


def _find_contract(_: str, name: str, contract: Contract) -> Callable[[], bytes] | None:
    """The document of the Connector `name`, in the folder that ConfigMaps are mounted into."""
    folder, ref = os.environ.get("ISTHMUS_CONTRACTS"), contract.openapi.config_map_key_ref
    return (Path(folder) / ref.name / ref.key).read_bytes if folder and ref else None


def _spare_the_collector() -> None:
    """Let the garbage collector pass over what was loaded: it lives as long as the process.

    Messages leave few cycles behind, so it may also run less often than Python's default.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _plan() -> RoutePlan:
    file = Path(os.environ.get("ISTHMUS_PLAN", "/etc/isthmus/plan.json"))
    try:
        return RoutePlan.from_json(file.read_bytes())
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unusable(f"the plan {file} cannot be read: {reason}; set ISTHMUS_PLAN") from error


def _settings() -> Settings:
    journal_file = os.environ.get("ISTHMUS_JOURNAL_FILE")
    host = os.environ.get("ISTHMUS_HOST", "0.0.0.0")  # noqa: S104 - a pod serves its network
    return Settings(
        host=host,
        port=_port("ISTHMUS_PORT", 8080),
        admin_host=host,
        admin_port=_port("ISTHMUS_ADMIN_PORT", 9090),
        linger_seconds=_number("ISTHMUS_LINGER_SECONDS", 0),
        drain_seconds=_number("ISTHMUS_DRAIN_SECONDS", 20),
        claim_seconds=_between("ISTHMUS_CLAIM_SECONDS", *CLAIM_SECONDS, default=30),
        journal=os.environ.get("ISTHMUS_JOURNAL", ""),
        journal_file=Path(journal_file) if journal_file else None,
        limits=ServerLimits(max_age=_number("ISTHMUS_MAX_CONNECTION_SECONDS", 300) or math.inf),
    )


def _port(variable: str, default: int) -> int:
    number = _number(variable, default)
    if number != int(number) or number > 65535:
        raise Unusable(f"{variable} is {number:g}; a port between 0 and 65535 is wanted")
    return int(number)


def _between(variable: str, least: float, most: float, *, default: float) -> float:
    number = _number(variable, default)
    if not least <= number <= most:
        wanted = f"a number from {least:g} to {most:g} is wanted"
        raise Unusable(f"{variable} is {number:g}; {wanted}")
    return number


def _number(variable: str, default: float) -> float:
    text = os.environ.get(variable, "")
    if text and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) is None:
        raise Unusable(f"{variable} is '{text}'; a number is wanted")
    return float(text or default)


if __name__ == "__main__":
    sys.exit(main())
