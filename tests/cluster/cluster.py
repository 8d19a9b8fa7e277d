"""A real Kubernetes on this machine, with one node: for end-to-end tests and for the demo.

    cluster.py up              start it, and print the path of its kubeconfig
    cluster.py down            end it, and remove every trace
    cluster.py status          say whether it runs
    cluster.py load FILE...    give image archives to its node

It is made of the upstream programs, built by `build`, and of containerd, runc and the CNI plugins
of Debian. It needs root and no Docker. All state is in one folder: ISTHMUS_CLUSTER, or `cluster`
under ISTHMUS_CACHE. NetworkPolicies are enforced, for connections that a pod begins or takes; what
the node itself sends to pods is let in.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import archive
import cluster_settings as settings
import metrics
import traces
from control_plane import ControlPlane, ControlPlaneError, Process

HERE: Final = Path(__file__).resolve().parent
BRIDGE: Final = "isthmus0"
POLICIES: Final = "KUBE-POLICIES"
"""The chain of the packet filter that asks what enforces NetworkPolicies. It goes with all chains
that begin so."""
READY_SECONDS: Final = 90.0
PROGRAMS: Final = (
    "etcd",
    "kube-apiserver",
    "kubectl",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "policies",
    "coredns",
    "metrics-server",
    "pause",
)
PACKAGES: Final = {
    "containerd": "containerd",
    "runc": "runc",
    "/usr/lib/cni/ptp": "containernetworking-plugins",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "ip": "iproute2",
}
"""What must be on the machine, and the Debian package that has it."""


class ClusterError(Exception):
    """The cluster cannot be had; the message says what to do."""


class Cluster:
    """The cluster of one folder, running or not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._settings = settings.Settings(folder)
        self.kubeconfig = self._settings.kubeconfig
        self._pids = folder / "pids.json"
        self._socket = self._settings.containerd
        self._started: list[Process] = []

    def runs(self) -> bool:
        """Whether all its programs run."""
        recorded = self._recorded()
        return bool(recorded) and all(traces.is_running(pid, name) for name, pid in recorded)

    def up(self) -> None:
        """Start what does not run yet; after a crash of the machine, begin anew."""
        if self.runs():
            return
        if self.folder.exists():
            self.down()
        _be_root()
        _install()
        programs = assets_of_cluster()
        self.folder.mkdir(parents=True)
        try:
            self._start(programs)
        except BaseException:
            self.down(keep_logs=True)
            raise

    def down(self, *, keep_logs: bool = False) -> None:
        """End every program and remove what they left on the machine."""
        _be_root()
        recorded = self._recorded()
        for name, pid in recorded:
            if name == "kubelet":
                traces.end(pid, name)
        if self._socket.exists():
            traces.end_pods(self._socket)
        for name, pid in reversed(recorded):
            traces.end(pid, name)
        traces.end_shims(self._socket)
        self._pids.unlink(missing_ok=True)
        traces.remove_network(BRIDGE)
        traces.remove_cgroups()
        traces.unmount(self.folder)
        traces.remove_leftovers(self.folder, network=settings.CNI_NAME)
        with contextlib.suppress(FileNotFoundError):
            traces.restore(json.loads((self.folder / "kernel.json").read_text()))
        traces.remove_folder(self.folder, keep="*.log" if keep_logs else "")
        if not keep_logs:
            self._be_gone()

    def _be_gone(self) -> None:
        """Raise when something is left: who uses the machine next would stumble over it."""
        left = traces.left(
            self.folder, containerd=self._socket, bridge=BRIDGE, network=settings.CNI_NAME
        )
        if left:
            raise ClusterError(f"still on this machine: {', '.join(left)}; try again, or look")

    def load(self, archives: list[Path]) -> None:
        """Give images to the node."""
        for each in archives:
            self._ctr("images", "import", "--no-unpack", str(each))

    def _start(self, programs: Path) -> None:
        self._write("kernel.json", json.dumps(traces.kernel_settings()))
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        _run("ip", "link", "add", BRIDGE, "type", "bridge")
        _run("ip", "address", "add", f"{settings.ADDRESS}/32", "dev", BRIDGE)
        _run("ip", "link", "set", BRIDGE, "up")
        plane = ControlPlane(
            folder=self.folder,
            host=settings.ADDRESS,
            apiserver_flags=settings.APISERVER,
            outlives_us=True,
        ).start()
        self._record(*plane.processes)
        self._run_node(programs)
        self._wait("the node is not ready", lambda: "True" in self._node_ready(plane))
        self._wait("the default ServiceAccount is missing", lambda: _has_account(plane))
        self._run_metrics(plane, programs)

    def _run_node(self, programs: Path) -> None:
        for name, text in self._settings.files().items():
            self._write(name, text)
        self._start_one("containerd", {"config": str(self.folder / "containerd.toml")})
        self._wait("containerd does not answer", self._socket.exists)
        archive.write(programs / "pause", image=settings.PAUSE, to=self.folder / "pause.tar")
        self.load([self.folder / "pause.tar"])
        for name, flags in self._settings.flags().items():
            self._start_one(str(programs / name), flags)
        _ask_of_connections()

    def _run_metrics(self, plane: ControlPlane, programs: Path) -> None:
        self._start_one(str(programs / "metrics-server"), self._settings.metrics())
        registration = metrics.registration(settings.ADDRESS)
        plane.kubectl("apply", "-f", "-", stdin=json.dumps(registration))
        # Namespaces are not deleted to the end while a part of the API does not answer.
        self._wait("metrics-server does not answer", lambda: _serves_metrics(plane))

    def _start_one(self, program: str, flags: dict[str, str]) -> None:
        command = [program, *(f"--{name}={value}" for name, value in flags.items())]
        if Path(program).name == "coredns":
            command = [each.replace("--", "-", 1) for each in command]
        log = self.folder / f"{Path(program).name}.log"
        self._record(Process(command, log=log, outlives_us=True))

    def _node_ready(self, plane: ControlPlane) -> str:
        path = "-o=jsonpath={.status.conditions[?(@.type=='Ready')].status}"
        return plane.kubectl("get", "node", settings.NODE, path, check=False).stdout

    def _wait(self, otherwise: str, until: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not until():
            for process in self._started:
                process.check()
            if time.monotonic() > deadline:
                raise ClusterError(f"{otherwise} after {READY_SECONDS:.0f} s; see {self.folder}")
            time.sleep(0.1)

    def _record(self, *processes: Process) -> None:
        self._started += processes
        self._pids.write_text(json.dumps([(each.name, each.pid) for each in self._started]))

    def _recorded(self) -> list[tuple[str, int]]:
        try:
            return [(name, pid) for name, pid in json.loads(self._pids.read_text())]
        except FileNotFoundError:
            return []

    def _write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def _ctr(self, *args: str) -> None:
        _run("ctr", "--address", str(self._socket), "--namespace", "k8s.io", *args)


def assets_of_cluster() -> Path:
    """The folder that has all programs; builds what is missing, which takes minutes once."""
    built = subprocess.run([HERE / "build", *PROGRAMS], stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        raise ClusterError("tests/cluster/build failed: it says why on standard error")
    return Path(built.stdout.splitlines()[-1])


def _has_account(plane: ControlPlane) -> bool:
    """Pods are refused before their namespace has its ServiceAccount."""
    return plane.kubectl("get", "serviceaccount", "default", check=False).returncode == 0


def _serves_metrics(plane: ControlPlane) -> bool:
    path = '-o=jsonpath={.status.conditions[?(@.type=="Available")].status}'
    return "True" in plane.kubectl("get", "apiservice", metrics.API, path, check=False).stdout


def _ask_of_connections() -> None:
    """Have the packet filter ask of each new connection of a pod, after it is known where it goes.

    Nothing goes through while nobody answers. The program has rules of its own, in nftables, which
    not every kernel can follow (`nft_queue`); asked twice it says the same twice.
    """
    table = ("iptables", "--wait", "--table", "mangle")
    _run(*table, "--new-chain", POLICIES)
    _run(*table, "--append", POLICIES, "--match", "addrtype", "--src-type", "LOCAL", "-j", "RETURN")
    _run(*table, "--append", POLICIES, "-j", "NFQUEUE", "--queue-num", settings.QUEUE)
    # What goes to the node itself, which are the API server and the name server, takes another way.
    for hook, end in (
        ("INPUT", "--source"),
        ("POSTROUTING", "--source"),
        ("POSTROUTING", "--destination"),
    ):
        new = ("--match", "conntrack", "--ctstate", "NEW")
        _run(*table, "--append", hook, end, settings.PODS, *new, "-j", POLICIES)


def _be_root() -> None:
    if os.geteuid() != 0:
        raise ClusterError(
            "the cluster needs root: use sudo, or set KUBECONFIG to a cluster that you have"
        )


def _install() -> None:
    """Install what is missing, where there is apt."""
    missing = sorted({package for what, package in PACKAGES.items() if not shutil.which(what)})
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise ClusterError(f"install {', '.join(missing)}, which this machine lacks")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", *missing]):
        done = subprocess.run(["apt-get", *command], env=environment, stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            raise ClusterError(f"apt-get {command[0]} failed; install {', '.join(missing)}")


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise ClusterError(f"{' '.join(command)}: {done.stderr.strip()}")


def here() -> Cluster:
    """The cluster of this machine's user."""
    cache = os.environ.get("ISTHMUS_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "isthmus"
    )
    return Cluster(Path(os.environ.get("ISTHMUS_CLUSTER") or os.path.join(cache, "cluster")))


def main(args: list[str]) -> int:
    """Run one command."""
    cluster = here()
    match args:
        case ["up"]:
            cluster.up()
            print(cluster.kubeconfig)
        case ["down"]:
            cluster.down()
        case ["status"]:
            print(f"running: {cluster.kubeconfig}" if cluster.runs() else "not running")
            return 0 if cluster.runs() else 1
        case ["load", *archives] if archives:
            cluster.load([Path(each) for each in archives])
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (ClusterError, ControlPlaneError) as error:
        print(f"cluster: {error}", file=sys.stderr)
        sys.exit(1)
