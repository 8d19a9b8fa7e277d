"""`isthmus messages` on a real journal: the installed command, a SQLite file, real signals."""

import asyncio
import contextlib
import json
import os
import pty
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import json_shapes
import pytest
from journals import draft, ended, wish

from isthmus_api.mapping import MappingSpec
from isthmus_api.model import ObjectMeta
from isthmus_api.resources import Key, Resource, Resources
from isthmus_cli.diffs import samples
from isthmus_cli.diffs.sides import Side, Sides
from isthmus_runtime.journal import opening
from isthmus_runtime.journal.entries import Memory, Message, State
from isthmus_runtime.journal.journal import Journal

COMMAND = Path(sys.executable).parent / "isthmus"
ROUTE = "default/orders"
MANIFESTS = """
apiVersion: isthmus.dev/v1alpha1
kind: Route
metadata: {name: orders}
spec:
  source: {webhook: {path: /hook, open: true}}
  privacy: {mask: [customer.email]}
  steps: [{map: {expression: "$"}}]
"""
UNAVAILABLE = {
    "reason": "UpstreamStatus",
    "detail": "erp answered 503",
    "group": "steps[0] erp UpstreamStatus 503",
}
INVALID = {
    "reason": "ExpressionFailed",
    "detail": "the mapping failed",
    "group": "steps[0] ExpressionFailed",
}
JOURNEY = {
    "steps": [
        {
            "step": "steps[0]",
            "ms": 12.5,
            "input": {"number": 1},
            "calls": [
                {
                    "connector": "erp",
                    "method": "PUT",
                    "path": "/orders/1",
                    "ms": 11.0,
                    "status": 503,
                    "answer": {"error": "closed"},
                    "reason": "UpstreamStatus",
                }
            ],
            "failure": {"reason": "UpstreamStatus", "detail": "erp answered 503"},
        }
    ]
}
DEADLINE_SECONDS = 60.0
MANY = 3_000
"""So many that a replay of them is under way for a while."""


