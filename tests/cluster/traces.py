"""The traces that a cluster leaves on its machine, and how they are removed."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Final

END_SECONDS: Final = 10.0
_OURS: Final = ("KUBE-", "CNI-")
"""Chains of kube-proxy, of the kubelet and of the CNI plugins begin so."""
_FAMILIES: Final = ("iptables", "ip6tables")
_RECORDS: Final = Path("/var/lib/cni/results")
_PLACES: Final = (
    "/var/lib/cni",
    "/var/lib/kubelet",
    "/run/containerd",
    "/run/runc",
    "/var/log/containers",
)
_KERNEL_SETTINGS: Final = (
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "net/ipv4/conf/all/route_localnet",
    "net/ipv4/ip_forward",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)


def is_running(pid: int, name: str) -> bool:
    """Whether a pid still is that program, and not a later one that got its number."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    ended = text.rpartition(")")[2].split()[0] == "Z"
    return not ended and Path(os.fsdecode(command)).name == name


def end(pid: int, name: str) -> None:
    """End a program, the hard way when it does not listen."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        if not is_running(pid, name):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)
        deadline = time.monotonic() + END_SECONDS
        while is_running(pid, name) and time.monotonic() < deadline:
            _reap(pid)
            time.sleep(0.05)


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def end_pods(containerd: Path) -> None:
    """End all containers, and the network namespaces of their pods.

    The kubelet must have ended before, for it starts again what ends.
    """
    ctr = ["ctr", "--address", str(containerd), "--namespace", "k8s.io"]
    for task in _lines([*ctr, "tasks", "list", "-q"]):
        subprocess.run([*ctr, "tasks", "kill", "-s", "KILL", "-a", task], capture_output=True)
        subprocess.run([*ctr, "tasks", "delete", "--force", task], capture_output=True)
    for container in _lines([*ctr, "containers", "list", "-q"]):
        told = subprocess.run([*ctr, "containers", "info", container], capture_output=True)
        for path in _network_namespaces(told.stdout):
            subprocess.run(["ip", "netns", "delete", Path(path).name], capture_output=True)


def end_shims(containerd: Path) -> None:
    """End what containerd left running: the parents of containers, and these with them."""
    parents = {pid for pid in _pids() if _is_shim(pid, containerd)}
    for pid in [each for each in _pids() if _parent(each) in parents] + sorted(parents):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + END_SECONDS
    while any(map(_exists, parents)) and time.monotonic() < deadline:
        time.sleep(0.05)


def _pids() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]


def _is_shim(pid: int, containerd: Path) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return command[0].endswith(b"/containerd-shim-runc-v2") and os.fsencode(containerd) in command


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _network_namespaces(info: bytes) -> set[str]:
    try:
        namespaces = json.loads(info)["Spec"]["linux"]["namespaces"]
    except (ValueError, KeyError):
        return set()
    return {
        each["path"]
        for each in namespaces
        if each["type"] == "network" and str(each.get("path", "")).startswith("/var/run/netns/")
    }


def remove_network(bridge: str) -> None:
    """Remove the bridge and all rules of the packet filter that a cluster made."""
    subprocess.run(["ip", "link", "delete", bridge], capture_output=True)
    for family in _FAMILIES:
        rules = _saved(family).splitlines()
        kept = [line for line in rules if not any(mark in line for mark in _OURS)]
        if len(kept) < len(rules):
            text = "\n".join(kept) + "\n"
            subprocess.run([f"{family}-restore"], input=text, text=True, check=True)


def _saved(family: str) -> str:
    """The rules of a packet filter; nothing where there is no such filter."""
    if not shutil.which(f"{family}-save"):
        return ""
    saved = subprocess.run([f"{family}-save"], capture_output=True, text=True)
    return saved.stdout if saved.returncode == 0 else ""


def remove_cgroups() -> None:
    """Remove the cgroups of pods, the innermost first."""
    for root in Path("/sys/fs/cgroup").glob("**/kubepods"):
        folders = sorted((Path(each[0]) for each in os.walk(root)), reverse=True)
        for folder in folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


def remove_leftovers(folder: Path, *, network: str) -> None:
    """Remove what programs write to places of their own, and those places where they are empty."""
    _remove_cni_records(network)
    _remove_container_states(folder)
    for link in Path("/var/log/containers").glob("*"):
        if link.is_symlink() and str(link.readlink()).startswith(f"{folder}/"):
            link.unlink()
    for name in ("kubelet_internal_checkpoint", "kubelet.sock"):
        Path("/var/lib/kubelet/device-plugins", name).unlink(missing_ok=True)
    for place in _PLACES:
        for empty in sorted((each[0] for each in os.walk(place)), reverse=True):
            with contextlib.suppress(OSError):
                os.rmdir(empty)


def _remove_cni_records(network: str) -> None:
    """Remove the records of our network and their namespaces, then of namespaces that are gone."""
    for record in _RECORDS.glob(f"{network}-*"):
        for path in _sandboxes(record):
            subprocess.run(["ip", "netns", "delete", path.name], capture_output=True)
        record.unlink()
    for record in _RECORDS.glob("cni-loopback-*"):
        if not any(path.exists() for path in _sandboxes(record)):
            record.unlink()


def _remove_container_states(folder: Path) -> None:
    """Remove what is noted of containers that ran in a folder, and sockets nobody listens on."""
    for state in Path("/run/containerd/runc").glob("*/*/state.json"):
        if f"{folder}/" in state.read_text():
            shutil.rmtree(state.parent, ignore_errors=True)
    for path in Path("/run/containerd/s").glob("*"):
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as knocking:
            try:
                knocking.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()


def _sandboxes(record: Path) -> set[Path]:
    """The network namespaces that a record of a CNI plugin is about."""
    try:
        interfaces = json.loads(record.read_text())["result"]["interfaces"]
    except (ValueError, KeyError):
        return set()
    return {Path(each["sandbox"]) for each in interfaces if each.get("sandbox")}


def left(folder: Path, *, containerd: Path, bridge: str, network: str) -> list[str]:
    """What of a cluster is still on the machine, in words."""
    saved = "".join(_saved(family) for family in _FAMILIES)
    found = {
        f"the folder {folder}": folder.exists(),
        "containers that run": any(_is_shim(pid, containerd) for pid in _pids()),
        "mounts": bool(_mounts(folder)),
        "control groups": any(Path("/sys/fs/cgroup").glob("**/kubepods")),
        f"the bridge {bridge}": Path("/sys/class/net", bridge).exists(),
        "records of pods' networks": any(_RECORDS.glob(f"{network}-*")),
        "rules of the packet filter": any(mark in saved for mark in _OURS),
    }
    return [what for what, there in found.items() if there]


def kernel_settings() -> dict[str, str]:
    """What kubelet and kube-proxy change of the kernel, as it is now."""
    there = (Path("/proc/sys", each) for each in _KERNEL_SETTINGS)
    return {str(each): each.read_text() for each in there if each.exists()}


def restore(settings: dict[str, str]) -> None:
    """Set the kernel as it was."""
    for setting, value in settings.items():
        with contextlib.suppress(OSError):
            Path(setting).write_text(value)


def unmount(folder: Path) -> None:
    """Unmount everything below a folder, the innermost first."""
    for point in sorted(_mounts(folder), reverse=True):
        subprocess.run(["umount", "--lazy", point], capture_output=True)


def _mounts(folder: Path) -> list[str]:
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return [each for each in mounts if each.startswith(f"{folder}/")]


def remove_folder(folder: Path, *, keep: str) -> None:
    """Remove a folder, but for files that match `keep`."""
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
        return
    kept = set(folder.glob(keep))
    for each in folder.iterdir() if folder.exists() else ():
        if each not in kept:
            shutil.rmtree(each) if each.is_dir() else each.unlink()


def _lines(command: list[str]) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True).stdout.split()
