"""Watching: doing something again whenever a file is saved.

The watches stand before the first time, so that no change is missed between it and the second. A
folder is watched with all below it. Of a file, its folder is watched, for many editors write a new
file and give it the old one's name.
"""

import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from isthmus_cli.folder import SUFFIXES

if TYPE_CHECKING:
    import asyncio

QUIET_MS: Final = 20
"""A save is over when nothing has happened for so long: programs write in several pieces."""
BURST_MS: Final = 80
"""What goes on for longer is taken up in between."""
IDLE_MS: Final = 100
"""How often a watch says that it is there."""

Run = Callable[[], int]


def again(paths: Iterable[Path], run: Run) -> int:
    """Run now, and after each change of the paths, until Ctrl-C; the exit code."""
    try:
        with _changes([each.absolute() for each in paths]) as changes:
            _tried(run)
            for name in changes:
                click.echo(f"isthmus: {name} changed at {time.strftime('%H:%M:%S')}", err=True)
                _tried(run)
    except KeyboardInterrupt:
        click.echo(err=True)
    return 0


async def changes(folder: Path, stop: "asyncio.Event") -> AsyncIterator[None]:
    """One item for each burst of changes of manifests below a folder, until `stop` is set.

    It waits longer than `again`: what serves may take up many files together, as git writes them.
    """
    from watchfiles import awatch

    async for _ in awatch(
        folder,
        stop_event=stop,
        debounce=200,
        step=50,
        watch_filter=lambda _, name: _is_manifest(Path(name)),
    ):
        yield


def _is_manifest(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def _tried(run: Run) -> None:
    """Run once. Whatever is wrong is said, and may be mended by the next change."""
    try:
        run()
    except click.ClickException as error:
        error.show()


@contextmanager
def _changes(paths: list[Path]) -> Iterator[Iterator[str]]:
    """The names of changed files, one for each burst of changes, from now on."""
    folders = {each for each in paths if each.is_dir()}
    files = {each for each in paths if each not in folders}
    stop, changed = threading.Event(), queue.Queue[str]()
    watches = [
        _Watch(folders, _is_manifest, changed, stop, is_deep=True),
        _Watch({each.parent for each in files}, files.__contains__, changed, stop, is_deep=False),
    ]
    for each in watches:
        each.start()
    try:
        for each in watches:
            each.stands.wait()
        yield _bursts(changed)
    finally:
        stop.set()
        for each in watches:
            each.join()


def _bursts(changed: "queue.Queue[str]") -> Iterator[str]:
    while True:
        name = changed.get()
        # Two watches may tell of one save.
        while not changed.empty():
            name = changed.get()
        yield name


class _Watch(threading.Thread):
    """Puts the names of changed files into a queue; it `stands` from when on it misses none."""

    def __init__(
        self,
        folders: set[Path],
        is_meant: Callable[[Path], bool],
        changed: "queue.Queue[str]",
        stop: threading.Event,
        *,
        is_deep: bool,
    ) -> None:
        super().__init__(daemon=True)
        self.stands = threading.Event()
        self._folders = folders
        self._is_meant = is_meant
        self._changed = changed
        self._stop_event = stop
        self._is_deep = is_deep

    def run(self) -> None:
        """Watch until it is stopped."""
        from watchfiles import watch

        if not self._folders:
            self.stands.set()
            return
        for found in watch(
            *self._folders,
            watch_filter=lambda _, name: self._is_meant(Path(name)),
            debounce=BURST_MS,
            step=QUIET_MS,
            stop_event=self._stop_event,
            # That nothing has changed, too, is told by a watch that stands.
            rust_timeout=IDLE_MS,
            yield_on_timeout=True,
            recursive=self._is_deep,
        ):
            self.stands.set()
            for name in sorted(Path(name).name for _, name in found)[:1]:
                self._changed.put(name)
