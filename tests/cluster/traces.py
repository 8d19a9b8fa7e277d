"""The traces that a cluster leaves on its machine, and how they are removed."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

END_SECONDS: Final = 10.0
_OURS: Final = ("KUBE-", "CNI-")
"""Chains of kube-proxy, of the kubelet and of the CNI plugins begin so."""


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


def end_pods(socket: Path) -> None:
    """End all containers, and the network namespaces of their pods."""
    ctr = ["ctr", "--address", str(socket), "--namespace", "k8s.io"]
    for task in _lines([*ctr, "tasks", "list", "-q"]):
        subprocess.run([*ctr, "tasks", "kill", "-s", "KILL", "-a", task], capture_output=True)
        subprocess.run([*ctr, "tasks", "delete", "--force", task], capture_output=True)
    for container in _lines([*ctr, "containers", "list", "-q"]):
        told = subprocess.run([*ctr, "containers", "info", container], capture_output=True)
        for path in _network_namespaces(told.stdout):
            subprocess.run(["ip", "netns", "delete", Path(path).name], capture_output=True)


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
    for family in ("iptables", "ip6tables"):
        saved = subprocess.run([f"{family}-save"], capture_output=True, text=True)
        kept = [line for line in saved.stdout.splitlines() if not any(m in line for m in _OURS)]
        if saved.returncode == 0 and len(kept) < len(saved.stdout.splitlines()):
            text = "\n".join(kept) + "\n"
            subprocess.run([f"{family}-restore"], input=text, text=True, check=True)


def remove_cgroups() -> None:
    """Remove the cgroups of pods, the innermost first."""
    for root in Path("/sys/fs/cgroup").glob("**/kubepods"):
        folders = sorted((Path(each[0]) for each in os.walk(root)), reverse=True)
        for folder in folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


def remove_leftovers(network: str) -> None:
    """Remove what programs write to places of their own, and those places where they are empty."""
    for result in Path("/var/lib/cni/results").glob(f"{network}-*"):
        result.unlink()
    Path("/var/lib/kubelet/device-plugins/kubelet_internal_checkpoint").unlink(missing_ok=True)
    for place in ("/var/lib/cni", "/var/lib/kubelet", "/run/containerd", "/run/runc"):
        for folder in sorted((each[0] for each in os.walk(place)), reverse=True):
            with contextlib.suppress(OSError):
                os.rmdir(folder)


def unmount(folder: Path) -> None:
    """Unmount everything below a folder, the innermost first."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for point in sorted((each for each in mounts if each.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", point], capture_output=True)


def remove_folder(folder: Path, *, keep: str) -> None:
    """Remove a folder, but for files that match `keep`."""
    for link in Path("/var/log/containers").glob("*"):
        if link.is_symlink() and str(link.readlink()).startswith(f"{folder}/"):
            link.unlink()
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)
        return
    kept = set(folder.glob(keep))
    for each in folder.iterdir() if folder.exists() else ():
        if each not in kept:
            shutil.rmtree(each) if each.is_dir() else each.unlink()


def _lines(command: list[str]) -> list[str]:
    return subprocess.run(command, capture_output=True, text=True).stdout.split()