@dataclass
class Place:
    """A folder with a Route and its journal, and the command there."""

    folder: Path

    @property
    def file(self) -> Path:
        """The journal."""
        return self.folder / ".isthmus/journal.db"

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `isthmus messages`, without a terminal."""
        ended = subprocess.run(
            [COMMAND, "messages", *arguments],
            cwd=self.folder,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
        )
        assert "Traceback" not in ended.stderr
        json_shapes.check(("messages", *arguments), ended.stdout)
        return ended

    def json(self, *arguments: str) -> Any:
        """What the command says as JSON."""
        ended = self.run(*arguments, "-o", "json")
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def states(self) -> dict[str, str]:
        """The state of every message, by id."""
        found = self.json("list", "--limit", "100000")["messages"]
        return {each["id"]: each["state"] for each in found}

    def sql(self, statement: str) -> list[Any]:
        """Rows of the journal's file."""
        with contextlib.closing(sqlite3.connect(self.file)) as db:
            return db.execute(statement).fetchall()

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[Journal]:
        """The journal, as a runtime has it."""
        journal = await opening.open(f"sqlite:{self.file}")
        try:
            yield journal
        finally:
            await journal.close()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder with an empty journal."""
    (tmp_path / ".isthmus").mkdir()
    (tmp_path / "route.yaml").write_text(MANIFESTS)
    return Place(tmp_path)


def body(number: int) -> str:
    return json.dumps({"number": number, "customer": {"email": f"nr{number}@example.com"}})


Settle = Callable[[int, Message], dict[str, Any]]


def fill(place: Place, count: int, settle: Settle, *, key: str | None = None) -> list[str]:
    """Have messages accepted and attempted once; their ids, the oldest first."""

    async def work() -> list[str]:
        async with place.opened() as journal:
            made = [draft(body(number), route=ROUTE, key=key) for number in range(count)]
            await journal.accept(made)
            claimed: list[Message] = []
            while len(claimed) < count:
                claimed += await journal.claim(wish(route=ROUTE, limit=1000))
            for number, message in enumerate(claimed):
                await journal.settle(ended(message, **settle(number, message)))
            return [each.uid for each in made]

    return asyncio.run(work())


def dead(_: int, __: Message) -> dict[str, Any]:
    return {"state": State.DEAD, **UNAVAILABLE, "journey": json.dumps(JOURNEY).encode()}


def mixed(number: int, _: Message) -> dict[str, Any]:
    """Finished, dead of one cause, rejected of another, and in retry, in turn."""
    each: list[dict[str, Any]] = [
        {"state": State.FINISHED},
        {"state": State.DEAD, **UNAVAILABLE},
        {"state": State.REJECTED, **INVALID},
        {"state": State.RETRY, "delay": 3600.0, **UNAVAILABLE},
    ]
    return each[number % 4]


# Looking


def test_without_a_journal_it_says_where_one_was_looked_for(tmp_path: Path) -> None:
    found = Place(tmp_path).run("list")

    assert found.returncode == 1
    assert "there is no journal at" in found.stderr
    assert ".isthmus/journal.db" in found.stderr


def test_an_empty_journal_has_no_messages(place: Place) -> None:
    fill(place, 0, dead)

    assert place.run("list").stdout == "no messages\n"
    assert place.run("groups").stdout == "no failures\n"
    assert place.json("list") == {"messages": [], "more": False}


def test_a_list_is_a_table_with_the_newest_first(place: Place) -> None:
    ids = fill(place, 4, mixed, key="1001")

    head, *lines = place.run("list").stdout.splitlines()

    assert head.split() == ["ID", "ROUTE", "STATE", "KEY", "AGE", "ATTEMPTS", "REASON"]
    assert [line.split()[0] for line in lines] == ids[::-1]
    assert [line.split()[2] for line in lines] == ["retry", "rejected", "dead", "finished"]
    assert lines[1].split()[1:4] == [ROUTE, "rejected", "1001"]
    assert lines[1].endswith("ExpressionFailed")


CHOSEN = {
    "a state": (["--state", "dead"], [1, 5]),
    "two states": (["--state", "dead", "--state", "finished"], [0, 1, 4, 5]),
    "a Route": (["--route", "orders", "--state", "dead"], [1, 5]),
    "a Route with its namespace": (["--route", "default/orders", "--state", "dead"], [1, 5]),
    "another Route": (["--route", "stock"], []),
    "a key": (["--key", "1001"], [0, 1, 2, 3, 4, 5, 6, 7]),
    "another key": (["--key", "1002"], []),
    "a cause": (["--group", INVALID["group"]], [2, 6]),
    "an age": (["--since", "1h", "--state", "dead"], [1, 5]),
    "before an age": (["--until", "1h"], []),
    "a time": (["--since", "2999-01-01T00:00Z"], []),
}


@pytest.mark.parametrize(("options", "numbers"), CHOSEN.values(), ids=CHOSEN)
def test_messages_are_chosen_by(place: Place, options: list[str], numbers: list[int]) -> None:
    ids = fill(place, 8, mixed, key="1001")

    found = [each["id"] for each in place.json("list", *options)["messages"]]

    assert sorted(found) == sorted(ids[number] for number in numbers)


def test_a_list_that_is_cut_says_so(place: Place) -> None:
    fill(place, 3, dead)

    assert place.json("list", "--limit", "2")["more"] is True
    assert "there are more" in place.run("list", "--limit", "2").stderr
    assert place.json("list", "--limit", "3")["more"] is False


def test_a_list_goes_through_all_pages(place: Place) -> None:
    ids = fill(place, 250, dead)

    assert [each["id"] for each in place.json("list", "--limit", "250")["messages"]] == ids[::-1]


def test_groups_count_failures_and_name_them_for_other_commands(place: Place) -> None:
    ids = fill(place, 9, mixed)

    lines = place.run("groups").stdout.splitlines()[1:]
    [one, other] = place.json("groups")["groups"]
    found = place.json("list", "--group", other["id"])["messages"]

    assert [line.split()[1:4] for line in lines] == [
        ["2", ROUTE, "rejected"],
        ["2", ROUTE, "dead"],
    ] or [line.split()[1:4] for line in lines] == [["2", ROUTE, "dead"], ["2", ROUTE, "rejected"]]
    assert {one["group"], other["group"]} == {INVALID["group"], UNAVAILABLE["group"]}
    assert len(found) == 2
    assert {each["group"] for each in found} == {other["group"]}
    assert {each["id"] for each in found} < set(ids)


def test_a_group_that_is_not_there_is_told(place: Place) -> None:
    fill(place, 1, dead)

    found = place.run("list", "--group", "00000000")

    assert found.returncode == 1
    assert "there is no group 00000000" in found.stderr


def test_show_tells_the_whole_journey_with_what_is_masked_masked(place: Place) -> None:
    [message] = fill(place, 1, dead, key="1001")

    text = place.run("show", message).stdout

    for each in (
        f"Message {message}",
        "dead since",
        "after 1 attempt: UpstreamStatus",
        "erp answered 503",
        '"email": "***"',
        "Attempt 1",
        "steps[0]",
        "PUT erp /orders/1 -> 503 UpstreamStatus",
        '"error": "closed"',
    ):
        assert each in text
    assert "example.com" not in text


def test_show_masks_secrets_that_it_is_given(place: Place) -> None:
    [message] = fill(place, 1, dead)
    (place.folder / "secrets.env").write_text("erp/password=closed\n")

    shown = place.run("show", message, "--secrets", "secrets.env").stdout

    assert "closed" not in shown
    assert '"error": "***"' in shown


def test_a_body_is_withheld_where_nobody_says_what_is_masked(place: Place) -> None:
    [message] = fill(place, 1, dead)
    (place.folder / "route.yaml").unlink()

    found = place.json("show", message)

    assert found["message"]["bodyIs"] == "withheld"
    assert "example.com" not in place.run("show", message).stdout


def test_export_writes_masked_messages_a_line_each(place: Place) -> None:
    ids = fill(place, 120, dead)

    lines = [json.loads(line) for line in place.run("export").stdout.splitlines()]

    assert [each["id"] for each in lines] == ids[::-1]
    assert lines[0]["body"] == {"number": 119, "customer": {"email": "***"}}


def test_an_export_is_what_diff_reads_as_samples(place: Place, tmp_path: Path) -> None:
    ids = fill(place, 2, dead)
    file = tmp_path / "samples/order/all.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text(place.run("export").stdout)
    mapping = Resource(
        Key("Mapping", "default", "order"),
        ObjectMeta(name="order"),
        MappingSpec.model_validate({"expression": "$"}),
    )
    side = Side(Resources.of([mapping]))

    found = list(samples.read(tmp_path / "samples", Sides(side, side)))

    assert [each.name for each in found] == [f"order/all.jsonl {each}" for each in ids[::-1]]
    assert json.loads(found[0].body) == {"number": 1, "customer": {"email": "***"}}


def test_a_store_is_exported_by_key(place: Place) -> None:
    def memory(key: str, **given: Any) -> Memory:
        value = json.dumps({"of": key}).encode()
        whole = {"namespace": "default", "store": "customers", "value": value}
        return Memory(key=key, **(whole | given))

    async def work() -> None:
        async with place.opened() as journal:
            await journal.put([memory("b", reference="7"), memory("a"), memory("c", store="other")])

    asyncio.run(work())

    lines = [json.loads(x) for x in place.run("export", "--store", "customers").stdout.splitlines()]

    assert [(each["key"], each["reference"], each["value"]) for each in lines] == [
        ("a", None, {"of": "a"}),
        ("b", "7", {"of": "b"}),
    ]


def test_the_journey_of_a_thing_is_every_message_of_its_key(place: Place) -> None:
    ids = fill(place, 3, mixed, key="100045")
    fill(place, 1, mixed, key="100046")

    text = place.run("show", "--key", "100045").stdout
    shown = place.json("show", "--key", "100045")["messages"]

    assert re.findall(r"Message ([0-9a-f]{32})", text) == ids
    assert [each["message"]["id"] for each in shown] == ids
    assert place.run("show", "--key", "1").returncode == 1
    assert place.run("show").returncode == 2


def test_a_body_that_is_very_large_is_not_shown(place: Place) -> None:
    async def work() -> str:
        async with place.opened() as journal:
            made = draft(json.dumps("x" * 2_000_000), route=ROUTE)
            await journal.accept([made])
            return made.uid

    text = place.run("show", asyncio.run(work())).stdout

    assert "2000002 bytes" in text
    assert "not shown: a body of more than 1048576 bytes" in text


def test_what_people_did_is_listed_with_the_newest_first(place: Place) -> None:
    one, other = fill(place, 2, dead)
    place.run("replay", one, "--reason", "mended")
    place.run("drop", other, "--reason", "a test")

    lines = place.run("audit").stdout.splitlines()[1:]
    [found] = place.json("audit", "--limit", "1")["acts"]

    assert [line.split()[2:4] for line in lines] == [["drop", other], ["replay", one]]
    assert (found["action"], found["why"], found["id"]) == ("drop", "a test", other)


@pytest.mark.parametrize("what", ["show", "replay", "drop"])
def test_what_is_no_id_is_wrong_use(place: Place, what: str) -> None:
    found = place.run(what, "nothing", *(["--reason", "it is a test"] if what == "drop" else []))

    assert found.returncode == 2
    assert "'nothing' is no id of a message" in found.stderr


def test_a_message_that_is_not_there_is_told(place: Place) -> None:
    fill(place, 0, dead)

    found = place.run("show", "0" * 32)

    assert found.returncode == 1
    assert "there is no message" in found.stderr


# Replaying and dropping


def test_one_is_replayed_without_asking_and_noted_with_who_and_why(place: Place) -> None:
    one, other = fill(place, 2, dead)

    found = place.run("replay", one, "--reason", "the ERP is mended")

    assert found.stdout == "replayed 1 message\n"
    assert place.states() == {one: "new", other: "dead"}
    [act] = place.json("show", one)["acts"]
    assert (act["action"], act["why"]) == ("replay", "the ERP is mended")
    assert act["who"]


def test_many_need_a_yes(place: Place) -> None:
    ids = fill(place, 12, dead)

    asked = place.run("replay", "--all")
    told = place.run("replay", "--all", "--dry-run")
    before = set(place.states().values())
    done = place.run("replay", "--all", "--yes")

    assert asked.returncode == 2
    assert "replay 12 messages? Say --yes" in asked.stderr
    assert "and 2 more" in told.stdout
    assert told.stdout.endswith("would replay 12 messages; nothing was done\n")
    assert before == {"dead"}
    assert done.stdout == "replayed 12 messages\n"
    assert place.states() == dict.fromkeys(ids, "new")


def test_a_whole_group_is_replayed(place: Place) -> None:
    ids = fill(place, 8, mixed)
    groups = {each["group"]: each["id"] for each in place.json("groups")["groups"]}

    found = place.json("replay", "--group", groups[INVALID["group"]], "--yes")

    assert found["replayed"] == 2
    assert {place.states()[ids[number]] for number in (2, 6)} == {"new"}
    assert {place.states()[ids[number]] for number in (1, 5)} == {"dead"}


def test_everything_is_meant_only_when_that_is_said(place: Place) -> None:
    fill(place, 2, dead)

    for what in (["replay"], ["drop", "--reason", "it is a test"]):
        found = place.run(*what, "--yes")
        assert found.returncode == 2
        assert "--all is everything that failed" in found.stderr


def test_what_cannot_be_replayed_is_named_with_its_state(place: Place) -> None:
    finished, failed, _, waiting = fill(place, 4, mixed)

    found = place.run("replay", finished, failed, waiting, "--yes")

    assert found.returncode == 1
    assert found.stdout == "replayed 1 message\n"
    assert f"{finished}  not replayed: finished" in found.stderr
    assert f"{waiting}  not replayed: retry" in found.stderr


def test_a_finished_one_is_replayed_when_that_is_said(place: Place) -> None:
    [message] = fill(place, 1, mixed)

    assert place.run("replay", message, "--state", "finished").returncode == 0
    assert place.states() == {message: "new"}


def test_dropping_needs_a_reason_and_lets_the_next_of_the_key_go_on(place: Place) -> None:
    def first_holds(number: int, _: Message) -> dict[str, Any]:
        return {"state": State.DEAD, "holds": True, **UNAVAILABLE}

    [held] = fill(place, 1, first_holds, key="1001")

    refused = place.run("drop", held)
    empty = place.run("drop", held, "--reason", " ")
    done = place.run("drop", held, "--reason", "a test order")

    assert (refused.returncode, empty.returncode, done.returncode) == (2, 2, 0)
    assert "--reason" in refused.stderr
    assert place.states() == {held: "skipped"}
    assert place.sql("SELECT count(*) FROM queue") == [(0,)]
    [act] = place.json("show", held)["acts"]
    assert (act["action"], act["why"]) == ("drop", "a test order")


# Another body


def claimed_body(place: Place) -> Any:
    """The body of the one message that is new, as the runtime gets it."""

    async def work() -> bytes:
        async with place.opened() as journal:
            [message] = await journal.claim(wish(route=ROUTE))
            return message.body

    return json.loads(asyncio.run(work()))


def test_a_body_from_a_file_keeps_what_is_masked(place: Place) -> None:
    [message] = fill(place, 1, dead)
    edited = {"number": 7, "customer": {"email": "***", "name": "Ada"}}
    (place.folder / "body.json").write_text(json.dumps(edited))

    found = place.run("replay", message, "--body", "body.json", "--reason", "wrong number")

    assert found.returncode == 0, found.stderr
    assert claimed_body(place) == {
        "number": 7,
        "customer": {"email": "nr0@example.com", "name": "Ada"},
    }
    shown = place.json("show", message)
    assert shown["message"]["edits"] == 1
    assert "body" in shown["acts"][0]["after"]


def test_a_mark_where_nothing_is_masked_is_refused(place: Place) -> None:
    [message] = fill(place, 1, dead)
    (place.folder / "body.json").write_text('{"number": "***"}')

    found = place.run("replay", message, "--body", "body.json")

    assert found.returncode == 1
    assert "$.number has ***" in found.stderr
    assert place.states() == {message: "dead"}


def test_a_body_that_is_no_json_any_more_is_refused_with_its_place(place: Place) -> None:
    [message] = fill(place, 1, dead)
    (place.folder / "body.json").write_text('{"number": 1,\n}')

    found = place.run("replay", message, "--body", "body.json")

    assert found.returncode == 1
    assert "body.json is no JSON" in found.stderr
    assert "line 2" in found.stderr


def editor(place: Place, script: str) -> str:
    """An editor that does one thing to the file it is given."""
    file = place.folder / "editor"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


def test_an_editor_gets_the_masked_body_and_what_it_leaves_is_delivered(place: Place) -> None:
    [message] = fill(place, 1, dead)
    change = 'cp "$1" seen.json; sed -i "s/\\"number\\": 0/\\"number\\": 42/" "$1"'

    found = place.run("replay", message, "--edit", EDITOR=editor(place, change))

    assert found.returncode == 0, found.stderr
    assert "***" in (place.folder / "seen.json").read_text()
    assert claimed_body(place) == {"number": 42, "customer": {"email": "nr0@example.com"}}


def test_a_body_that_the_editor_left_as_it_was_is_not_replayed(place: Place) -> None:
    [message] = fill(place, 1, dead)

    found = place.run("replay", message, "--edit", EDITOR=editor(place, "true"))

    assert found.returncode == 1
    assert "was not changed" in found.stderr
    assert place.states() == {message: "dead"}


def test_one_body_is_for_one_message(place: Place) -> None:
    ids = fill(place, 2, dead)
    (place.folder / "body.json").write_text("{}")

    found = place.run("replay", *ids, "--body", "body.json", "--yes")

    assert found.returncode == 2
    assert "for one message" in found.stderr


# On a terminal


def on_terminal(place: Place, answer: str, *arguments: str) -> tuple[int, str]:
    """Run the command on a terminal, and type an answer once it asks."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "messages", *arguments],
        cwd=place.folder,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    )
    os.close(follower)
    said, deadline, typed = b"", time.monotonic() + DEADLINE_SECONDS, False
    while time.monotonic() < deadline:
        if select.select([leader], [], [], 0.1)[0]:
            try:
                said += os.read(leader, 65536)
            except OSError:
                break
        if not typed and b"[y/N]" in said:
            os.write(leader, answer.encode())
            typed = True
    os.close(leader)
    return process.wait(DEADLINE_SECONDS), said.decode()


