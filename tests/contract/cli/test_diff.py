"""`isthmus diff` between the working tree and a revision of a real git repository."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import manifests_text
import pytest

Isthmus = Callable[..., CompletedProcess[str]]
Folder = Callable[[Mapping[str, str | bytes]], Path]

ERP = manifests_text.connector("http://erp.example")
CASE = {"name": "a number", "input": {"n": 1}, "expect": {"n": 2, "old": 1}}
PLUS = manifests_text.mapping('{"n": n + 1, "old": n}', name="plus", tests=[CASE])
OTHER = manifests_text.mapping("$", name="other")
ROUTE = manifests_text.route("- call: {connector: erp}\n- map: {mapping: plus}")
ASIDE = manifests_text.route("- map: {mapping: other}", name="aside", path="/aside")
FILES = {
    "erp.yaml": ERP,
    "plus.yaml": PLUS,
    "other.yaml": OTHER,
    "it.yaml": ROUTE,
    "aside.yaml": ASIDE,
}


def git(place: Path, *arguments: str) -> str:
    """Run git as somebody who has set up nothing."""
    who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.com")
    return subprocess.run(
        ["git", *who, *arguments],
        cwd=place,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


@pytest.fixture
def repository(folder: Folder, tmp_path: Path) -> Path:
    """A repository whose folder `manifests` is committed."""
    manifests = folder(FILES)
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path)
    return manifests


def commit(place: Path) -> None:
    git(place, "add", ".")
    git(place, "commit", "-q", "-m", "as it was")


def found(ended: CompletedProcess[str]) -> Any:
    """What was told as JSON; something is different."""
    assert (ended.stderr, ended.returncode) == ("", 1)
    return json.loads(ended.stdout)


def effects(told: Any) -> dict[str, str]:
    return {each["route"]: each["effect"] for each in told["routes"]}


def test_nothing_is_different(isthmus: Isthmus, repository: Path) -> None:
    ended = isthmus("diff", repository, "--from", "main")

    assert (ended.stdout, ended.stderr, ended.returncode) == ("nothing is different\n", "", 0)


def test_what_is_only_written_differently_is_no_difference(
    isthmus: Isthmus, repository: Path
) -> None:
    (repository / "it.yaml").unlink()
    (repository / "moved.yaml").write_text(f"# moved\n{ROUTE}  replicas: 1\n")

    assert isthmus("diff", repository, "--from", "HEAD").returncode == 0


def test_a_connector_restarts_the_routes_that_use_it_and_no_other(
    isthmus: Isthmus, repository: Path
) -> None:
    (repository / "erp.yaml").write_text(
        manifests_text.connector("http://erp.example", timeout="5s")
    )

    told = found(isthmus("diff", repository, "--from", "main", "-o", "json"))

    [changed] = told["objects"]
    assert (changed["object"], changed["change"]) == ("Connector default/erp", "changed")
    assert changed["fields"] == [{"path": "spec.http.timeout", "new": "5s"}]
    [route] = told["routes"]
    assert (route["route"], route["effect"]) == ("Route default/it", "restarts")
    assert route["reasons"] == [
        {"object": "Connector default/erp", "field": "spec.http.timeout", "note": None}
    ]


def test_a_mapping_is_told_with_what_becomes_of_its_test(
    isthmus: Isthmus, repository: Path
) -> None:
    """Also where the test no more says what it expects."""
    case = CASE | {"expect": {"n": 3, "old": 1}}
    (repository / "plus.yaml").write_text(
        manifests_text.mapping('{"n": n + 2, "old": n}', name="plus", tests=[case])
    )

    told = found(isthmus("diff", repository, "--from", "main", "-o", "json"))

    assert effects(told) == {"Route default/it": "restarts"}
    assert told["messages"] == [
        {
            "object": "Mapping default/plus",
            "kind": "test",
            "name": "a number",
            "fields": [{"path": "$.n", "old": 2, "new": 3}],
        }
    ]
    assert told["compared"] == {"test": 1}


def test_what_only_tests_say_restarts_nothing(isthmus: Isthmus, repository: Path) -> None:
    (repository / "plus.yaml").write_text(
        manifests_text.mapping('{"n": n + 1, "old": n}', name="plus")
    )

    told = found(isthmus("diff", repository, "--from", "main", "-o", "json"))

    assert [each["object"] for each in told["objects"]] == ["Mapping default/plus"]
    assert (told["routes"], told["messages"]) == ([], [])


def test_a_mapping_that_others_call_restarts_the_routes_above_them(
    isthmus: Isthmus, repository: Path
) -> None:
    (repository / "other.yaml").write_text(
        manifests_text.mapping('$mapping("plus", $)', name="other")
    )
    commit(repository)
    (repository / "plus.yaml").write_text(manifests_text.mapping('{"n": n + 2}', name="plus"))

    told = found(isthmus("diff", repository, "--from", "main", "-o", "json"))

    assert effects(told) == {"Route default/aside": "restarts", "Route default/it": "restarts"}


@pytest.mark.parametrize(
    ("before", "after", "effect", "pods"),
    [
        pytest.param({}, {"replicas": 3}, "scales", (1, 3), id="more pods"),
        pytest.param({"replicas": 2}, {"paused": True}, "stops", (2, 0), id="paused"),
        pytest.param({"replicas": 0}, {"replicas": 2}, "starts", (0, 2), id="from none"),
        pytest.param(
            {},
            {"resources": {"requests": {"memory": "64Mi"}}},
            "restarts",
            (1, 1),
            id="another size",
        ),
        pytest.param({}, {"expose": {"host": "a.example"}}, "goes on", (1, 1), id="exposed"),
        pytest.param({"env": {"a": "1"}}, {"env": {"a": "2"}}, "restarts", (1, 1), id="env"),
        pytest.param(
            {"replicas": 0}, {"replicas": 0, "env": {"a": "2"}}, "goes on", (0, 0), id="no pods"
        ),
    ],
)
def test_what_becomes_of_the_pods(
    isthmus: Isthmus,
    repository: Path,
    before: dict[str, Any],
    after: dict[str, Any],
    effect: str,
    pods: tuple[int, int],
) -> None:
    def write(spec: dict[str, Any]) -> None:
        rest = {key: value for key, value in spec.items() if key != "env"}
        text = manifests_text.route("- map: {mapping: other}", env=spec.get("env"), spec=rest)
        (repository / "it.yaml").write_text(text)

    write(before)
    git(repository, "commit", "-q", "-a", "--allow-empty", "-m", "before")
    write(after)

    told = found(isthmus("diff", repository, "--from", "main", "-o", "json"))

    [route] = told["routes"]
    assert (route["route"], route["effect"]) == ("Route default/it", effect)
    assert (route["old"]["pods"], route["new"]["pods"]) == pods
    assert told["capacity"]["new"]["pods"] - told["capacity"]["old"]["pods"] == pods[1] - pods[0]
    assert told["capacity"]["podsWhileRollingOut"] == (effect == "restarts")


def test_a_route_that_is_new_and_one_that_is_gone(isthmus: Isthmus, repository: Path) -> None:
    (repository / "aside.yaml").unlink()
    (repository / "new.yaml").write_text(
        manifests_text.route("- map: {mapping: other}", name="new", path="/new")
    )

    told = found(isthmus("diff", repository, "--from", "main", "-o", "json"))

    assert effects(told) == {"Route default/aside": "stops", "Route default/new": "starts"}
    assert {each["object"]: each["change"] for each in told["objects"]} == {
        "Route default/aside": "removed",
        "Route default/new": "added",
    }


def test_a_change_that_cannot_be_used_leaves_the_pods_as_they_are(
    isthmus: Isthmus, repository: Path
) -> None:
    (repository / "it.yaml").write_text(
        manifests_text.route("- call: {connector: erb}", spec={"replicas": 5})
    )

    told = found(isthmus("diff", repository, "--from", "main", "-o", "json"))

    [route] = told["routes"]
    assert (route["effect"], route["new"]["pods"]) == ("refused", 1)
    [problem] = route["problems"]
    assert (problem["code"], problem["field"]) == (
        "ConnectorNotFound",
        "spec.steps[0].call.connector",
    )
    assert told["capacity"]["old"] == told["capacity"]["new"]


def test_a_route_whose_tests_are_held_against_each_other(
    isthmus: Isthmus, repository: Path
) -> None:
    """Field by field, those that the test does not expect included."""
    test = {
        "name": "an order",
        "request": {},
        "answers": [{"connector": "erp", "body": {"n": 1}}],
        "expect": {"status": 200},
    }
    steps = "- call: {connector: erp, path: /orders}\n- map: {mapping: plus}"
    (repository / "it.yaml").write_text(manifests_text.route(steps, spec={"tests": [test]}))
    git(repository, "commit", "-q", "-a", "-m", "with a test")
    (repository / "it.yaml").write_text(
        manifests_text.route(
            "- call: {connector: erp, path: /orders, query: {all: '1'}}\n- map: {expression: $.n}",
            spec={"tests": [test]},
        )
    )

    told = found(isthmus("diff", repository, "--from", "main", "-o", "json"))

    [message] = told["messages"]
    assert (message["object"], message["name"]) == ("Route default/it", "an order")
    assert message["fields"] == [
        {"path": "$.calls[0].query.all", "new": "1"},
        {"path": "$.body", "old": {"n": 2, "old": 1}, "new": 1},
    ]


def test_samples_go_through_the_old_and_the_new_mapping(
    isthmus: Isthmus, repository: Path, tmp_path: Path
) -> None:
    samples = tmp_path / "samples/plus"
    samples.mkdir(parents=True)
    (samples / "small.json").write_text('{"n": 1}')
    (samples / "text.json").write_text('{"n": "one"}')
    (samples / "priced.json").write_text('{"n": 1}')
    (samples / "priced.variables.json").write_text('{"more": 10}')
    (repository / "plus.yaml").write_text(
        manifests_text.mapping('{"n": n + 1 + ($more ? $more : 0), "old": n}', name="plus")
    )

    ended = isthmus("diff", repository, "--from", "main", "--samples", "samples", "-o", "json")

    told = found(ended)
    assert [(each["name"], each["fields"]) for each in told["messages"]] == [
        ("plus/priced.json", [{"path": "$.n", "old": 2, "new": 12}])
    ]
    assert told["compared"] == {"sample": 3}


def test_what_a_journal_exports_is_a_sample(
    isthmus: Isthmus, repository: Path, tmp_path: Path
) -> None:
    samples = tmp_path / "samples/plus"
    samples.mkdir(parents=True)
    messages = [
        {"id": "one", "body": {"n": 1, "customer": "***"}, "bodyIs": "json"},
        {"id": "two", "body": None, "bodyIs": "withheld"},
    ]
    (samples / "orders.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in messages))
    (repository / "plus.yaml").write_text(
        manifests_text.mapping('{"n": n + 1, "old": n, "who": customer}', name="plus")
    )

    ended = isthmus("diff", repository, "--from", "main", "--samples", "samples", "-o", "json")

    [message] = json.loads(ended.stdout)["messages"]
    assert (message["name"], message["fields"]) == (
        "plus/orders.jsonl one",
        [{"path": "$.who", "new": "***"}],
    )
    assert ended.stderr == "isthmus: samples/plus/orders.jsonl: 1 without a body are left out\n"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        pytest.param({"plus/a.jsonl": "{}"}, "a.jsonl:1 is no message", id="no export"),
        pytest.param({"plos/a.json": "1"}, "did you mean plus?", id="no such Mapping"),
        pytest.param({"plus/a.json": "{"}, "a.json is not JSON", id="no JSON"),
        pytest.param(
            {"plus/a.json": "1", "plus/a.variables.json": "[]"}, "write an object", id="variables"
        ),
        pytest.param({"a.json": "1"}, "has no folder", id="no folder"),
    ],
)
def test_samples_that_cannot_be_used(
    isthmus: Isthmus, repository: Path, tmp_path: Path, files: dict[str, str], said: str
) -> None:
    for name, content in files.items():
        file = tmp_path / "samples" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)

    ended = isthmus("diff", repository, "--from", "main", "--samples", "samples")

    assert ended.returncode == 2
    assert said in ended.stderr


def test_a_table_in_a_config_map_restarts_nothing_and_changes_messages(
    isthmus: Isthmus, repository: Path
) -> None:
    """Its rows are not shown."""

    def rows(rate: str) -> str:
        return (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: rates}\n"
            f'data: {{rates.csv: "country,rate\\nNL,{rate}\\n"}}\n'
        )

    shared = {"rates": {"configMaps": [{"name": "rates"}], "format": "csv", "value": "rate"}}
    test = {"name": "a country", "input": "NL", "expect": "secret-1"}
    (repository / "rates.yaml").write_text(rows("secret-1"))
    (repository / "other.yaml").write_text(
        manifests_text.mapping(
            '$table("rates", $)', name="other", sharedTables=shared, tests=[test]
        )
    )
    commit(repository)
    (repository / "rates.yaml").write_text(rows("secret-2"))

    told = found(isthmus("diff", repository, "--from", "main", "-o", "json"))

    [changed] = told["objects"]
    assert changed["object"] == "ConfigMap default/rates"
    assert "secret" not in json.dumps(changed)
    assert told["routes"] == []
    [message] = told["messages"]
    assert message["fields"] == [{"path": "$", "old": "secret-1", "new": "secret-2"}]


def test_markdown_for_a_merge_request(isthmus: Isthmus, repository: Path) -> None:
    (repository / "plus.yaml").write_text(
        manifests_text.mapping('{\n"n": n + 2, "`@all`": n\n}', name="plus", tests=[CASE])
    )
    (repository / "it.yaml").write_text(ROUTE + "  replicas: 2\n")

    ended = isthmus("diff", repository, "--from", "main", "-o", "markdown")

    assert ended.returncode == 1
    assert ended.stdout == (
        """\
