"""`isthmus render` without a cluster."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess

import desired_cases
import pytest
import yaml

Isthmus = Callable[..., CompletedProcess[str]]
Folder = Callable[[Mapping[str, str | bytes]], Path]

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "examples/search-with-prices"
ORDERS = ROOT / "examples/orders-to-erp"
OFFLINE = ("render", "case.yaml", "--image", desired_cases.IMAGE)
OPTIONS = {
    "gateway": ("--gateway", "gateways/public"),
    "webhook": ("--gateway", "gateways/public", "--journal", "orders-db/dsn"),
    "schedule": ("--journal", "orders-db/dsn"),
    "limited": ("--journal", "orders-db/dsn"),
}


@pytest.mark.parametrize("name", desired_cases.CASES)
def test_what_is_rendered_is_what_the_operator_makes(
    isthmus: Isthmus, tmp_path: Path, name: str
) -> None:
    """But for the owner's uid, and for the hash over it."""
    case = desired_cases.CASES[name]
    (tmp_path / "case.yaml").write_text(case.text)

    ended = isthmus(*OFFLINE, *OPTIONS.get(name, ()))

    assert (ended.stderr, ended.returncode) == ("", 0)
    expected = list(case.children())
    for each in expected:
        del each["metadata"]["ownerReferences"][0]["uid"]
        del each["metadata"]["annotations"]["isthmus.dev/desired"]
        if not each["metadata"]["annotations"]:
            del each["metadata"]["annotations"]
    assert list(yaml.safe_load_all(ended.stdout)) == expected


@pytest.mark.parametrize(("seconds", "told"), [("45", ["45"]), ("30", [])])
def test_claims_last_as_the_chart_says(isthmus: Isthmus, seconds: str, told: list[str]) -> None:
    chart = ("--image", "runtime:1", "--journal", "journal/dsn", "--claim-seconds", seconds)
    ended = isthmus("render", ORDERS, *chart, "--route", "stock-to-shop")

    [made] = [each for each in yaml.safe_load_all(ended.stdout) if each["kind"] == "Deployment"]
    [process] = made["spec"]["template"]["spec"]["containers"]
    found = {each["name"]: each.get("value") for each in process["env"]}
    assert [found[name] for name in found if name == "ISTHMUS_CLAIM_SECONDS"] == told


def test_pods_have_what_the_chart_gives_to_all_routes(isthmus: Isthmus) -> None:
    common = '{"nodeSelector": {"pool": "shop"}, "imagePullSecrets": [{"name": "mirror"}]}'
    ended = isthmus("render", EXAMPLE, "--image", "runtime:1", "--pod-template", common)

    [made] = [each for each in yaml.safe_load_all(ended.stdout) if each["kind"] == "Deployment"]
    pod = made["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"pool": "shop"}
    assert pod["imagePullSecrets"] == [{"name": "mirror"}]


def test_a_pod_template_that_no_route_could_have_is_refused(isthmus: Isthmus) -> None:
    wrong = ("--pod-template", '{"pool": "shop"}')
    ended = isthmus("render", EXAMPLE, "--image", "runtime:1", *wrong)

    assert ended.returncode == 2
    assert "write JSON as in spec.podTemplate of a Route" in ended.stderr


def test_the_plan_is_one_line(isthmus: Isthmus) -> None:
    """So that two renderings can be compared line by line."""
    ended = isthmus("render", EXAMPLE, "--image", "runtime:1")

    (line,) = (each for each in ended.stdout.splitlines() if "plan.json: " in each and "{" in each)
    assert json.loads(yaml.safe_load(line)["plan.json"])


def test_chosen_routes_as_json(isthmus: Isthmus) -> None:
    ended = isthmus(
        "render",
        ORDERS,
        "--image",
        "runtime:1",
        "--journal",
        "journal/dsn",
        "--route",
        "stock-to-shop",
        "-o",
        "json",
    )

    found = json.loads(ended.stdout)
    assert (found["apiVersion"], found["kind"]) == ("v1", "List")
    owners = {each["metadata"]["ownerReferences"][0]["name"] for each in found["items"]}
    assert owners == {"stock-to-shop"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param((), "write --image, the runtime.image of the chart", id="no image"),
        pytest.param(
            ("--image", "a b"), "'a b': write the image that Routes run in", id="no image name"
        ),
        pytest.param(
            ("--image", "a", "--journal", "x"), "write name/key of a Secret", id="no journal"
        ),
        pytest.param(
            ("--image", "a", "--gateway", "x"), "write namespace/name of a Gateway", id="no gateway"
        ),
        pytest.param(
            ("--image", "a", "--context", "x"), "--context and --operator-namespace", id="context"
        ),
        pytest.param(
            ("--image", "a", "--cluster"), "--image and --cluster say the same", id="both"
        ),
        pytest.param(
            ("--image", "a", "--route", "product-serch"),
            "there is no Route product-serch in",
            id="misspelt",
        ),
    ],
)
def test_wrong_use(isthmus: Isthmus, arguments: tuple[str, ...], said: str) -> None:
    ended = isthmus("render", EXAMPLE, *arguments)

    assert said in ended.stderr
    assert (ended.stdout, ended.returncode) == ("", 2)


def test_a_misspelt_route_is_told_which_was_meant(isthmus: Isthmus) -> None:
    ended = isthmus("render", EXAMPLE, "--image", "a", "--route", "product-serch")

    assert "did you mean product-search?" in ended.stderr


def test_a_route_with_errors_is_not_rendered(isthmus: Isthmus, folder: Folder) -> None:
    text = desired_cases.SMALLEST.replace("respond: {body: hello}", "call: {connector: erp}")
    folder({"route.yaml": text})

    ended = isthmus("render", "manifests", "--image", "runtime:1")

    assert "ConnectorNotFound" in ended.stderr
    assert (ended.stdout, ended.returncode) == ("", 1)


def test_a_route_that_needs_a_journal_says_how_to_name_it(isthmus: Isthmus) -> None:
    ended = isthmus("render", ORDERS, "--image", "runtime:1")

    assert "JournalNotConfigured" in ended.stderr
    assert "help: write --journal NAME/KEY" in ended.stderr
    assert (ended.stdout, ended.returncode) == ("", 1)


def test_rendering_loads_no_client() -> None:
    """A Route is rendered in the time of `isthmus lint`."""
    program = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from isthmus_cli.main import isthmus\n"
        f"ended = CliRunner().invoke(isthmus, ['render', {str(EXAMPLE)!r}, '--image', 'a'])\n"
        "assert ended.exit_code == 0, ended.output\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    heavy = {"kubernetes", "urllib3", "aiohttp", "kopf", "prometheus_client", "uvloop"}
    assert heavy & set(ended.stdout.split()) == set()
