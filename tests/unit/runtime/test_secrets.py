"""Secrets from folders and env files."""

from pathlib import Path

import pytest

from isthmus_api.model import SecretKeyRef
from isthmus_runtime import secrets

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