## What changes from main

objects: 0 added, 2 changed, 0 removed; 1 Route restarts; 1 message comes out differently

### Objects

- **Mapping default/plus** changed
  - `spec.expression`
    ```diff
    -{"n": n + 1, "old": n}
    +{
    +"n": n + 2, "`@all`": n
    +}
    ```
- **Route default/it** changed
  - `spec.replicas: added 2`

### Routes

- **Route default/it** restarts, 1 → 2 pods
  - `because of Mapping default/plus spec.expression`

### Capacity

pods 2 → 3, CPU 0.2 → 0.3, memory 256Mi → 384Mi; while it rolls out, 1 more pod: one for each \
Route that restarts

### Messages

- **Mapping default/plus** test 'a number'
  - `$.n: 2 → 3`
  - `$.old: removed 1`
  - `` $["`@all`"]: added 1 ``

1 test through both; 1 came out differently
"""
    )


def test_text_of_a_manifest_steers_no_terminal(isthmus: Isthmus, repository: Path) -> None:
    (repository / "it.yaml").write_text(
        manifests_text.route("- map: {mapping: other}", env={"a": "\x1b[31m"})
    )

    ended = isthmus("diff", repository, "--from", "main")

    assert "\x1b" not in ended.stdout


def test_what_was_broken_may_be_mended(isthmus: Isthmus, repository: Path) -> None:
    (repository / "it.yaml").write_text(ROUTE.replace("source:", "sauce:"))
    git(repository, "commit", "-q", "-a", "-m", "broken")
    (repository / "it.yaml").write_text(ROUTE)

    ended = isthmus("diff", repository, "--from", "main", "-o", "json")

    assert ended.returncode == 1
    assert effects(json.loads(ended.stdout)) == {"Route default/it": "starts"}
    assert "at main Route default/it cannot be read" in ended.stderr


def test_what_is_broken_now_is_an_error(isthmus: Isthmus, repository: Path) -> None:
    (repository / "it.yaml").write_text(ROUTE.replace("source:", "sauce:"))

    ended = isthmus("diff", repository, "--from", "main")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "it.yaml" in ended.stderr


def test_a_single_file_a_link_and_a_folder_that_was_not_there(
    isthmus: Isthmus, repository: Path, tmp_path: Path
) -> None:
    (repository / "linked.yaml").symlink_to("../shared/new.yaml")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/new.yaml").write_text(manifests_text.mapping("1", name="new"))
    (repository / "within.yaml").symlink_to("plus.yaml")
    commit(tmp_path)
    (tmp_path / "fresh").mkdir()
    (tmp_path / "fresh/it.yaml").write_text(ROUTE)

    file = isthmus("diff", repository / "plus.yaml", "--from", "main")
    fresh = isthmus("diff", tmp_path / "fresh", "--from", "main", "-o", "json")
    linked = isthmus("diff", repository, "--from", "main", "-o", "json")

    assert (file.stdout, file.returncode) == ("nothing is different\n", 0)
    assert [each["change"] for each in found(fresh)["objects"]] == ["added"]
    assert [each["object"] for each in found(linked)["objects"]] == ["Mapping default/new"]


def test_no_repository_no_revision_no_git(
    isthmus: Isthmus, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = isthmus("diff", repository, "--from", "nowhere")
    option = isthmus("diff", repository, "--from", "--output=x")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / ".git").rename(tmp_path / "git")
    outside = isthmus("diff", repository, "--from", "main")
    monkeypatch.setenv("PATH", "")
    without = isthmus("diff", repository, "--from", "main")

    assert [each.returncode for each in (unknown, option, outside, without)] == [2] * 4
    assert "has no revision nowhere" in unknown.stderr
    assert "git fetch" in unknown.stderr
    assert "has no revision --output=x" in option.stderr
    assert "not a git repository" in outside.stderr
    assert "needs the program git" in without.stderr


def test_options_of_a_cluster_do_not_go_with_a_revision(isthmus: Isthmus, repository: Path) -> None:
    ended = isthmus("diff", repository, "--from", "main", "--prune")

    assert ended.returncode == 2
    assert "--from about git" in ended.stderr
