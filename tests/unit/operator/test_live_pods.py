"""Where the admin pages of a pod are."""

from typing import Any

import pytest

from isthmus_operator.live import Pod

PORTS = [{"name": "http", "containerPort": 8080}, {"name": "admin", "containerPort": 9090}]


def pod(*, ports: Any = PORTS, **status: Any) -> Pod:
    metadata = {"name": "it-1", "namespace": "shop", "uid": "u", "resourceVersion": "1"}
    containers = [{"name": "route", "ports": ports}]
    return Pod.of({"metadata": metadata, "spec": {"containers": containers}, "status": status})


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(pod(phase="Running", podIP="10.0.0.7"), "10.0.0.7:9090", id="IPv4"),
        pytest.param(pod(phase="Running", podIP="fd00::7"), "[fd00::7]:9090", id="IPv6"),
        pytest.param(pod(phase="Running"), "", id="without an address yet"),
        pytest.param(pod(phase="Failed", podIP="10.0.0.7"), "", id="over, its address given on"),
        pytest.param(pod(ports=[], phase="Running", podIP="10.0.0.7"), "", id="without the port"),
    ],
)
def test_the_address(found: Pod, expected: str) -> None:
    assert found.address == expected


def test_to_have_an_address_is_no_news() -> None:
    assert pod(phase="Pending") == pod(phase="Running", podIP="10.0.0.7")
