"""Start the whole example on this machine: two services, the shop page, and the Route.

`make run` calls this. Ctrl-C ends everything; so does the end of any part, with its last words.
"""

import importlib.util
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(os.path.relpath(Path(__file__).parent))
# The Connectors name the first two; only the others can be moved by the environment.
PORTS = {"search": "8081", "erp": "8082", "shop": os.environ.get("SHOP_PORT", "8083")}
ROUTE_PORT = os.environ.get("PORT", "8080")
ADMIN_PORT = os.environ.get("ADMIN_PORT", "9090")
NEEDED = ("isthmus_cli", "isthmus_runtime", "starlette", "uvicorn", "httpx")
MEND = "start the example with 'make run', which sets up what it needs"
START_SECONDS = 30
STOP_SECONDS = 10

WELCOME = f"""
The example is up. Try it:

  shop page      http://127.0.0.1:{PORTS["shop"]}/shop
  the Route      curl 'http://127.0.0.1:{ROUTE_PORT}/search?q=chair'
  slow ERP       curl -X PUT http://127.0.0.1:{PORTS["erp"]}/faults -d '{{"delay": "2s"}}'
  healthy again  curl -X DELETE http://127.0.0.1:{PORTS["erp"]}/faults
  metrics        http://127.0.0.1:{ADMIN_PORT}/metrics

Change {HERE}/mapping.yaml and save: the Route reloads. Ctrl-C ends everything.
"""


def main() -> int:
    """Run the parts until a signal comes or one of them ends; the exit code."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(f"the Python module {missing[0]} is missing; {MEND}", file=sys.stderr)
        return 2
    stopping = _stop_on_signals()
    with _parts() as parts:
        for name, command in _commands().items():
            parts[name] = _start(command)
            if not _is_up(name, parts[name]):
                return 0 if stopping else _ended(name, parts[name])
        print(WELCOME, flush=True)
        while not stopping:
            for name, part in parts.items():
                if part.poll() is not None:
                    return _ended(name, part)
            time.sleep(0.2)
    return 0


def _commands() -> dict[str, list[str]]:
    python, services = sys.executable, HERE / "services"
    commands = {
        name: [python, str(services / f"{name}.py"), "--port", port, "--quiet"]
        for name, port in PORTS.items()
    }
    route = [python, "-m", "isthmus_cli", "run", str(HERE), "--watch"]
    route += ["--secrets", str(HERE / "secrets.env")]
    route += ["--port", ROUTE_PORT, "--admin-port", ADMIN_PORT]
    return {**commands, "isthmus run": route}


def _start(command: list[str]) -> subprocess.Popen[str]:
    addresses = {
        "ISTHMUS_URL": f"http://127.0.0.1:{ROUTE_PORT}",
        "ERP_URL": f"http://127.0.0.1:{PORTS['erp']}",
    }
    return subprocess.Popen(  # noqa: S603 - our own programs
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **addresses},
        # A Ctrl-C in the terminal reaches us alone; we end the parts in order.
        start_new_session=True,
    )


def _is_up(name: str, part: subprocess.Popen[str]) -> bool:
    """Wait until a part prints that it listens."""
    if part.stdout is None:
        return False
    with selectors.DefaultSelector() as selector:
        selector.register(part.stdout, selectors.EVENT_READ)
        deadline = time.monotonic() + START_SECONDS
        while selector.select(deadline - time.monotonic()):
            line = part.stdout.readline()
            if not line:
                return False
            if "http://" in line:
                return True
    print(f"{name} did not start within {START_SECONDS} seconds", file=sys.stderr)
    return False


def _ended(name: str, part: subprocess.Popen[str]) -> int:
    code = part.wait(STOP_SECONDS) if part.poll() is None else part.returncode
    print(f"\n{name} ended with exit code {code}; its message is above", file=sys.stderr)
    return code or 1


def _stop_on_signals() -> list[int]:
    """Remember the signals that ask us to stop."""
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: asked.append(received))
    return asked


@contextmanager
def _parts() -> Iterator[dict[str, subprocess.Popen[str]]]:
    """The parts by name; all that still run are ended on the way out, the last one first."""
    parts: dict[str, subprocess.Popen[str]] = {}
    try:
        yield parts
    finally:
        for part in reversed(parts.values()):
            part.terminate()
            try:
                part.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                part.kill()
                part.wait()


if __name__ == "__main__":
    sys.exit(main())
