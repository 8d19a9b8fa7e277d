"""Shells complete the installed command."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
Isthmus = Callable[..., subprocess.CompletedProcess[str]]
ASKED = """
source <(isthmus completion bash)
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_isthmus_completion isthmus
printf "%s\\n" "${{COMPREPLY[@]}}"
"""


def completed(words: str) -> list[str]:
    """What bash makes of the last of the words."""
    ended = subprocess.run(
        ["bash", "--norc", "-c", ASKED.format(words=words)],
        env=os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert ended.stderr == ""
    return ended.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        pytest.param("isthmus ro", ["rollout"], id="a command"),
        pytest.param("isthmus rollout res", ["restart"], id="a command of a group"),
        pytest.param("isthmus logs --lev", ["--level"], id="an option"),
        pytest.param("isthmus logs --level w", ["warning"], id="a value"),
        pytest.param("isthmus rolout zz", [], id="behind a misspelt command"),
        pytest.param("isthmus trace route/a --context none x", [], id="no cluster"),
    ],
)
def test_bash_completes(words: str, offered: list[str]) -> None:
    assert completed(words) == offered


@pytest.mark.parametrize(
    ("shell", "said"),
    [("zsh", "#compdef isthmus"), ("fish", "complete --no-files --command isthmus")],
)
def test_other_shells_have_a_script(isthmus: Isthmus, shell: str, said: str) -> None:
    ended = isthmus("completion", shell)

    assert said in ended.stdout
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_shell_that_is_not_known(isthmus: Isthmus) -> None:
    ended = isthmus("completion", "csh")

    assert "'csh' is not one of 'bash', 'zsh', 'fish'" in ended.stderr
    assert ended.returncode == 2
