"""`python -m isthmus_runtime.desk`, as it runs in a Route's pod: lines in, lines out."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import manifests_text
import pytest
from journals import accepted, ended, one, wish

from isthmus_runtime.journal.entries import Memory, State
from isthmus_runtime.journal.journal import Journal

OWN, SIBLING, FOREIGN = "default/it", "default/other", "elsewhere/it"
BODY = '{"name": "Zo\\u00eb", "card": "4111", "note": "pass: hunter22"}'


class Pod:
    """A pod of the Route default/it, which masks `card`."""

    def __init__(self, folder: Path, address: str) -> None:
        privacy = {"privacy": {"mask": ["card"]}}
        [plan] = manifests_text.plans(manifests_text.route("- respond: {}", spec=privacy))
        (folder / "plan.json").write_bytes(plan.to_json())
        (folder / "secrets/erp").mkdir(parents=True)
        (folder / "secrets/erp/password").write_text("hunter22\n")
        (folder / "dsn").write_text(f"{address}\n")
        self.environment = {
            "ISTHMUS_PLAN": str(folder / "plan.json"),
            "ISTHMUS_SECRETS": str(folder / "secrets"),
            "ISTHMUS_JOURNAL_FILE": str(folder / "dsn"),
        }

    def exec(self, *lines: str, **environment: str) -> tuple[int, list[dict[str, Any]]]:
        """Give the process some lines, then end its input; its exit code and its answers."""
        ended = subprocess.run(
            [sys.executable, "-m", "isthmus_runtime.desk"],
            env=os.environ | self.environment | environment,
            input="".join(f"{line}\n" for line in lines),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ended.stderr == ""
        assert ended.stdout.isascii()
        return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()]

    def ask(self, *requests: dict[str, Any]) -> list[dict[str, Any]]:
        """All answers to some requests."""
        return self.exec(*map(json.dumps, requests))[1]


@pytest.fixture
def pod(tmp_path: Path, address: str) -> Pod:
    """A pod on the journal of the test."""
    return Pod(tmp_path, address)


async def dead(journal: Journal, route: str) -> str:
    """A message that died; its id."""
    [uid] = await accepted(journal, BODY, route=route)
    await journal.settle(ended(await one(journal, route=route), State.DEAD, reason="Timeout"))
    return uid


async def test_it_sees_the_messages_of_its_namespace_and_no_others(
    journal: Journal, pod: Pod
) -> None:
    own, sibling, foreign = [await dead(journal, each) for each in (OWN, SIBLING, FOREIGN)]

    found = pod.ask({"do": "find"}, {"do": "groups"}, {"do": "show", "id": foreign})

    listed = [each["message"]["id"] for each in found if "message" in each]
    grouped = {each["group"]["route"] for each in found if "group" in each}
    assert listed == [sibling, own]
    assert grouped == {OWN, SIBLING}
    assert not any("shown" in each for each in found)
    assert sum("end" in each for each in found) == 3


async def test_it_does_nothing_to_messages_of_another_namespace(journal: Journal, pod: Pod) -> None:
    own, foreign = [await dead(journal, each) for each in (OWN, FOREIGN)]
    act = {"act": "a", "who": "sam", "why": "a test"}
    chosen = {"ids": [own, foreign]}

    found = pod.ask({"do": "preview", "filter": chosen}, {"do": "replay", "filter": chosen, **act})

    assert found[0]["standing"] == {"route": OWN, "state": "dead", "messages": 1}
    assert [each["done"] for each in found if "done" in each] == [[own]]
    assert await journal.claim(wish(route=FOREIGN)) == []


async def test_it_masks_its_own_messages_and_withholds_those_of_others(
    journal: Journal, pod: Pod
) -> None:
    own, sibling = [await dead(journal, each) for each in (OWN, SIBLING)]

    found = pod.ask({"do": "show", "id": own}, {"do": "show", "id": sibling})
    mine, theirs = [each["shown"]["message"] for each in found if "shown" in each]

    assert mine["body"] == {"name": "Zoë", "card": "***", "note": "pass: ***"}
    assert (theirs["body"], theirs["bodyIs"]) == (None, "withheld")


async def test_an_edited_body_gets_back_what_is_masked(journal: Journal, pod: Pod) -> None:
    own = await dead(journal, OWN)
    edited = {"name": "Zoë", "card": "***", "note": "none"}
    act = {"act": "a", "who": "sam", "why": "a test", "body": json.dumps(edited)}

    pod.ask({"do": "replay", "filter": {"ids": [own]}, **act})

    message = await one(journal, route=OWN)
    assert json.loads(message.body) == edited | {"card": "4111"}


async def test_replayed_messages_wake_those_who_deliver(journal: Journal, pod: Pod) -> None:
    own = await dead(journal, OWN)

    found = pod.ask(
        {"do": "replay", "filter": {"ids": [own]}, "act": "a", "who": "sam", "why": "a test"}
    )

    assert [each for each in found if "done" in each] == [{"done": [own]}]
    assert (await one(journal, route=OWN)).uid == own


def given(found: list[dict[str, Any]], name: str) -> list[Any]:
    return [each[name] for each in found if name in each]


async def test_messages_of_a_key_are_found_from_the_newest_back(journal: Journal, pod: Pod) -> None:
    """As `messages show --key` and `list --key` ask."""
    olds = await accepted(journal, "1", "2", "3", route=OWN, key="K-1")
    await accepted(journal, "4", route=OWN, key="K-2")
    [sibling] = await accepted(journal, "5", route=SIBLING, key="K-1")
    await accepted(journal, "6", route=FOREIGN, key="K-1")
    settled = await one(journal, route=OWN, limit=1)
    await journal.settle(ended(settled))
    of_key = {"do": "find", "filter": {"key": "K-1"}, "limit": 3}

    first = pod.ask(of_key)
    cursor = given(first, "end")[0]["cursor"]
    second = pod.ask(of_key | {"cursor": cursor}, of_key | {"filter": {"key": "K-3"}})
    newest = pod.ask({"do": "find", "filter": {"key": "K-1", "route": OWN}, "limit": 1})
    [shown] = given(pod.ask({"do": "show", "id": given(newest, "message")[0]["id"]}), "shown")

    assert [each["id"] for each in given(first, "message")] == [sibling, olds[2], olds[1]]
    assert [each["id"] for each in given(second, "message")] == [olds[0]]
    assert given(second, "message")[0]["state"] == "finished"
    assert (shown["message"]["id"], shown["message"]["body"]) == (olds[2], 3)


async def test_the_audit_tells_the_newest_acts_of_its_namespace(journal: Journal, pod: Pod) -> None:
    own, sibling, foreign = [await dead(journal, each) for each in (OWN, SIBLING, FOREIGN)]
    for number, (do, uid) in enumerate((("drop", own), ("replay", sibling))):
        act = {"act": f"a{number}", "who": "sam", "why": f"reason {number}"}
        pod.ask({"do": do, "filter": {"ids": [uid]}, **act})
    pod.ask({"do": "drop", "filter": {"ids": [foreign]}, "act": "b", "who": "sam", "why": "no"})

    first = pod.ask({"do": "audit", "limit": 1})
    cursor = given(first, "end")[0]["cursor"]
    second = pod.ask({"do": "audit", "limit": 1, "cursor": cursor})
    all_ = pod.ask({"do": "audit"})

    told = [(each["action"], each["who"], each["why"]) for each in given(all_, "act")]
    assert told == [("replay", "sam", "reason 1"), ("drop", "sam", "reason 0")]
    assert given(first, "act") + given(second, "act") == given(all_, "act")


async def test_a_store_is_exported_and_one_of_another_namespace_is_not(
    journal: Journal, pod: Pod
) -> None:
    await journal.put(
        [
            Memory(
                namespace=namespace,
                store="customers",
                key=f"k{number:03}",
                reference=f"C-{number}",
                value=json.dumps({"n": number}).encode(),
                ttl=3600.0 if number == 0 else None,
            )
            for namespace in ("default", "elsewhere")
            for number in range(300)
        ]
    )
    wanted = {"do": "remembered", "store": "customers"}

    own = given(pod.ask(wanted | {"namespace": "default"}), "memory")
    foreign = pod.ask(wanted | {"namespace": "elsewhere"})

    assert [each["key"] for each in own] == [f"k{number:03}" for number in range(300)]
    assert [each["ttlInSeconds"] is not None for each in own] == [True, *[False] * 299]
    assert own[7] == {
        "store": "customers",
        "key": "k007",
        "reference": "C-7",
        "value": {"n": 7},
        "ttlInSeconds": None,
    }
    assert foreign == [{"end": {}}]


async def test_an_export_has_the_bodies_of_the_pods_own_route(journal: Journal, pod: Pod) -> None:
    own, sibling = [await dead(journal, each) for each in (OWN, SIBLING)]

    found = given(pod.ask({"do": "export", "filter": {"states": ["dead"]}}), "message")

    assert next((each["id"], each["bodyIs"]) for each in found) == (sibling, "withheld")
    assert found[1]["id"] == own
    assert found[1]["body"] == {"name": "Zoë", "card": "***", "note": "pass: ***"}


WRONG = {
    "no JSON": ("nothing", "the request is not understood"),
    "no request": ('{"do": "nothing"}', "the request is not understood"),
    "a field that is none": ('{"do": "find", "filter": {"rout": "x"}}', "filter.rout"),
    "an act that is not explained": (
        '{"do": "drop", "filter": {}, "act": "a", "who": "s", "why": ""}',
        "why",
    ),
    "a state that cannot be dropped": (
        '{"do": "drop", "filter": {"states": ["processing"]}, "act": "a", "who": "s", "why": "w"}',
        "processing cannot be dropped",
    ),
}


@pytest.mark.parametrize(("line", "says"), WRONG.values(), ids=WRONG)
async def test_a_wrong_request_is_answered_and_the_next_one_too(
    journal: Journal, pod: Pod, line: str, says: str
) -> None:
    code, (error, *answers) = pod.exec(line, '{"do": "find"}')

    assert says in error["error"]
    assert answers == [{"end": {"cursor": None}}]
    assert code == 0


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ISTHMUS_JOURNAL_FILE", "", "this pod has no journal"),
        ("ISTHMUS_JOURNAL_FILE", "/nowhere", "the journal's address /nowhere cannot be read"),
        ("ISTHMUS_PLAN", "/nowhere", "the plan /nowhere cannot be read"),
    ],
)
async def test_a_pod_without_what_it_needs_says_so_in_a_line(
    pod: Pod, name: str, value: str, says: str
) -> None:
    code, answers = pod.exec('{"do": "find"}', **{name: value})

    assert code == 1
    [error] = answers
    assert says in error["error"]


async def test_only_a_pod_of_a_route_makes_its_messages(journal: Journal, pod: Pod) -> None:
    act = {"act": "a", "who": "sam", "why": "a test"}

    [found] = pod.ask({"do": "send", "route": SIBLING, "body": "{}", **act})

    assert found == {"error": f"only a pod of {SIBLING} makes its messages, and none is ready"}
    assert await journal.backlog(SIBLING) == 0


async def test_a_route_that_answers_its_callers_takes_no_message(
    journal: Journal, pod: Pod
) -> None:
    act = {"act": "a", "who": "sam", "why": "a test"}

    [found] = pod.ask({"do": "send", "route": OWN, "body": "{}", **act})

    assert "answers its callers" in found["error"]
    assert "curl" in found["error"]
