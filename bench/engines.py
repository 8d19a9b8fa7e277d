"""The engines: how each is built, started and warmed up, or why it is left out.

Peers are built into a cache below the user's home and never into the repository. Every engine gets
one core, told in the way that its platform understands.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import yaml

import workloads
from isthmus_api import manifests
from isthmus_api.plan import plan
from isthmus_api.resources import Resources

BENCH: Final = Path(__file__).parent
BUILD_PATIENCE: Final = 900  # seconds, the first download included


class MissingError(Exception):
    """An engine cannot run here; the text says why, for the list of what was left out."""


@dataclasses.dataclass(frozen=True, slots=True)
class Ports:
    traffic: int
    admin: int


@dataclasses.dataclass(frozen=True, slots=True)
class Engine:
    """How to run one engine. A command is made for a workload and a pair of ports."""

    name: str
    command: Callable[[workloads.Workload, Ports], list[str]]
    env: Callable[[Ports], Mapping[str, str]]
    does: frozenset[str] = frozenset(workloads.ALL)
    warm_up: float = 5.0  # seconds of load before anything is timed
    quick_warm_up: float = 2.0
    starts: int = 3  # how often it is started, to time the start


# The process that a Route's pod runs; `isthmus run` would add what plans and lints on a laptop.
ISTHMUS: Final = (
    "env ISTHMUS_PLAN={plans}/{work}.json ISTHMUS_HOST=127.0.0.1 "
    "ISTHMUS_PORT={port} ISTHMUS_ADMIN_PORT={admin} {python} -m isthmus_runtime"
)
PROTOTYPE: Final = "{python} {bench}/prototype/server.py --port {port}"


@dataclasses.dataclass(frozen=True, slots=True)
class Commands:
    """How to start what lives in this repository; `{python}`, `{bench}` and the like are filled."""

    isthmus: str = ISTHMUS
    prototype: str = PROTOTYPE


def cache() -> Path:
    """Give the folder for builds, payloads and logs."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("ISTHMUS_CACHE") or Path(home) / "isthmus") / "bench"


def upstream(payloads: Path, address: str) -> tuple[list[str], str]:
    """Give the command of the upstream, and a remark when it is the slow one."""
    arguments = ["--address", address, "--payloads", str(payloads)]
    try:
        binary = go_build(BENCH / "upstream", "upstream")
    except MissingError as error:
        script = str(BENCH / "upstream" / "upstream.py")
        return [sys.executable, script, *arguments], f"the fast upstream ({error}); Python's ran"
    return [str(binary), *arguments], ""


def isthmus(commands: Commands) -> Engine:
    program = Path(sys.executable).with_name("isthmus")
    plans = _plans(cache() / "plans")
    return _ours("isthmus", commands.isthmus, isthmus=str(program), plans=str(plans))


def prototype(commands: Commands) -> Engine:
    if commands.prototype == PROTOTYPE and not (BENCH / "prototype/server.py").exists():
        raise MissingError("no bench/prototype/server.py: pass --prototype")
    engine = _ours("prototype", commands.prototype)
    return dataclasses.replace(engine, does=frozenset({workloads.COMPOSE.name}))


def benthos(_: Commands) -> Engine:
    return _benthos("benthos", {})


def benthos_gogc400(_: Commands) -> Engine:
    """Benthos with a lazier garbage collector, as its own advice for throughput has it."""
    return _benthos("benthos-gogc400", {"GOGC": "400"})


def camel(_: Commands) -> Engine:
    """Camel on one core. Its just-in-time compiler needs a minute of load to show what it can."""
    built = _maven_build(BENCH / "peers" / "camel", cache() / "camel")
    mapping = _mapping_text(cache() / "order-to-erp.jsonata")
    classpath = f"{built / 'bench-camel.jar'}:{built / 'lib'}/*"

    def command(work: workloads.Workload, ports: Ports) -> list[str]:
        properties = [f"-Dbench.port={ports.traffic}", f"-Dbench.mapping={mapping}"]
        one_core = "-XX:ActiveProcessorCount=1"
        return ["java", one_core, *properties, "-cp", classpath, "bench.Bench", work.name]

    return Engine("camel", command, lambda _: {}, warm_up=60.0, quick_warm_up=10.0)


