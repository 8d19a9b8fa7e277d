"""isthmus promote: from overlay to overlay of a real repository, built by a real kustomize."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import kubectl
import pytest
import yaml

Isthmus = Callable[..., CompletedProcess[str]]

FROM, TO = "overlays/test", "overlays/production"
STOCK = """
apiVersion: isthmus.dev/v1alpha1
kind: Connector
metadata: {name: stock}
spec:
  http:
    baseUrl: http://127.0.0.1:8081
    auth: {basic: {username: {secretKeyRef: {name: stock, key: user}},
                   password: {secretKeyRef: {name: stock, key: password}}}}
"""


@pytest.fixture
def repository(
    isthmus: Isthmus,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """A new repository, in the folder where `isthmus` runs, and kubectl on the PATH."""
    monkeypatch.setenv("PATH", kubectl.on_path(tmp_path_factory.mktemp("path") / "bin"))
    assert isthmus("init", ".", "--name", "shop").returncode == 0
    return tmp_path


def built(folder: Path) -> dict[tuple[str, str], Any]:
    text = subprocess.run(
        [kubectl.program(), "kustomize", folder], check=True, capture_output=True, text=True
    ).stdout
    found = yaml.safe_load_all(text)
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


def files(folder: Path) -> dict[str, str]:
    below = (each for each in folder.rglob("*") if each.is_file() and ".git" not in each.parts)
    return {str(each.relative_to(folder)): each.read_text() for each in below}


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def problems(isthmus: Isthmus, *more: str | Path) -> dict[tuple[str, str], dict[str, Any]]:
    """The errors of a promotion that is refused, by object and field."""
    ended = isthmus("promote", FROM, TO, "-o", "json", *more)

    assert ended.returncode == 1, ended.stdout + ended.stderr
    document = json.loads(ended.stdout)
    assert document["changes"] == []
    return {
        (each["object"], each["field"]): each
        for each in document["problems"]
        if each["severity"] == "error"
    }


def test_production_has_what_test_has_and_stays_what_it_is(
    isthmus: Isthmus, repository: Path
) -> None:
    before, tested = built(repository / TO), files(repository / FROM)

    ended = isthmus("promote", FROM, TO)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert built(repository / TO) == before
    assert files(repository / FROM) == tested
    assert "- promoted\n" in (repository / TO / "kustomization.yaml").read_text()
    assert ended.stdout.splitlines()[-3:] == [
        "stays    Connector warehouse spec.http.baseUrl",
        "stays    Route availability spec.env.site",
        "stays    Route availability spec.replicas",
    ]


def test_from_then_on_production_changes_when_it_is_promoted(
    isthmus: Isthmus, repository: Path
) -> None:
    isthmus("promote", FROM, TO)
    base = repository / "integrations/base"
    before = built(repository / TO)
    edit(base / "connectors.yaml", "timeout: 2s", "timeout: 4s")
    edit(base / "kustomization.yaml", "- mappings.yaml\n", "")
    edit(base / "routes.yaml", "map: {mapping: availability}", "map: {expression: '{}'}")
    edit(base / "routes.yaml", "body: {sku: CH-1, available: 5, inStock: true}", "body: {}")
    unchanged = built(repository / TO)

    ended = isthmus("promote", FROM, TO)

    assert unchanged == before
    assert ended.returncode == 0, ended.stdout + ended.stderr
    after = built(repository / TO)
    assert after["Connector", "warehouse"]["spec"]["http"]["timeout"] == "4s"
    assert after["Route", "availability"]["spec"]["env"] == {"site": "production"}
    assert ("Mapping", "availability") not in after
    assert "removed  overlays/production/promoted/mapping-availability.yaml" in ended.stdout
    assert isthmus("promote", FROM, TO).stdout.endswith(
        "nothing to do: TO/promoted has all of it\n"
    )


def test_a_patch_does_what_promote_does(isthmus: Isthmus, repository: Path) -> None:
    isthmus("promote", FROM, TO)
    base = repository / "integrations/base"
    edit(base / "connectors.yaml", "timeout: 2s", "timeout: 4s")
    edit(base / "kustomization.yaml", "- mappings.yaml\n", "")
    edit(base / "routes.yaml", "map: {mapping: availability}", "map: {expression: '{}'}")
    edit(base / "routes.yaml", "body: {sku: CH-1, available: 5, inStock: true}", "body: {}")
    (base / "more.yaml").write_text(STOCK)
    edit(base / "kustomization.yaml", "- routes.yaml", "- routes.yaml\n- more.yaml")
    (repository / TO / "secrets.list").write_text(
        "Secret warehouse/token\nSecret stock/user\nSecret stock/password"
    )
    before = files(repository)

    patched = isthmus("promote", FROM, TO, "--patch", "change.patch")
    again = isthmus("promote", FROM, TO, "--patch", "change.patch")

    assert patched.returncode == 0, patched.stdout + patched.stderr
    assert {**before, "change.patch": (repository / "change.patch").read_text()} == files(
        repository
    )
    assert (again.returncode, "change.patch is there already" in again.stderr) == (2, True)
    subprocess.run(["git", "apply", "change.patch"], cwd=repository, check=True)
    by_patch = files(repository)
    assert by_patch != {**before, "change.patch": by_patch["change.patch"]}
    assert "nothing to do" in isthmus("promote", FROM, TO).stdout
    assert files(repository) == by_patch


def test_what_only_the_target_lacks_is_named_with_file_and_field(
    isthmus: Isthmus, repository: Path
) -> None:
    base, overlay = repository / "integrations/base", repository / TO
    (base / "more.yaml").write_text(STOCK)
    edit(base / "kustomization.yaml", "- routes.yaml", "- routes.yaml\n- more.yaml")
    patch = "- target: {kind: Connector, name: stock}\n  patch: |-\n    - {op: replace, %s}\n"
    address = "path: /spec/http/baseUrl, value: 'http://stock.test.example.com'"
    kustomization = repository / FROM / "kustomization.yaml"
    kustomization.write_text(kustomization.read_text() + patch % address)
    before = files(overlay)

    found = problems(isthmus)

    stock = "Connector shop-production/stock"
    assert {at: (each["code"], each["file"], each["line"]) for at, each in found.items()} == {
        (stock, "spec.http.baseUrl"): ("MissingField", "integrations/base/more.yaml", 7),
        (stock, "spec.http.auth.basic.username.secretKeyRef"): (
            "InvalidValue",
            "integrations/base/more.yaml",
            8,
        ),
        (stock, "spec.http.auth.basic.password.secretKeyRef"): (
            "InvalidValue",
            "integrations/base/more.yaml",
            9,
        ),
    }
    told = found[stock, "spec.http.baseUrl"]
    assert told["message"] == (
        "overlays/test replaces this field, and overlays/production says nothing of it"
    )
    assert files(overlay) == before


def test_an_address_that_is_said_to_be_that_of_the_base_is_said(
    isthmus: Isthmus, repository: Path
) -> None:
    file = repository / TO / "kustomization.yaml"
    edit(
        file,
        "https://warehouse.production.example.com/CHANGE-ME",
        "http://127.0.0.1:8080/stand-in",
    )

    assert isthmus("promote", FROM, TO).returncode == 0


def test_names_that_lead_nowhere_are_named_where_they_stand(
    isthmus: Isthmus, repository: Path
) -> None:
    (repository / TO / "own.yaml").write_text(
        "apiVersion: isthmus.dev/v1alpha1\nkind: Route\nmetadata: {name: own}\nspec:\n"
        "  source: {http: {path: /own, open: true}}\n"
        "  steps:\n  - call: {connector: werehouse, path: /}\n"
    )
    edit(repository / TO / "kustomization.yaml", "patches:", "- own.yaml\npatches:")

    found = problems(isthmus)

    ((at, problem),) = found.items()
    assert at == ("Route shop-production/own", "spec.steps[0].call.connector")
    assert (problem["file"], problem["line"]) == ("overlays/production/own.yaml", 7)


def test_a_set_whose_tests_fail_is_not_promoted(isthmus: Isthmus, repository: Path) -> None:
    edit(repository / "integrations/base/mappings.yaml", "onHand - reserved", "onHand")

    found = problems(isthmus)

    assert {each["code"] for each in found.values()} == {"TestFailed"}
    assert {each["file"] for each in found.values()} == {
        "integrations/base/mappings.yaml",
        "integrations/base/routes.yaml",
    }


def test_secrets_are_never_copied(isthmus: Isthmus, repository: Path) -> None:
    secret = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: warehouse}\nstringData: {token: canary}"
    )
    base, own = repository / "integrations/base", repository / FROM
    (own / "secret.yaml").write_text(secret)
    edit(own / "kustomization.yaml", "patches:", "- secret.yaml\npatches:")

    left = isthmus("promote", FROM, TO)

    assert left.returncode == 0
    assert "left     Secret warehouse, which FROM has for itself" in left.stdout
    assert "canary" not in "".join(files(repository / TO).values())

    (base / "secret.yaml").write_text(secret.replace("warehouse", "shared"))
    edit(base / "kustomization.yaml", "- routes.yaml", "- routes.yaml\n- secret.yaml")
    refused = isthmus("promote", FROM, TO)

    assert refused.returncode == 1
    assert "integrations/base/secret.yaml  error  Misplaced  Secret shop-production/shared" in (
        refused.stdout
    )
    assert "canary" not in refused.stdout + refused.stderr


def test_manifests_of_the_target_tell_of_secrets(isthmus: Isthmus, repository: Path) -> None:
    (repository / TO / "secrets.list").unlink()
    assert problems(isthmus)
    (repository / TO / "external.yaml").write_text(
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: warehouse}\n"
        "spec: {data: [{secretKey: token, remoteRef: {key: shop}}]}\n"
    )
    edit(repository / TO / "kustomization.yaml", "patches:", "- external.yaml\npatches:")

    assert isthmus("promote", FROM, TO).returncode == 0


def test_a_third_environment_gets_what_the_second_has(isthmus: Isthmus, repository: Path) -> None:
    isthmus("promote", FROM, TO)
    third = repository / "overlays/abroad"
    third.mkdir()
    for name in ("kustomization.yaml", "secrets.list"):
        text = (repository / FROM / name).read_text()
        (third / name).write_text(text.replace("shop-test", "shop-abroad"))
    edit(repository / "integrations/base/connectors.yaml", "timeout: 2s", "timeout: 4s")

    ended = isthmus("promote", TO, third)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = built(third)
    assert found["Connector", "warehouse"]["spec"]["http"]["timeout"] == "2s"
    assert {each["metadata"]["namespace"] for each in found.values()} == {"shop-abroad"}


def test_what_kustomize_says_is_passed_on(isthmus: Isthmus, repository: Path) -> None:
    before = files(repository)
    edit(repository / TO / "kustomization.yaml", "resources:\n", "resources:\n- none.yaml\n")

    ended = isthmus("promote", FROM, TO)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "none.yaml" in ended.stderr
    assert files(repository).keys() == before.keys()


def test_without_kustomize_it_says_what_it_needs(
    isthmus: Isthmus, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(repository / "none"))

    ended = isthmus("promote", FROM, TO)

    assert ended.returncode == 1
    assert ended.stderr == (
        "isthmus: neither kubectl nor kustomize is on the PATH; install one of them\n"
    )
