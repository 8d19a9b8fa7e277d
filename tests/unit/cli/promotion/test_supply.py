"""Which keys of Secrets and ConfigMaps are known, and which are needed."""

from pathlib import Path

import pytest

from isthmus_api import manifests
from isthmus_api.problems import field_path
from isthmus_api.resources import Resources
from isthmus_cli.promotion import needs, sets, supply
from isthmus_cli.promotion.needs import ANY, Wanted
from isthmus_cli.promotion.supply import UnreadableList

OBJECTS = """
apiVersion: v1
kind: Secret
metadata: {name: plain}
stringData: {a: x}
data: {b: eA==}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: rows}
data: {de.csv: x}
binaryData: {fr.csv: eA==}
---
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
metadata: {name: sealed}
spec: {encryptedData: {token: x}}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: from-vault}
spec: {target: {name: external}, data: [{secretKey: token, remoteRef: {key: x}}]}
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: odd}
spec: {data: none}
"""
NEEDY = """
apiVersion: isthmus.dev/v1alpha1
kind: Connector
metadata: {name: erp}
spec:
  http:
    baseUrl: https://erp.example
    auth: {bearer: {token: {secretKeyRef: {name: erp, key: token}}}}
    tls: {caBundle: {configMapKeyRef: {name: ca, key: ca.crt}}}
---
apiVersion: isthmus.dev/v1alpha1
kind: Mapping
metadata: {name: it}
spec:
  expression: "{}"
  sharedTables:
    prices: {configMaps: [{name: rows}, {name: more, key: a.csv}], format: csv}
---
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: it}
spec:
  source: {http: {path: /it, open: true}}
  steps: [{respond: {body: {secretKeyRef: {name: text, key: only}}}}]
"""


def test_manifests_tell_the_keys_that_they_make() -> None:
    assert supply.declared(sets.read(OBJECTS)) == {
        ("Secret", "plain"): {"a", "b"},
        ("ConfigMap", "rows"): {"de.csv", "fr.csv"},
        ("Secret", "sealed"): {"token"},
        ("Secret", "external"): {"token"},
        ("Secret", "odd"): set(),
    }


def test_every_field_that_names_a_key_is_found() -> None:
    read = manifests.read(NEEDY.encode(), file="it.yaml")

    found = {field_path(e.path): str(e.wanted) for e in needs.of(Resources.of(read.resources))}

    assert read.problems == ()
    assert found == {
        "spec.http.auth.bearer.token.secretKeyRef": "Secret erp/token",
        "spec.http.tls.caBundle.configMapKeyRef": "ConfigMap ca/ca.crt",
        "spec.sharedTables.prices.configMaps[0]": "ConfigMap rows",
        "spec.sharedTables.prices.configMaps[1]": "ConfigMap more/a.csv",
    }


def test_a_list_has_a_key_a_line() -> None:
    text = (
        "# what is there\nSecret erp/token\n\nSecret erp/user  # of the ERP\nConfigMap ca/ca.crt\n"
    )

    keys = supply.listed(text, Path("secrets.list"))

    assert keys == {("Secret", "erp"): {"token", "user"}, ("ConfigMap", "ca"): {"ca.crt"}}


@pytest.mark.parametrize("line", ["erp/token", "Secret erp", "Secret erp/token=x", "secret erp/a"])
def test_a_line_that_says_nothing_is_named(line: str) -> None:
    with pytest.raises(UnreadableList, match=r"secrets\.list:2: write Secret NAME/KEY") as told:
        supply.listed(f"# first\n{line}\n", Path("secrets.list"))

    assert "=x" not in str(told.value)


@pytest.mark.parametrize(
    ("wanted", "known"),
    [
        (Wanted("Secret", "erp", "token"), True),
        (Wanted("Secret", "erp", "other"), False),
        (Wanted("ConfigMap", "erp", "token"), False),
        (Wanted("Secret", "erp", ANY), True),
        (Wanted("Secret", "none", ANY), False),
    ],
)
def test_a_key_is_known_by_kind_name_and_key(wanted: Wanted, known: bool) -> None:
    assert supply.has({("Secret", "erp"): frozenset({"token"})}, wanted) is known