ALL: Final[Mapping[str, Callable[[Commands], Engine]]] = {
    "isthmus": isthmus,
    "benthos": benthos,
    "benthos-gogc400": benthos_gogc400,
    "camel": camel,
    "prototype": prototype,
}
DEFAULT: Final = ("isthmus", "benthos", "camel", "prototype")


def _plans(folder: Path) -> Path:
    """Plan the Routes of `isthmus/`, as an operator does for their pods."""
    folder.mkdir(parents=True, exist_ok=True)
    for work in workloads.ALL:
        (folder / f"{work}.json").write_bytes(planned(work))
    return folder


def planned(work: str) -> bytes:
    """Plan the Route of `isthmus/{work}`."""
    files = sorted((BENCH / "isthmus" / work).glob("*.yaml"))
    read = (manifests.read(file.read_bytes(), file=str(file)).resources for file in files)
    known = Resources.of(found for resources in read for found in resources)
    [route] = known.routes()
    found = plan(route, known).plan
    if found is None:
        raise MissingError(f"bench/isthmus/{work} does not plan: see isthmus lint")
    return found.to_json()


def _ours(name: str, template: str, **known: str) -> Engine:
    def command(work: workloads.Workload, ports: Ports) -> list[str]:
        places = {"python": sys.executable, "bench": str(BENCH), "work": work.name, **known}
        numbers = {"port": ports.traffic, "admin": ports.admin}
        return [word.format(**places, **numbers) for word in shlex.split(template)]

    return Engine(name, command, lambda _: {})


def _benthos(name: str, extra: Mapping[str, str]) -> Engine:
    binary = go_build(BENCH / "peers" / "benthos", "benthos")

    def command(work: workloads.Workload, _: Ports) -> list[str]:
        return [str(binary), "-c", str(BENCH / "peers" / "benthos" / f"{work.name}.yaml")]

    def env(ports: Ports) -> dict[str, str]:
        listen = {"PORT": str(ports.traffic), "ADMIN_PORT": str(ports.admin)}
        return {**listen, "GOMAXPROCS": "1", **extra}

    return Engine(name, command, env)


def go_build(source: Path, name: str, *, package: str = ".") -> Path:
    """Build a program, or one that it names as its tool, into the cache."""
    if not shutil.which("go"):
        raise MissingError("no Go")
    binary = cache() / name
    _build(["go", "build", "-trimpath", "-buildvcs=false", "-o", str(binary), package], source)
    return binary


def _maven_build(source: Path, target: Path) -> Path:
    for program in ("java", "mvn"):
        if not shutil.which(program):
            raise MissingError(f"no {program}")
    jar = target / "bench-camel.jar"
    newest = max(path.stat().st_mtime for path in source.rglob("*") if path.is_file())
    if not jar.exists() or jar.stat().st_mtime < newest:
        _build(["mvn", "-B", "-q", f"-DbuildDirectory={target}", "package"], source)
        jar.touch()
    return target


def _build(command: list[str], source: Path) -> None:
    try:
        subprocess.run(
            ["nice", "-n", "10", *command],
            cwd=source,
            check=True,
            capture_output=True,
            text=True,
            timeout=BUILD_PATIENCE,
        )
    except subprocess.CalledProcessError as error:
        said = " ".join((error.stderr or error.stdout).split())[-300:]
        raise MissingError(f"`{command[0]}` failed: {said}") from error
    except subprocess.TimeoutExpired as error:
        raise MissingError(f"`{command[0]}` took more than {BUILD_PATIENCE} s") from error


def _mapping_text(target: Path) -> Path:
    """Write the JSONata of the Mapping to a file, so that Camel runs the very same text."""
    manifest = yaml.safe_load((BENCH / "isthmus/map/mapping.yaml").read_text())
    target.write_text(manifest["spec"]["expression"])
    return target
