"""`isthmus mapping eval` and `explain`, and the watch that they share with `isthmus test`."""

import json
import shlex
import signal
import subprocess
from pathlib import Path

import programs
import pytest
import yaml
from tests.contract.cli.conftest import COMMAND, Folder, Isthmus

ORDER = """\
apiVersion: isthmus.dev/v1alpha1
kind: Mapping
metadata: {name: order}
spec:
  expression: |
    {
      "lines": [items.$mapping("line", $, {"currency": $currency})],
      "vat": $table("vat", country)
    }
  tables:
    vat: {NL: "0.21"}
  tests:
    - name: a Dutch order
      input: {country: NL, items: [{sku: A}]}
      variables: {currency: EUR}
      expect: {lines: [{sku: A, currency: EUR}], vat: "0.21"}
    - {name: no line, input: {items: []}, variables: {currency: EUR}, expect: {lines: []}}
"""
LINE = """\
apiVersion: isthmus.dev/v1alpha1
kind: Mapping
metadata: {name: line}
spec:
  expression: '{"sku": sku, "currency": $currency}'
"""
PRICE = """\
apiVersion: isthmus.dev/v1alpha1
kind: Mapping
metadata: {name: price, namespace: shop}
spec:
  expression: $table("prices", sku)
  sharedTables: {prices: {configMaps: [{name: prices}], format: csv, value: net}}
"""
ROWS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: prices, namespace: shop}
data: {nl.csv: "sku,net\\nA,9.50\\n"}
"""
MANIFESTS = {"order.yaml": ORDER, "line.yaml": LINE, "price.yaml": PRICE, "rows.yaml": ROWS}
INPUT = {"country": "NL", "items": [{"sku": "A", "qty": 2}, {"sku": "B", "qty": 1}]}


@pytest.fixture
def order(tmp_path: Path) -> str:
    """An input in a file."""
    (tmp_path / "order.json").write_text(json.dumps(INPUT))
    return "order.json"


def test_an_expression_is_tried_on_a_file(isthmus: Isthmus, order: str) -> None:
    ended = isthmus("mapping", "eval", "items[qty > 1].{'sku': sku}", "--input", order)

    assert json.loads(ended.stdout) == {"sku": "A"}
    assert (ended.stderr, ended.returncode) == ("", 0)


def test_an_input_comes_through_a_pipe(tmp_path: Path) -> None:
    ended = subprocess.run(
        [COMMAND, "mapping", "eval", "a", "-i", "-", "-o", "yaml"],
        input='{"a": {"b": "ä", "id": 12345678901234567890123}}',
        capture_output=True,
        text=True,
        check=True,
    )

    assert ended.stdout == "b: ä\nid: 12345678901234567890123\n"


def test_text_is_tried_as_a_string(isthmus: Isthmus, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("sku,qty\nA,2\n")

    ended = isthmus("mapping", "eval", "$parseCsv($).qty", "-i", "a.csv", "--text")

    assert json.loads(ended.stdout) == "2"


def test_a_mapping_is_run_with_its_tables_and_those_that_it_calls(
    isthmus: Isthmus, folder: Folder, order: str
) -> None:
    folder(MANIFESTS)

    ended = isthmus(
        *("mapping", "eval", "-f", "manifests", "--mapping", "order", "-i", order),
        *("--variable", 'currency="EUR"'),
    )

    assert json.loads(ended.stdout) == {
        "lines": [{"sku": "A", "currency": "EUR"}, {"sku": "B", "currency": "EUR"}],
        "vat": "0.21",
    }


def test_the_input_of_a_test_serves_too(isthmus: Isthmus, folder: Folder) -> None:
    folder(MANIFESTS)

    ended = isthmus("mapping", "eval", "-f", "manifests", "--mapping", "order", "--test", "dutch")

    assert json.loads(ended.stdout)["lines"] == [{"sku": "A", "currency": "EUR"}]


def test_another_expression_is_tried_in_the_place_of_a_mappings_own(
    isthmus: Isthmus, folder: Folder
) -> None:
    folder(MANIFESTS)
    wanted = '$table("vat", "NL") & $mapping("line", {"sku": "Z"}, {"currency": ""}).sku'

    ended = isthmus("mapping", "eval", wanted, "-f", "manifests", "--mapping", "order")

    assert (json.loads(ended.stdout), ended.stderr) == ("0.21Z", "")


HELD = """\
  {side}: {{onMismatch: {policy}, schema: {{properties: {{sku: {{const: A}}}}}}}}
