"""A Kubernetes control plane on loopback: etcd and kube-apiserver, for as long as a test needs.

For contract tests, which need a real API server and no nodes: objects are stored, validated and
watched, but nothing acts on them (no Deployment makes pods, no owner's deletion collects its
children). Needs neither root nor Docker. The programs are found or built by `assets()`.

    with ControlPlane() as plane:
        plane.kubectl("apply", "-f", "-", stdin=manifest)
"""

import base64
import contextlib
import http.client
import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HERE = Path(__file__).resolve().parent
HOST = "127.0.0.1"
# A start takes a few seconds; the rest is for machines that are busy with something else.
START_SECONDS = 60.0
# The API server would wait for open watches to end, and has no state of its own to save.
STOP_SECONDS = 2.0
POLL_SECONDS = 0.05
LOG_TAIL_LINES = 20


class ControlPlaneError(Exception):
    """The control plane, or a kubectl command against it, failed; the text tells why."""


def assets() -> Path:
    """Return the folder that has etcd and kube-apiserver, and mostly kubectl.

    That is KUBEBUILDER_ASSETS when set; else `tests/cluster/build` makes the folder, which takes
    minutes the first time and reports its progress on standard error.
    """
    configured = os.environ.get("KUBEBUILDER_ASSETS")
    if configured:
        folder = Path(configured).resolve()
        missing = [name for name in ("etcd", "kube-apiserver") if not (folder / name).is_file()]
        if missing:
            raise ControlPlaneError(f"KUBEBUILDER_ASSETS={configured} lacks {', '.join(missing)}")
        return folder
    built = subprocess.run([HERE / "build"], stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        raise ControlPlaneError("tests/cluster/build failed: it says why on standard error")
    return Path(built.stdout.splitlines()[-1])


class Process:
    """A program of the cluster: runs from construction to `stop()` and writes to a log file."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        outlives_us: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it; without an `environment`, it has ours."""
        self.name = Path(command[0]).name
        self.log = log
        with log.open("ab") as output:
            # In a session of its own it is spared the Ctrl-C that ends the tests, so that it is
            # still there while they clean up.
            self._process = subprocess.Popen(
                [*([] if outlives_us else ending_with_us()), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def check(self) -> None:
        """Raise an error with the end of the log if the program has ended by itself."""
        code = self._process.poll()
        if code is not None:
            raise ControlPlaneError(f"{self.name} ended with code {code}:\n{self.log_tail()}")

    def log_tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def stop(self) -> None:
        """Ask the program to end, wait for it, and end it the hard way when it does not."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class ControlPlane:
    """One etcd and one kube-apiserver on free ports of this machine.

    Start it from a thread that lives as long as it does, such as the main one: on Linux its
    programs end with the thread that started them, so a killed test run leaves none behind.
    """

    server: str
    """URL of the API server; set by `start()`, as all of these are."""
    token: str
    """Bearer token of a user in the group system:masters, who may do everything."""
    certificate: Path
    """PEM file to verify the API server with."""
    kubeconfig: Path
    """Carries all of the above; needs no other file."""
    folder: Path
    """Where state and logs (`etcd.log`, `kube-apiserver.log`) are."""

    etcd: str
    """URL of etcd."""

    processes: tuple[Process, Process]
    """etcd and the API server."""

    def __init__(
        self,
        *,
        folder: Path | None = None,
        host: str = HOST,
        apiserver_flags: Mapping[str, str] | None = None,
        outlives_us: bool = False,
    ) -> None:
        """Use `folder` and keep it after `stop()`; without one, use a temporary folder.

        The API server listens at `host`, an address of this machine. `apiserver_flags`, named
        without their dashes, come on top of our own and replace them. With `outlives_us` both
        programs go on when this process ends.
        """
        self._given_folder = folder
        self._host = host
        self._apiserver_flags = dict(apiserver_flags or {})
        self._outlives_us = outlives_us
        self._started = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Start both programs and return when the API server is ready; leave nothing on failure."""
        programs = assets()
        with contextlib.ExitStack() as started:
            self.folder = self._given_folder or Path(
                started.enter_context(tempfile.TemporaryDirectory(prefix="isthmus-"))
            )
            self.token = secrets.token_urlsafe(32)
            self._kubectl = shutil.which(str(programs / "kubectl")) or shutil.which("kubectl")
            etcd_port, apiserver_port = free_ports(2)
            self.server = f"https://{self._host}:{apiserver_port}"
            self.etcd = f"http://{HOST}:{etcd_port}"
            self.certificate = self.folder / "apiserver.crt"
            self.kubeconfig = self.folder / "kubeconfig"

            etcd = self._run(programs / "etcd", self._etcd_flags(etcd_port))
            started.callback(etcd.stop)
            flags = self._default_apiserver_flags(apiserver_port, etcd_port) | self._apiserver_flags
            apiserver = self._run(programs / "kube-apiserver", flags)
            self.processes = (etcd, apiserver)
            started.callback(self.stop_apiserver)
            self.wait_until_ready()
            self._write_kubeconfig()
            self._again = partial(self._run, programs / "kube-apiserver", flags)
            self._started = started.pop_all()
        return self

    def stop_apiserver(self) -> None:
        """Stop the API server alone; what it knows stays in etcd."""
        self.processes[1].stop()

    def start_apiserver(self) -> None:
        """Start the API server again, at the same address; `wait_until_ready` waits for it."""
        self.processes = (self.processes[0], self._again())

    def forget(self) -> None:
        """Have etcd forget all but the present, as it does every few minutes: a list of several
        pages that began before gets `410 Expired`."""
        found = self._asked_of_etcd("/v3/kv/range", {"key": base64.b64encode(b"/").decode()})
        revision = found["header"]["revision"]
        self._asked_of_etcd("/v3/kv/compaction", {"revision": revision, "physical": True})

    def _asked_of_etcd(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self.etcd.removeprefix("http://"), timeout=30)
        with contextlib.closing(connection):
            connection.request("POST", path, body=json.dumps(body))
            answer = connection.getresponse()
            text = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise ControlPlaneError(f"etcd: {text!r}")
        found: dict[str, Any] = json.loads(text)
        return found

    def stop(self) -> None:
        """Stop both programs and remove the temporary folder; harmless when not started."""
        self._started.close()

    @property
    def kubectl_program(self) -> str:
        """The kubectl of this control plane."""
        if self._kubectl is None:
            raise ControlPlaneError("no kubectl: neither beside kube-apiserver nor on the PATH")
        return self._kubectl

    def kubectl(
        self,
        *args: str,
        stdin: str | None = None,
        check: bool = True,
        timeout: float = 60.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as the user who may do everything.

        With `check`, a command that fails raises an error that has what kubectl said; without,
        the caller looks at `returncode`, `stdout` and `stderr`.
        """
        # The discovery cache is kept per address, and ours was perhaps another plane's yesterday.
        ours = [f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.folder / 'kubectl-cache'}"]
        done = subprocess.run(
            [self.kubectl_program, *ours, *args],
            input=stdin or "",
            capture_output=True,
            text=True,
            timeout=timeout,
            env=os.environ | {"KUBERC": "off"},  # the developer's own kubectl defaults
        )
        if check and done.returncode != 0:
            raise ControlPlaneError(f"kubectl {' '.join(args)}: {done.stderr.strip()}")
        return done

    def until_established(self, *definitions: str) -> None:
        """Wait until these kinds, or all that there are, are served.

        A definition that the server has not looked at yet has no conditions, which kubectl takes
        for an error.
        """
        asked = ("wait", "--for=condition=Established", *(definitions or ("crd", "--all")))
        deadline = time.monotonic() + 60.0
        while True:
            try:
                self.kubectl(*asked, "--timeout=30s")
                return
            except ControlPlaneError as error:
                if "accessor error" not in str(error) or time.monotonic() > deadline:
                    raise
            time.sleep(0.1)

    def _run(self, program: Path, flags: Mapping[str, str]) -> Process:
        command = [str(program), *(f"--{name}={value}" for name, value in flags.items())]
        log = self.folder / f"{program.name}.log"
        return Process(command, log=log, outlives_us=self._outlives_us)

    def _etcd_flags(self, port: int) -> dict[str, str]:
        url = f"http://{HOST}:{port}"
        return {
            "data-dir": str(self.folder / "etcd"),
            "listen-client-urls": url,
            "advertise-client-urls": url,
            "listen-peer-urls": f"http://{HOST}:0",  # there are no peers, so any port will do
            "unsafe-no-fsync": "true",  # the data need not outlive a power cut
        }

    def _default_apiserver_flags(self, port: int, etcd_port: int) -> dict[str, str]:
        tokens = self.folder / "tokens.csv"
        tokens.write_text(f'{self.token},tests,tests,"system:masters"\n')
        # The API server makes its serving key and certificate first, so it can sign with that key.
        key = str(self.folder / "apiserver.key")
        return {
            "etcd-servers": f"http://{HOST}:{etcd_port}",
            "secure-port": str(port),
            "bind-address": self._host,
            "advertise-address": self._host,
            # Endpoints may not hold a loopback address, and nobody here looks for the API server.
            "endpoint-reconciler-type": "none",
            "cert-dir": str(self.folder),
            "token-auth-file": str(tokens),
            "authorization-mode": "Node,RBAC",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": key,
            "service-account-signing-key-file": key,
            "service-cluster-ip-range": "10.96.0.0/16",
            "allow-privileged": "true",
            # It refuses pods until a controller, of which there is none, has made their account.
            "disable-admission-plugins": "ServiceAccount",
        }

    def wait_until_ready(self) -> None:
        """Return when the API server answers."""
        processes = self.processes
        deadline = time.monotonic() + START_SECONDS
        # Ready comes before the first namespaces do, and tests want to use `default` at once.
        for path in ("/readyz", "/api/v1/namespaces/default"):
            while not self._answers(path):
                for process in processes:
                    process.check()
                if time.monotonic() > deadline:
                    tails = "\n".join(f"{p.name}:\n{p.log_tail()}" for p in processes)
                    raise ControlPlaneError(f"no {path} in {START_SECONDS:.0f} s\n{tails}")
                time.sleep(POLL_SECONDS)

    def _answers(self, path: str) -> bool:
        try:
            trust = ssl.create_default_context(cafile=self.certificate)
            address = self.server.removeprefix("https://")
            # Not urllib, which would ask a proxy from the environment.
            connection = http.client.HTTPSConnection(address, timeout=5, context=trust)
            with contextlib.closing(connection):
                connection.request("GET", path, headers={"Authorization": f"Bearer {self.token}"})
                return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False  # no certificate yet, or nobody listens yet

    def _write_kubeconfig(self) -> None:
        authority = base64.b64encode(self.certificate.read_bytes()).decode()
        cluster = {"server": self.server, "certificate-authority-data": authority}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "tests", "cluster": cluster}],
            "users": [{"name": "tests", "user": {"token": self.token}}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
            "current-context": "tests",
        }
        self.kubeconfig.touch(mode=0o600)  # Helm warns when others can read it
        self.kubeconfig.write_text(json.dumps(config, indent=2))  # JSON is YAML too


def ending_with_us() -> list[str]:
    """The command prefix that ends a program with the thread that starts it, where there is one."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


def free_ports(count: int) -> list[int]:
    """Ports that are free now; all are held until the last is found, so that they differ."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]
