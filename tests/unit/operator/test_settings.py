"""The operator's environment: what is taken, and what is refused with which words."""

import pytest

from isthmus_api.workload import PodTemplate
from isthmus_operator.settings import Settings, WrongSettings

NEEDED = {
    "ISTHMUS_RUNTIME_IMAGE": "runtime:1",
    "ISTHMUS_NAMESPACE": "isthmus",
    "ISTHMUS_POD": "isthmus-operator-7d9f-x2x",
}


def _refused(**given: str) -> str:
    with pytest.raises(WrongSettings) as refused:
        Settings.of(NEEDED | given)
    return str(refused.value)


def test_three_variables_are_enough() -> None:
    assert Settings.of(NEEDED | {"PATH": "/bin", "KUBERNETES_SERVICE_HOST": "h"}) == Settings(
        runtime_image="runtime:1",
        namespace="isthmus",
        pod="isthmus-operator-7d9f-x2x",
        runtime_pull_policy="IfNotPresent",
        runtime_pod_template=PodTemplate(),
        namespaces=(),
        lease="isthmus-operator",
        port=9090,
        workers=16,
        gateway=None,
        journal_secret=None,
        journal_port=5432,
        claim_seconds=30,
        log_level="INFO",
    )


def test_every_variable_is_read() -> None:
    settings = Settings.of(
        NEEDED
        | {
            "ISTHMUS_RUNTIME_PULL_POLICY": "Never",
            "ISTHMUS_RUNTIME_POD_TEMPLATE": '{"nodeSelector": {"pool": "shop"}}',
            "ISTHMUS_NAMESPACES": "shop, erp,shop",
            "ISTHMUS_LEASE": "blue",
            "ISTHMUS_PORT": "8081",
            "ISTHMUS_WORKERS": "4",
            "ISTHMUS_GATEWAY": "edge/public",
            "ISTHMUS_JOURNAL_SECRET": "journal/dsn",
            "ISTHMUS_JOURNAL_PORT": "6432",
            "ISTHMUS_CLAIM_SECONDS": "5",
            "ISTHMUS_LOG_LEVEL": "debug",
        }
    )

    assert settings.namespaces == ("shop", "erp")
    assert settings.gateway == ("edge", "public")
    assert (settings.journal_secret, settings.journal_port) == (("journal", "dsn"), 6432)
    assert settings.claim_seconds == 5
    assert settings.runtime_pod_template == PodTemplate.model_validate(
        {"nodeSelector": {"pool": "shop"}}
    )
    assert (settings.runtime_pull_policy, settings.lease) == ("Never", "blue")
    assert (settings.port, settings.workers, settings.log_level) == (8081, 4, "DEBUG")


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ('{"tolerations": [{"value": 1}]}', "(tolerations.0.value: "),
        ('{"pool": "shop"}', "(pool: "),
        ("shop", "(the text: "),
        # The API server writes topologySpread into each podTemplate.
        ('{"topologySpread": false}', "(topologySpread and env are each Route's own)"),
        ('{"env": []}', "(topologySpread and env are each Route's own)"),
    ],
)
def test_a_pod_template_is_held_to_that_of_a_route(template: str, why: str) -> None:
    said = _refused(ISTHMUS_RUNTIME_POD_TEMPLATE=template)

    assert "write JSON as in spec.podTemplate of a Route" in said
    assert why in said


@pytest.mark.parametrize("variable", NEEDED)
def test_one_that_is_missing_is_named(variable: str) -> None:
    with pytest.raises(WrongSettings, match=f"^{variable} is not set: write "):
        Settings.of({name: value for name, value in NEEDED.items() if name != variable})


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("PORT", "0", "a whole number from 1 to 65535"),
        ("RUNTIME_POD_TEMPLATE", "{", "JSON as in spec.podTemplate of a Route"),
        ("PORT", "http", "a whole number from 1 to 65535"),
        ("PORT", "٣", "a whole number from 1 to 65535"),
        ("WORKERS", "1e3", "a whole number from 1 to 256"),
        ("GATEWAY", "public", "namespace/name of a Gateway"),
        ("GATEWAY", "a/b/c", "namespace/name of a Gateway"),
        ("JOURNAL_SECRET", "journal", "name/key of a Secret"),
        ("JOURNAL_SECRET", "journal/..", "name/key of a Secret"),
        ("JOURNAL_PORT", "0", "a whole number from 1 to 65535"),
        ("CLAIM_SECONDS", "4", "a whole number from 5 to 3600"),
        ("NAMESPACES", "shop,,erp", "namespaces with commas between"),
        ("NAMESPACES", "*", "namespaces with commas between"),
        ("RUNTIME_PULL_POLICY", "always", "one of Always, IfNotPresent, Never"),
        ("LOG_LEVEL", "loud", "one of DEBUG, INFO, WARNING, ERROR"),
        ("LEASE", "A_B", "the name of an object"),
        ("RUNTIME_IMAGE", "a b", "the image that Routes run in"),
    ],
)
def test_a_wrong_value_is_shown_with_its_remedy(name: str, value: str, remedy: str) -> None:
    assert f"ISTHMUS_{name} is {value!r}: write {remedy}" in _refused(**{f"ISTHMUS_{name}": value})


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    told = _refused(ISTHMUS_WORKRES="4")

    assert "ISTHMUS_WORKRES is no setting" in told
    assert "ISTHMUS_WORKERS" in told


@pytest.mark.parametrize(
    "variable",
    ["ISTHMUS_SERVICE_HOST", "ISTHMUS_SERVICE_PORT_HTTP", "ISTHMUS_PORT_80_TCP_ADDR"],
)
def test_the_variables_of_a_service_are_explained(variable: str) -> None:
    assert "enableServiceLinks: false" in _refused(**{variable: "10.96.0.7"})


def test_the_port_of_a_service_is_explained_where_it_hides_ours() -> None:
    assert "enableServiceLinks: false" in _refused(ISTHMUS_PORT="tcp://10.96.0.7:80")


def test_all_that_is_wrong_is_told_at_once() -> None:
    told = _refused(ISTHMUS_PORT="x", ISTHMUS_WORKERS="y", ISTHMUS_Z="z")

    assert [line.split()[0] for line in told.splitlines()] == [
        "ISTHMUS_PORT",
        "ISTHMUS_WORKERS",
        "ISTHMUS_Z",
    ]