"""


@pytest.mark.parametrize("side", ["input", "output"])
def test_a_called_mapping_is_held_to_its_schema(
    isthmus: Isthmus, folder: Folder, order: str, side: str
) -> None:
    path = folder({**MANIFESTS, "line.yaml": LINE + HELD.format(side=side, policy="reject")})

    ended = isthmus("mapping", "eval", "-f", str(path), "--mapping", "order", "--input", order)

    assert ended.returncode == 1
    assert f"does not fit {side}.schema at $.sku (const)" in ended.stderr
    assert "Mapping 'line'" in ended.stderr


@pytest.mark.parametrize("verb", ["eval", "explain"])
def test_a_called_mapping_that_warns_is_told_beside_the_result(
    isthmus: Isthmus, folder: Folder, order: str, verb: str
) -> None:
    path = folder({**MANIFESTS, "line.yaml": LINE + HELD.format(side="input", policy="warn")})

    ended = isthmus("mapping", verb, "-f", str(path), "--mapping", "order", "--input", order)

    assert ended.returncode == 0
    assert (
        "isthmus: warning: Mapping 'line': what it is called with does not fit input.schema at "
        "$.sku (const)\n"
    ) in ended.stderr
    assert '"sku"' in ended.stdout


def test_a_test_whose_called_mapping_does_not_fit_fails(isthmus: Isthmus, folder: Folder) -> None:
    never = LINE + "  output: {onMismatch: reject, schema: {required: [net]}}\n"
    path = folder({**MANIFESTS, "line.yaml": never})

    ended = isthmus("test", str(path))

    assert ended.returncode == 1
    assert "Mapping 'line': its result does not fit output.schema at $ (required)" in ended.stdout


def test_rows_of_config_maps_are_looked_up(isthmus: Isthmus, folder: Folder, order: str) -> None:
    folder(MANIFESTS)

    ended = isthmus(
        *("mapping", "eval", "items[0].$table('prices', sku)", "-i", order),
        *("-f", "manifests", "--mapping", "shop/price"),
    )

    assert json.loads(ended.stdout) == "9.50"


def test_a_missing_variable_is_told(isthmus: Isthmus) -> None:
    ended = isthmus("mapping", "eval", "$exists($prices)")

    assert json.loads(ended.stdout) is False
    assert "$prices has no value; give it one with --variable prices=" in ended.stderr


FAILING = {
    "it fails on the input": (
        "(\n  $a := 1;\n  $a + 'x')",
        "EXPRESSION:3:6  error  ExpressionFailed",
    ),
    "it is no expression": ("{'a': }", "EXPRESSION:1:7  error  ExpressionInvalid"),
    "a function is unknown": ("a.$nosuch(b)", "EXPRESSION:1:3  error  ExpressionInvalid"),
    "it never ends": (
        "($f := function($n) { $f($n + 1) }; $f(1))",
        "error  GuardExceeded",
    ),
    "it calls a Mapping that is not there": (
        "$mapping('other', $)",
        "EXPRESSION:1:10  error  MappingNotFound",
    ),
}


@pytest.mark.parametrize(("expression", "said"), FAILING.values(), ids=FAILING)
def test_a_failing_expression_is_shown_where_it_fails(
    isthmus: Isthmus, expression: str, said: str
) -> None:
    ended = isthmus("mapping", "eval", expression)

    assert said in ended.stderr
    assert (ended.stdout, ended.returncode) == ("", 1)


def test_a_failing_mapping_is_shown_in_its_file(isthmus: Isthmus, folder: Folder) -> None:
    folder({"line.yaml": LINE.replace("$currency}", "sku + 1}")})

    ended = isthmus("mapping", "eval", "-f", "manifests", "--variable", 'currency="EUR"')

    assert ended.returncode == 0
    ended = isthmus(
        "mapping", "eval", "-f", "manifests", "-i", _file(folder, "in.txt", '{"sku": "A"}')
    )
    assert "manifests/line.yaml:5:45  error  ExpressionFailed  Mapping default/line" in ended.stderr
    assert ended.returncode == 1


def _file(folder: Folder, name: str, text: str) -> Path:
    return folder({name: text}) / name


def test_what_is_wrong_elsewhere_in_the_folder_does_not_matter(
    isthmus: Isthmus, folder: Folder
) -> None:
    folder({**MANIFESTS, "route.yaml": "apiVersion: isthmus.dev/v1alpha1\nkind: Route\n"})

    ended = isthmus("mapping", "eval", "-f", "manifests", "--mapping", "order", "--test", "no line")

    assert (ended.returncode, ended.stderr) == (0, "")


WRONG = {
    "nothing is given": ([], "give an EXPRESSION, or name manifests with -f"),
    "a choice of Mappings": (["-f", "manifests"], "say which Mapping with --mapping NAME"),
    "a Mapping that is not there": (
        ["-f", "manifests", "--mapping", "ordr"],
        "there is no Mapping 'ordr' in manifests; did you mean 'order'?",
    ),
    "a test that is not there": (
        ["-f", "manifests", "--mapping", "order", "--test", "x"],
        "no test has 'x' in the name: a Dutch order; no line",
    ),
    "a file that is not there": (["a", "-i", "no.json"], "no.json cannot be read"),
    "a variable without quotes": (["$a", "--variable", "a=EUR"], "'a=\"…\"'"),
    "a watch over a pipe": (["a", "-i", "-", "--watch"], "--watch needs files"),
    "a watch over nothing": (["1", "--watch"], "--watch needs files"),
    "no expression": ([""], "EXPRESSION: String should have at least 1 character"),
}


@pytest.mark.parametrize(("arguments", "said"), WRONG.values(), ids=WRONG)
def test_wrong_use(isthmus: Isthmus, folder: Folder, arguments: list[str], said: str) -> None:
    folder(MANIFESTS)

    ended = isthmus("mapping", "eval", *arguments)

    assert said in ended.stderr
    assert (ended.stdout, ended.returncode) == ("", 2)


def test_an_input_that_is_no_json_is_shown_where(isthmus: Isthmus, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1,\n "b": }')

    ended = isthmus("mapping", "eval", "a", "-i", "a.json")

    assert "a.json:2:7  error  InvalidValue" in ended.stderr
    assert ended.returncode == 1


def test_explain_tells_what_is_read_and_what_each_part_gave(
    isthmus: Isthmus, folder: Folder, order: str
) -> None:
    folder(MANIFESTS)

    ended = isthmus(
        "mapping", "explain", "-f", "manifests", "--mapping", "order", "-i", order, "-o", "json"
    )

    told = json.loads(ended.stdout)
    parts = {each["source"]: each for each in told["parts"]}
    assert told["reads"] == {
        "input": ["country", "items"],
        "variables": {"currency": ["*"]},
        "everyVariable": False,
        "tables": ["vat"],
        "mappings": ["line"],
    }
    assert parts['$table("vat", country)']["values"] == [{"value": "0.21"}]
    assert parts['$mapping("line", $, {"currency": $currency})']["times"] == 2
    assert parts["$currency"]["values"] == [{}, {}]
    place = parts["country"]
    assert (place["file"], place["line"], place["column"]) == ("manifests/order.yaml", 8, 28)
    assert told["result"]["vat"] == "0.21"
    assert told["complete"] is True


def test_explain_for_people(isthmus: Isthmus, order: str) -> None:
    ended = isthmus(
        *("mapping", "explain", "{'s': items[qty > 1].sku, 'k': kind ? $lowercase(kind) : $k}"),
        *("-i", order),
    )

    lines = [" ".join(line.split()) for line in ended.stdout.splitlines()]
    assert lines[:3] == [
        "reads",
        "input items.qty, items.sku, kind",
        "$k all of it has no value",
    ]
    assert "1:13 qty > 1 2 times: true; false (1 of 2 passed)" in lines
    assert "1:39 $lowercase(kind) not evaluated" in lines
    assert "1:58 $k nothing" in lines
    assert json.loads(ended.stdout.partition("\nresult\n")[2]) == {"s": "A"}


def test_explain_of_what_fails_shows_the_parts_until_there(isthmus: Isthmus, order: str) -> None:
    ended = isthmus("mapping", "explain", "[items.(qty + sku)]", "-i", order)

    lines = [" ".join(line.split()) for line in ended.stdout.splitlines()]
    assert "1:1 [items.(qty + sku)] failed" in lines
    assert any(line.startswith("1:9 qty + sku failed: The right side") for line in lines)
    assert "1:9 qty 2" in lines
    assert "EXPRESSION:1:13  error  ExpressionFailed" in ended.stderr
    assert ended.returncode == 1


def test_explain_works_on_what_the_examples_hold(isthmus: Isthmus) -> None:
    examples = Path(__file__).parents[3] / "examples"
    for file in sorted(examples.glob("**/*.yaml")):
        for found in yaml.safe_load_all(file.read_text()):
            if found and found.get("kind") == "Mapping":
                name = found["metadata"]["name"]
                for test in found["spec"]["tests"]:
                    ended = isthmus(
                        *("mapping", "explain", "-f", file.parent, "--mapping", name),
                        *("--test", test["name"], "-o", "json"),
                    )
                    assert json.loads(ended.stdout)["result"] == test["expect"]


def test_explain_prints_what_the_guide_shows(isthmus: Isthmus, order: str) -> None:
    page = (Path(__file__).parents[3] / "docs/how-to/work-on-a-mapping.md").read_text()
    arguments = shlex.split(page.partition("isthmus mapping explain ")[2].partition("\n")[0])
    wanted = page.partition("```text\n")[2].partition("```")[0]

    assert isthmus("mapping", "explain", *arguments).stdout == wanted


def test_eval_watches_manifests_and_the_input(folder: Folder, tmp_path: Path) -> None:
    manifests = folder({"line.yaml": LINE})
    file = tmp_path / "in.json"
    file.write_text('{"sku": "A"}')
    program = programs.start(
        *("-m", "isthmus_cli", "mapping", "eval", "-f", manifests, "-i", file, "--watch"),
    )
    try:
        program.wait_for('"sku": "A"')
        file.write_text('{"sku": ')
        program.wait_for("isthmus: in.json changed at ")
        program.wait_for("the input is not JSON")
        file.write_text('{"sku": "B"}')
        program.wait_for('"sku": "B"')
        (manifests / "line.yaml").write_text(LINE.replace('"sku": sku', '"article": sku'))
        program.wait_for("isthmus: line.yaml changed at ")
        program.wait_for('"article": "B"')
    finally:
        code = _interrupted(program)

    assert code == 0


def test_tests_are_run_again_when_a_manifest_is_saved(folder: Folder) -> None:
    manifests = folder({"order.yaml": ORDER, "line.yaml": LINE})
    program = programs.start("-m", "isthmus_cli", "test", manifests, "-k", "dutch", "--watch")
    try:
        program.wait_for("1 passed, 0 failed")
        _replace(manifests / "line.yaml", LINE.replace('"sku": sku', '"sku": 1'))
        program.wait_for("expected 'A', got 1|0 passed, 1 failed")
        _replace(manifests / "line.yaml", LINE.replace("}'", ""))
        program.wait_for("error  InvalidYaml")
        _replace(manifests / "line.yaml", LINE)
        program.wait_for("1 passed, 0 failed")
    finally:
        code = _interrupted(program)

    assert code == 0


def _replace(path: Path, text: str) -> None:
    """Save as many editors do: a new file takes the place of the old one."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def _interrupted(program: programs.Program) -> int:
    """The exit code after Ctrl-C."""
    program.process.send_signal(signal.SIGINT)
    code = program.process.wait(programs.PATIENCE)
    program.end()
    return code
