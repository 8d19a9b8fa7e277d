"""isthmus lint with Connectors that name a contract."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import vendor_apis
import yaml

Isthmus = Callable[..., CompletedProcess[str]]

PIM = vendor_apis.FILES["pim"].read_text()


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    """The integration; its Connector to the PIM names a contract."""
    return Path(shutil.copytree(vendor_apis.INTEGRATION, tmp_path / "manifests"))


def name_contract(manifests: Path, openapi: Mapping[str, object]) -> None:
    """Let the Connector to the PIM name a contract."""
    file = manifests / "connectors.yaml"
    pim, erp = yaml.safe_load_all(file.read_text())
    pim["spec"]["http"]["contract"] = {"openapi": openapi}
    file.write_text(yaml.safe_dump_all([pim, erp], sort_keys=False))


def config_map(key: str, text: str) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "pim-openapi"},
            "data": {key: text},
        }
    )


IN_CLUSTER = {"configMapKeyRef": {"name": "pim-openapi", "key": "openapi.yaml"}}


def test_routes_that_fit_their_contract_are_silent(isthmus: Isthmus, manifests: Path) -> None:
    name_contract(manifests, {"file": "vendor/pim.yaml"})
    (manifests / "vendor").mkdir()
    (manifests / "vendor/pim.yaml").write_text(PIM)

    ended = isthmus("lint", "manifests", "--strict")

    assert (ended.returncode, ended.stdout) == (
        0,
        "open to anybody: Route default/product-page\n"
        "0 errors, 0 warnings in 5 objects (1 other object left alone)\n",
    )


@pytest.mark.parametrize("home", ["file", "ConfigMap"])
def test_a_field_that_the_answer_does_not_have_is_shown_where_it_is_read(
    isthmus: Isthmus, manifests: Path, home: str
) -> None:
    text = PIM.replace("amount: {type: string}", "amountNet: {type: string}")
    if home == "file":
        name_contract(manifests, {"file": "pim.txt"})
        (manifests / "pim.txt").write_text(text)
    else:
        name_contract(manifests, IN_CLUSTER)
        (manifests / "contract.yaml").write_text(config_map("openapi.yaml", text))

    ended = isthmus("lint", "manifests")

    assert ended.returncode == 0
    assert (
        "manifests/routes.yaml:10:22  warning  ContractMismatch  Mapping "
        "default/product-to-material spec.expression\n"
        "  the answer of GET /products has no field $._embedded.items[].price.amount\n"
    ) in ended.stdout
    assert "help: did you mean 'amountNet'?" in ended.stdout
    assert isthmus("lint", "manifests", "--strict").returncode == 1


def test_a_document_among_the_manifests_may_be_larger_than_a_manifest(
    isthmus: Isthmus, manifests: Path
) -> None:
    name_contract(manifests, {"file": "pim.yaml"})
    many = "".join(f"    Extra{n}: {{enum: [{', '.join('a' * 1000)}]}}\n" for n in range(201))
    (manifests / "pim.yaml").write_text(PIM + many)

    ended = isthmus("lint", "manifests", "--strict")

    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout


UNREADABLE = [
    pytest.param(
        {"file": "pim.yaml"},
        {},
        1,
        "error  ContractUnreadable  Connector default/pim spec.http.contract.openapi.file",
        "no such file or directory",
        id="there is no file",
    ),
    pytest.param(
        {"file": "pim.yaml"},
        {"pim.yaml": "swagger: '2.0'\n"},
        1,
        "error  ContractUnreadable",
        "this is Swagger 2.0",
        id="the version before",
    ),
    pytest.param(
        IN_CLUSTER,
        {"c.yaml": config_map("openapi.yaml", "openapi: 3.1.0\npaths: [\n")},
        1,
        "error  ContractUnreadable",
        "ConfigMap pim-openapi/openapi.yaml, line 3 of it: the document is not YAML",
        id="a ConfigMap with broken YAML",
    ),
    pytest.param(
        IN_CLUSTER,
        {"c.yaml": config_map("other.yaml", "x")},
        0,
        "warning  ContractUnreadable",
        "there is no ConfigMap 'pim-openapi' with a key 'openapi.yaml' among the manifests",
        id="a ConfigMap that is in the cluster alone",
    ),
]


@pytest.mark.parametrize(("openapi", "files", "code", "head", "said"), UNREADABLE)
def test_a_contract_that_cannot_be_read_is_told_with_its_field(
    isthmus: Isthmus,
    manifests: Path,
    openapi: Mapping[str, object],
    files: Mapping[str, str],
    code: int,
    head: str,
    said: str,
) -> None:
    name_contract(manifests, openapi)
    for name, text in files.items():
        (manifests / name).write_text(text)

    ended = isthmus("lint", "manifests")

    assert ended.returncode == code
    assert head in ended.stdout
    assert said in ended.stdout


def test_the_contract_is_what_a_new_version_is_compared_with(
    isthmus: Isthmus, manifests: Path, tmp_path: Path
) -> None:
    name_contract(manifests, {"file": "../pim-1.yaml"})
    (tmp_path / "pim-1.yaml").write_text(PIM)
    (tmp_path / "pim-2.yaml").write_text(
        PIM.replace("stock: {type: integer}", "stock: {type: string}")
    )

    ended = isthmus("check", "manifests", "--connector", "pim", "--against", "pim-2.yaml")

    assert ended.returncode == 1
    assert "variants[].stock was integer, and is string now" in ended.stdout
    assert "There is no older document" not in ended.stdout
