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
from typing import Any, Final

import archive
import metrics
import traces
from control_plane import ControlPlane, ControlPlaneError, Process

HERE: Final = Path(__file__).resolve().parent
NODE: Final = "isthmus"
BRIDGE: Final = "isthmus0"
ADDRESS: Final = "10.243.0.1"
"""Of the node, the API server and the name server: on a bridge of our own, so that pods reach it
on every machine."""
PODS: Final = "10.244.0.0/24"
SERVICES: Final = "10.96.0.0/16"
CNI_NAME: Final = "isthmus"
POLICIES: Final = "KUBE-POLICIES"
"""The chain of the packet filter that asks what enforces NetworkPolicies. It goes with all chains
that begin so."""
QUEUE: Final = "100"
PAUSE: Final = "localhost/pause:dev"
READY_SECONDS: Final = 90.0
AUTOSCALING: Final = {
    "horizontal-pod-autoscaler-sync-period": "5s",
    "horizontal-pod-autoscaler-cpu-initialization-period": "20s",
    "horizontal-pod-autoscaler-initial-readiness-delay": "5s",
    "horizontal-pod-autoscaler-downscale-stabilization": "20s",
}
"""Minutes by default: until an autoscaler trusts what it measures, and lets go of pods."""
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
        self.kubeconfig = folder / "kubeconfig"
        self._pids = folder / "pids.json"
        self._socket = folder / "containerd.sock"
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
        traces.remove_leftovers(self.folder, network=CNI_NAME)
        with contextlib.suppress(FileNotFoundError):
            traces.restore(json.loads((self.folder / "kernel.json").read_text()))
        traces.remove_folder(self.folder, keep="*.log" if keep_logs else "")
        if not keep_logs:
            self._be_gone()

    def _be_gone(self) -> None:
        """Raise when something is left: who uses the machine next would stumble over it."""
        left = traces.left(self.folder, containerd=self._socket, bridge=BRIDGE, network=CNI_NAME)
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
        _run("ip", "address", "add", f"{ADDRESS}/32", "dev", BRIDGE)
        _run("ip", "link", "set", BRIDGE, "up")
        plane = ControlPlane(
            folder=self.folder,
            host=ADDRESS,
            apiserver_flags={
                "disable-admission-plugins": "",
                "endpoint-reconciler-type": "lease",
                "enable-aggregator-routing": "true",
                "kubelet-preferred-address-types": "InternalIP",
            },
            outlives_us=True,
        ).start()
        self._record(*plane.processes)
        self._run_node(programs)
        self._wait("the node is not ready", lambda: "True" in self._node_ready(plane))
        self._wait("the default ServiceAccount is missing", lambda: _has_account(plane))
        self._run_metrics(plane, programs)

    def _run_node(self, programs: Path) -> None:
        account = {"kubeconfig": str(self.kubeconfig)}
        self._write("containerd.toml", _containerd(self.folder, self._socket))
        self._write("cni/10-isthmus.conflist", json.dumps(_cni(self.folder)))
        self._write("kubelet.json", json.dumps(_kubelet(self.folder, self._socket)))
        self._write("Corefile", _names(self.kubeconfig))
        self._start_one("containerd", {"config": str(self.folder / "containerd.toml")})
        self._wait("containerd does not answer", self._socket.exists)
        archive.write(programs / "pause", image=PAUSE, to=self.folder / "pause.tar")
        self.load([self.folder / "pause.tar"])
        self._start_one(
            str(programs / "kube-controller-manager"),
            account
            | {
                "use-service-account-credentials": "true",
                "root-ca-file": str(self.folder / "apiserver.crt"),
                "service-account-private-key-file": str(self.folder / "apiserver.key"),
                "allocate-node-cidrs": "false",
                "service-cluster-ip-range": SERVICES,
                "leader-elect": "false",
                "secure-port": "0",
            }
            | AUTOSCALING,
        )
        self._start_one(
            str(programs / "kube-scheduler"),
            account | {"leader-elect": "false", "secure-port": "0"},
        )
        self._start_one(
            str(programs / "kubelet"),
            account
            | {
                "config": str(self.folder / "kubelet.json"),
                "root-dir": str(self.folder / "kubelet"),
                "hostname-override": NODE,
                "node-ip": ADDRESS,
                "cert-dir": str(self.folder / "kubelet-pki"),
            },
        )
        self._start_one(
            str(programs / "kube-proxy"),
            account
            | {
                "proxy-mode": "iptables",
                "hostname-override": NODE,
                "conntrack-max-per-core": "0",
                "conntrack-tcp-timeout-established": "0",
                "conntrack-tcp-timeout-close-wait": "0",
                "healthz-bind-address": f"{ADDRESS}:10256",
                "metrics-bind-address": f"{ADDRESS}:10249",
            },
        )
        self._start_one(
            str(programs / "policies"),
            account | {"hostname-override": NODE, "nfqueue-id": QUEUE},
        )
        _ask_of_connections()
        self._start_one(str(programs / "coredns"), {"conf": str(self.folder / "Corefile")})

    def _run_metrics(self, plane: ControlPlane, programs: Path) -> None:
        """Once the node is there, since it looks for nodes before all else."""
        kubeconfigs = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
        self._start_one(
            str(programs / "metrics-server"),
            dict.fromkeys(kubeconfigs, str(self.kubeconfig))
            | {
                "authentication-skip-lookup": "true",
                "bind-address": ADDRESS,
                "secure-port": str(metrics.PORT),
                "cert-dir": str(self.folder / "metrics-pki"),
                "kubelet-insecure-tls": "true",
                "kubelet-preferred-address-types": "InternalIP",
                "metric-resolution": "10s",
                "kubelet-request-timeout": "5s",
            },
        )
        plane.kubectl("apply", "-f", "-", stdin=json.dumps(metrics.registration(ADDRESS)))
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
        return plane.kubectl("get", "node", NODE, path, check=False).stdout

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