@pytest.mark.parametrize(("answer", "code", "state"), [("y\n", 0, "new"), ("n\n", 1, "dead")])
def test_a_person_is_asked(place: Place, answer: str, code: int, state: str) -> None:
    ids = fill(place, 3, dead)

    found, said = on_terminal(place, answer, "replay", "--all", "--reason", "mended")

    assert "replay 3 messages?" in said
    assert found == code, said
    assert place.states() == dict.fromkeys(ids, state)


# Many, and interrupted


@pytest.fixture
def begun(place: Place) -> Iterator[subprocess.Popen[str]]:
    """A replay of many that has begun and has not ended."""
    fill(place, MANY, lambda _, __: {"state": State.DEAD, **UNAVAILABLE})
    with subprocess.Popen(
        [COMMAND, "messages", "replay", "--all", "--yes"],
        cwd=place.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while place.sql("SELECT count(*) FROM audit") == [(0,)]:
            assert time.monotonic() < deadline
            assert process.poll() is None
        yield process
        process.kill()


def test_an_interrupted_replay_leaves_nothing_half_done_and_goes_on(
    place: Place, begun: subprocess.Popen[str]
) -> None:
    begun.send_signal(signal.SIGINT)
    said = begun.communicate(timeout=DEADLINE_SECONDS)[1]
    [(done,)] = place.sql("SELECT count(*) FROM audit")
    [(new,)] = place.sql("SELECT count(*) FROM queue WHERE state = 'new'")
    [(left,)] = place.sql("SELECT count(*) FROM outcomes WHERE state = 'dead'")

    assert begun.returncode == 1, said
    assert 0 < done < MANY
    assert (new, left) == (done, MANY - done)
    found = re.search(r"--act ([0-9a-f]+) goes on", said)
    assert found

    again = place.run("replay", "--all", "--yes", "--act", found[1])

    assert again.stdout == f"replayed {MANY - done} messages\n"
    assert place.sql("SELECT count(DISTINCT uid), count(*), count(DISTINCT act) FROM audit") == [
        (MANY, MANY, 1)
    ]


def test_a_killed_replay_is_begun_again_as_if_it_were_new(
    place: Place, begun: subprocess.Popen[str]
) -> None:
    begun.kill()
    begun.wait()

    place.run("replay", "--all", "--yes")

    assert place.sql("SELECT count(DISTINCT uid), count(*) FROM audit") == [(MANY, MANY)]
    assert place.sql("SELECT count(*) FROM outcomes") == [(0,)]


def test_a_runtime_that_is_at_work_delivers_what_is_replayed(place: Place) -> None:
    """Two processes on one file: what one writes wakes the other."""
    [message] = fill(place, 1, dead)

    async def work() -> str:
        async with place.opened() as journal:
            woken = asyncio.Event()
            journal.listen(ROUTE, woken.set)
            await asyncio.to_thread(place.run, "replay", message)
            async with asyncio.timeout(DEADLINE_SECONDS):
                await woken.wait()
            [claimed] = await journal.claim(replace(wish(route=ROUTE), limit=1))
            return claimed.uid

    assert asyncio.run(work()) == message
