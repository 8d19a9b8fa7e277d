"""The other commands, and what they all have in common."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

Isthmus = Callable[..., CompletedProcess[str]]
Folder = Callable[[Mapping[str, str | bytes]], Path]

EXAMPLE = Path(__file__).parents[3] / "examples" / "search-with-prices"


def test_the_version(isthmus: Isthmus) -> None:
    assert isthmus("version").stdout.startswith("isthmus 0.")
    assert json.loads(isthmus("version", "-o", "json").stdout).keys() == {"version", "python"}


def test_the_version_waits_for_no_engine() -> None:
    """Start-up is felt at every call: models and engines are imported by who needs them."""
    program = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from isthmus_cli.main import isthmus\n"
        "assert CliRunner().invoke(isthmus, ['version']).exit_code == 0\n"
        "assert CliRunner().invoke(isthmus, ['--help']).exit_code == 0\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))\n"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    heavy = {"pydantic", "jlens", "yaml", "orjson", "uvloop", "kubernetes", "urllib3", "asyncio"}
    heavy |= {"isthmus_api", "isthmus_runtime", "isthmus_operator"}
    assert heavy & set(ended.stdout.split()) == set()


def test_the_help_names_every_command(isthmus: Isthmus) -> None:
    told = isthmus("--help").stdout

    for command in (
        "run",
        "lint",
        "test",
        "mapping",
        "render",
        "trace",
        "openapi",
        "crds",
        "version",
    ):
        assert f"  {command} " in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["lnt"], "No such command 'lnt'. Did you mean 'lint'?", id="misspelt"),
        pytest.param(["zzz"], "No such command 'zzz'.", id="unknown"),
        pytest.param(["crds", "connectorz"], "'connectorz' is not one of", id="an unknown kind"),
    ],
)
def test_wrong_use(isthmus: Isthmus, arguments: list[str], said: str) -> None:
    ended = isthmus(*arguments)

    assert said in ended.stderr
    assert (ended.stdout, ended.returncode) == ("", 2)


def test_the_crds_of_all_kinds(isthmus: Isthmus) -> None:
    found = list(yaml.safe_load_all(isthmus("crds").stdout))

    assert [crd["metadata"]["name"] for crd in found] == [
        "connectors.isthmus.dev",
        "mappings.isthmus.dev",
        "routes.isthmus.dev",
    ]


def test_the_crd_of_one_kind_as_json(isthmus: Isthmus) -> None:
    found = json.loads(isthmus("crds", "route", "-o", "json").stdout)

    assert [crd["spec"]["names"]["kind"] for crd in found["items"]] == ["Route"]


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_openapi_describes_the_example(isthmus: Isthmus, output: str) -> None:
    ended = isthmus("openapi", EXAMPLE, "-o", output, "--title", "Shop")

    found = yaml.safe_load(ended.stdout)
    operation = found["paths"]["/search"]["get"]
    assert found["info"]["title"] == "Shop"
    assert operation["operationId"] == "product-search"
    assert [each["name"] for each in operation["parameters"]] == ["limit", "offset", "q"]
    assert operation["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/search-with-prices"
    }
    assert "application/problem+json" in operation["responses"]["502"]["content"]


def test_openapi_of_manifests_with_errors_says_them(isthmus: Isthmus, folder: Folder) -> None:
    folder({"a.yaml": "apiVersion: isthmus.dev/v1alpha1\nkind: Rout\n"})

    ended = isthmus("openapi", "manifests")

    assert "did you mean Route?" in ended.stderr
    assert (ended.stdout, ended.returncode) == ("", 1)