def _containerd(folder: Path, socket: Path) -> str:
    # restrict_oom_score_adj: where CAP_SYS_RESOURCE is missing no sandbox could start otherwise.
    return f"""
version = 2
root = "{folder}/containerd/root"
state = "{folder}/containerd/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "{socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/containerd/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{folder}/cni"
"""


def _cni(folder: Path) -> dict[str, Any]:
    # Each pod has a line of its own to the node, so traffic from pod to pod by way of a Service
    # passes the node's packet filter both ways; on a bridge it would need br_netfilter.
    return {
        "cniVersion": "0.4.0",
        "name": CNI_NAME,
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "subnet": PODS,
                    "dataDir": f"{folder}/cni-addresses",
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def _kubelet(folder: Path, socket: Path) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": ADDRESS,
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "containerRuntimeEndpoint": f"unix://{socket}",
        "cgroupDriver": "cgroupfs",
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [ADDRESS],
        "clusterDomain": "cluster.local",
        "resolvConf": "",
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "imageMinimumGCAge": "24h",
        "podLogsDir": f"{folder}/pod-logs",
        "volumePluginDir": f"{folder}/volume-plugins",
        "readOnlyPort": 0,
        "healthzPort": 0,
        "registerNode": True,
        "serializeImagePulls": False,
        "syncFrequency": "10s",
    }


def _ask_of_connections() -> None:
    """Have the packet filter ask of each new connection of a pod, after it is known where it goes.

    Nothing goes through while nobody answers. The program has rules of its own, in nftables, which
    not every kernel can follow (`nft_queue`); asked twice it says the same twice.
    """
    table = ("iptables", "--wait", "--table", "mangle")
    _run(*table, "--new-chain", POLICIES)
    _run(*table, "--append", POLICIES, "--match", "addrtype", "--src-type", "LOCAL", "-j", "RETURN")
    _run(*table, "--append", POLICIES, "-j", "NFQUEUE", "--queue-num", QUEUE)
    # What goes to the node itself, which are the API server and the name server, takes another way.
    for hook, end in (
        ("INPUT", "--source"),
        ("POSTROUTING", "--source"),
        ("POSTROUTING", "--destination"),
    ):
        new = ("--match", "conntrack", "--ctstate", "NEW")
        _run(*table, "--append", hook, end, PODS, *new, "-j", POLICIES)


def _names(kubeconfig: Path) -> str:
    return f""".:53 {{
  bind {ADDRESS}
  errors
  kubernetes cluster.local in-addr.arpa ip6.arpa {{
    kubeconfig {kubeconfig}
    pods insecure
    ttl 5
  }}
}}
"""


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
