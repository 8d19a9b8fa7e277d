"""Secrets from mounts, folders and env files."""

import shutil
import time
from pathlib import Path

import pytest

from isthmus_api.model import SecretKeyRef
from isthmus_runtime import logs, secrets

REF = SecretKeyRef(name="erp", key="pass.word")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("erp/key=value", {"erp/key": "value"}, id="a line"),
        pytest.param("\n# erp/key=no\n  erp/key = v  \n", {"erp/key": "v"}, id="blanks, comments"),
        pytest.param("erp/key=a=b#c", {"erp/key": "a=b#c"}, id="signs in a value"),
        pytest.param("erp/key=' v '", {"erp/key": " v "}, id="quotes keep blanks"),
        pytest.param("erp/key='", {"erp/key": "'"}, id="one quote is a quote"),
        pytest.param("erp/key=", {"erp/key": ""}, id="an empty value"),
        pytest.param("a/b=1\na/b=2", {"a/b": "2"}, id="the last line wins"),
    ],
)
def test_an_env_file_is_read(text: str, expected: dict[str, str]) -> None:
    assert secrets.parse(text, file="f") == expected


@pytest.mark.parametrize("line", ["canary", "erp=canary", "a/b/c=canary"])
def test_a_wrong_line_is_named_by_number_and_not_shown(line: str) -> None:
    with pytest.raises(secrets.MissingSecret) as told:
        secrets.parse(f"a/b=1\n{line}\n", file="dev.env")

    assert str(told.value) == "dev.env:2: write NAME/KEY=value, such as erp/password=…"


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"v", "v"), (b"v\n", "v"), (b"v\r\n", "v"), (b"v\n\n", "v\n"), (b"", "")],
    ids=["plain", "a line end", "a line end of Windows", "only one is taken off", "empty"],
)
def test_a_file_of_a_folder_is_read(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "erp").mkdir()
    (tmp_path / "erp" / "pass.word").write_bytes(content)

    assert secrets.at(tmp_path).read(REF) == expected


def test_a_folder_says_what_is_missing(tmp_path: Path) -> None:
    store = secrets.at(tmp_path)
    with pytest.raises(secrets.MissingSecret, match=r"^there is no Secret 'erp'$"):
        store.read(REF)

    (tmp_path / "erp").mkdir()
    with pytest.raises(secrets.MissingSecret, match=r"^the Secret 'erp' has no key 'pass.word'$"):
        store.read(REF)

    (tmp_path / "erp" / "pass.word").write_bytes(b"\xff")
    with pytest.raises(secrets.MissingSecret, match="cannot be read as text"):
        store.read(REF)


def test_an_env_file_that_goes_away_or_is_spoilt_says_so(tmp_path: Path) -> None:
    file = tmp_path / "dev.env"
    file.write_text("erp/pass.word=1")
    store = secrets.at(file)
    assert store.read(REF) == "1"

    file.write_text("spoilt line")
    with pytest.raises(secrets.MissingSecret, match=r"dev\.env:1"):
        store.read(REF)
    file.unlink()
    with pytest.raises(secrets.MissingSecret, match="cannot be read: No such file"):
        store.read(REF)


class Mount:
    """What a kubelet mounts, and how it replaces it: one link for all files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._number = 0

    def hold(self, **erp: str) -> None:
        """Have these keys of the Secret `erp`, and no others."""
        old = self.folder / f"..{self._number}"
        self._number += 1
        new = self.folder / f"..{self._number}"
        (new / "erp").mkdir(parents=True)
        for key, value in erp.items():
            (new / "erp" / key).write_text(value)
        link = self.folder / "..next"
        link.symlink_to(new.name)
        link.rename(self.folder / "..data")
        if not (self.folder / "erp").is_symlink():
            (self.folder / "erp").symlink_to("..data/erp")
        shutil.rmtree(old, ignore_errors=True)


@pytest.fixture
def mount(tmp_path: Path) -> Mount:
    return Mount(tmp_path)


USER, PASSWORD = SecretKeyRef(name="erp", key="user"), SecretKeyRef(name="erp", key="password")


def _replaced(store: secrets.Secrets, ref: SecretKeyRef, old: str) -> str:
    """The first value that is another; it comes by itself, at most a second later."""
    deadline = time.monotonic() + 5
    while (value := store.read(ref)) == old:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return value


def test_keys_that_change_together_are_read_together(mount: Mount) -> None:
    mount.hold(user="u-1", password="p-1")
    store = secrets.at(mount.folder)
    mount.hold(user="u-2", password="p-2")

    # None of them was read before: the first read of one must not be of another state.
    pairs = {(store.read(PASSWORD), store.read(USER))}
    _replaced(store, USER, "u-1")
    pairs.add((store.read(PASSWORD), store.read(USER)))

    assert pairs == {("p-1", "u-1"), ("p-2", "u-2")}


def test_a_key_that_goes_away_keeps_its_value_until_there_is_another(mount: Mount) -> None:
    mount.hold(user="u-1", password="p-1")
    store = secrets.at(mount.folder)

    with logs.captured() as lines:
        mount.hold(user="u-2")
        assert _replaced(store, USER, "u-1") == "u-2"
    assert store.read(PASSWORD) == "p-1"
    told = [{name: line[name] for name in ("event", "secret", "key")} for line in lines]
    assert told == [
        {
            "event": "a key of a Secret is gone; its last value is used",
            "secret": "erp",
            "key": "password",
        }
    ]

    mount.hold(user="u-2", password="p-3")
    assert _replaced(store, PASSWORD, "p-1") == "p-3"


def test_a_mount_says_what_is_missing(mount: Mount) -> None:
    mount.hold(user="u-1")
    store = secrets.at(mount.folder)

    with pytest.raises(secrets.MissingSecret, match=r"^the Secret 'erp' has no key 'password'$"):
        store.read(PASSWORD)
    with pytest.raises(secrets.MissingSecret, match=r"^there is no Secret 'shop'$"):
        store.read(SecretKeyRef(name="shop", key="token"))


def test_a_mounted_value_that_is_no_text_is_named_and_not_shown(mount: Mount) -> None:
    mount.hold(user="u-1")
    (mount.folder / "erp" / "user").write_bytes(b"canary\xff")

    with pytest.raises(secrets.MissingSecret) as told:
        secrets.at(mount.folder).read(USER)

    assert str(told.value) == "the key 'user' of the Secret 'erp' cannot be read as text"
    assert told.value.__cause__ is None
