"""Start an example on this machine: the systems, and `isthmus run` between them.

    python examples/start.py [search-with-prices]

`make run` calls this. A folder with an `example.toml` is an example, and consists of what that file
says. What it keeps, and the secrets that are made for it, stand in its folder `.isthmus`. Ctrl-C
ends everything; so does the end of any part, with its last words.
"""

import importlib.util
import os
import secrets
import selectors
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

HERE = Path(os.path.relpath(Path(__file__).parent))
DEFAULT = "search-with-prices"
STATE = ".isthmus"
NEEDED = ("isthmus_cli", "isthmus_runtime", "starlette", "uvicorn", "httpx")
MEND = "start the example with 'make run', which sets up what it needs"
START_SECONDS = 30
STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Part:
    """A program of the example."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Example:
    """All that is started, in this order, and what is told when it is up."""

    parts: tuple[Part, ...]
    welcome: str


def main() -> int:
    """Run the parts until a signal comes or one of them ends; the exit code."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(f"the Python module {missing[0]} is missing; {MEND}", file=sys.stderr)
        return 2
    name = sys.argv[1] if len(sys.argv) > 1 else DEFAULT
    if name not in _names():
        print(f"there is no example {name!r}, only {', '.join(_names())}", file=sys.stderr)
        return 2
    return _run(_read(HERE / name, os.environ))


def _names() -> list[str]:
    return sorted(file.parent.name for file in HERE.glob("*/example.toml"))


def _read(folder: Path, environment: Mapping[str, str]) -> Example:
    """Make of an `example.toml` what to start."""
    written = tomllib.loads((folder / "example.toml").read_text(encoding="utf-8"))
    services = written["services"]
    words = {
        "example": str(folder),
        "state": str(folder / STATE),
        "route": environment.get("PORT", "8080"),
        "admin": environment.get("ADMIN_PORT", "9090"),
        **{name: _port(service, environment) for name, service in services.items()},
    }
    made = written.get("made_secrets", ())
    file = folder / (f"{STATE}/secrets.env" if made else written["secrets"])
    secret = _make(file, made) if made else {}
    parts = [_service(name, each, {**words, **secret}) for name, each in services.items()]
    route = _route(folder, secrets_file=file, words=words)
    return Example((*parts, route), welcome=Template(written["welcome"]).substitute(words))


def _port(service: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    return environment.get(service.get("moved_by", ""), str(service["port"]))


def _make(file: Path, names: Iterable[str]) -> dict[str, str]:
    """Make the secrets that are not there yet, for our eyes only; all of them, as words."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    known = dict(line.split("=", 1) for line in lines)
    values = {name: known.get(name) or secrets.token_hex(24) for name in names}
    if values.keys() - known.keys():
        file.parent.mkdir(exist_ok=True)
        file.touch(mode=0o600)
        file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return {name.replace("/", "_"): value for name, value in values.items()}


def _service(name: str, service: Mapping[str, Any], words: Mapping[str, str]) -> Part:
    program = str(HERE / "services" / f"{name}.py")
    given = service.get("environment", {})
    return Part(
        name,
        command=(sys.executable, program, "--port", words[name], "--quiet"),
        environment={key: Template(text).substitute(words) for key, text in given.items()},
    )


def _route(folder: Path, *, secrets_file: Path, words: Mapping[str, str]) -> Part:
    command = [sys.executable, "-m", "isthmus_cli", "run", str(folder), "--watch"]
    command += ["--secrets", str(secrets_file)]
    command += ["--port", words["route"], "--admin-port", words["admin"]]
    return Part("isthmus run", command=tuple(command), environment={})


def _run(example: Example) -> int:
    stopping = _stop_on_signals()
    with _processes() as processes:
        for part in example.parts:
            processes[part.name] = _start(part)
            if not _is_up(part.name, processes[part.name]):
                return 0 if stopping else _ended(part.name, processes[part.name])
        print(example.welcome, flush=True)
        while not stopping:
            for name, process in processes.items():
                if process.poll() is not None:
                    return _ended(name, process)
            time.sleep(0.2)
    return 0


def _start(part: Part) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own programs
        part.command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **part.environment},
        # A Ctrl-C in the terminal reaches us alone; we end the parts in order.
        start_new_session=True,
    )


def _is_up(name: str, process: subprocess.Popen[str]) -> bool:
    """Wait until a part prints that it listens."""
    if process.stdout is None:
        return False
    # Read as it comes: lines that a reader has in its own buffer wake no selector.
    pipe, said = process.stdout.fileno(), b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        deadline = time.monotonic() + START_SECONDS
        while selector.select(deadline - time.monotonic()):
            chunk = os.read(pipe, 4096)
            if not chunk:
                return False
            said += chunk
            if b"http://" in said:
                return True
    print(f"{name} did not start within {START_SECONDS} seconds", file=sys.stderr)
    return False


def _ended(name: str, process: subprocess.Popen[str]) -> int:
    try:
        code = process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:  # it was waited for in vain; whoever started it ends it
        return 1
    print(f"\n{name} ended with exit code {code}; its message is above", file=sys.stderr)
    return code or 1


def _stop_on_signals() -> list[int]:
    """Remember the signals that ask us to stop."""
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: asked.append(received))
    return asked


@contextmanager
def _processes() -> Iterator[dict[str, subprocess.Popen[str]]]:
    """The processes by name; all that still run are ended on the way out, the last one first."""
    processes: dict[str, subprocess.Popen[str]] = {}
    try:
        yield processes
    finally:
        for process in reversed(processes.values()):
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


if __name__ == "__main__":
    sys.exit(main())
