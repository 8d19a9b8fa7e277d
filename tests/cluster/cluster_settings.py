"""What the programs of the cluster are told: in their files, and on their command lines. Pure."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import metrics

NODE: Final = "isthmus"
ADDRESS: Final = "10.243.0.1"
"""Of the node, the API server and the name server: on a bridge of our own, so that pods reach it
on every machine."""
PODS: Final = "10.244.0.0/24"
SERVICES: Final = "10.96.0.0/16"
CNI_NAME: Final = "isthmus"
QUEUE: Final = "100"
"""Of the packet filter, at which what enforces NetworkPolicies is asked."""
PAUSE: Final = "localhost/pause:dev"

APISERVER: Final = {
    "disable-admission-plugins": "",
    "endpoint-reconciler-type": "lease",
    "enable-aggregator-routing": "true",
    "kubelet-preferred-address-types": "InternalIP",
}
"""What its API server is told beyond what a control plane alone is."""
_AUTOSCALING: Final = {
    "horizontal-pod-autoscaler-sync-period": "5s",
    "horizontal-pod-autoscaler-cpu-initialization-period": "20s",
    "horizontal-pod-autoscaler-initial-readiness-delay": "5s",
    "horizontal-pod-autoscaler-downscale-stabilization": "20s",
}
"""Minutes by default: until an autoscaler trusts what it measures, and lets go of pods."""

Flags = dict[str, str]


@dataclass(frozen=True)
class Settings:
    """Those of a cluster that has its state in `folder`."""

    folder: Path

    @property
    def kubeconfig(self) -> Path:
        """Carries the rights of who may do everything."""
        return self.folder / "kubeconfig"

    @property
    def containerd(self) -> Path:
        """The socket of containerd."""
        return self.folder / "containerd.sock"

    def files(self) -> dict[str, str]:
        """Text by name, below the folder."""
        return {
            "containerd.toml": _containerd(self.folder, self.containerd),
            "cni/10-isthmus.conflist": json.dumps(_cni(self.folder)),
            "kubelet.json": json.dumps(_kubelet(self.folder, self.containerd)),
            "Corefile": _names(self.kubeconfig),
        }

    def flags(self) -> dict[str, Flags]:
        """Flags by program, in the order in which they are started; metrics-server comes later."""
        account = {"kubeconfig": str(self.kubeconfig)}
        return {
            "kube-controller-manager": account
            | {
                "use-service-account-credentials": "true",
                "root-ca-file": str(self.folder / "apiserver.crt"),
                "service-account-private-key-file": str(self.folder / "apiserver.key"),
                "allocate-node-cidrs": "false",
                "service-cluster-ip-range": SERVICES,
                "leader-elect": "false",
                "secure-port": "0",
            }
            | _AUTOSCALING,
            "kube-scheduler": account | {"leader-elect": "false", "secure-port": "0"},
            "kubelet": account
            | {
                "config": str(self.folder / "kubelet.json"),
                "root-dir": str(self.folder / "kubelet"),
                "hostname-override": NODE,
                "node-ip": ADDRESS,
                "cert-dir": str(self.folder / "kubelet-pki"),
            },
            "kube-proxy": account
            | {
                "proxy-mode": "iptables",
                "hostname-override": NODE,
                "conntrack-max-per-core": "0",
                "conntrack-tcp-timeout-established": "0",
                "conntrack-tcp-timeout-close-wait": "0",
                "healthz-bind-address": f"{ADDRESS}:10256",
                "metrics-bind-address": f"{ADDRESS}:10249",
            },
            "policies": account | {"hostname-override": NODE, "nfqueue-id": QUEUE},
            "coredns": {"conf": str(self.folder / "Corefile")},
        }

    def metrics(self) -> Flags:
        """Of metrics-server, which looks for nodes before all else."""
        kubeconfigs = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
        return dict.fromkeys(kubeconfigs, str(self.kubeconfig)) | {
            "authentication-skip-lookup": "true",
            "bind-address": ADDRESS,
            "secure-port": str(metrics.PORT),
            "cert-dir": str(self.folder / "metrics-pki"),
            "kubelet-insecure-tls": "true",
            "kubelet-preferred-address-types": "InternalIP",
            "metric-resolution": "10s",
            "kubelet-request-timeout": "5s",
        }


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
