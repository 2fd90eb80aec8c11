"""Runs of the command line in processes of their own, against a portal on loopback that can cut the line.

A process is forked from one that has imported everything, so that hundreds of them cost seconds; with
``RECONCILER_NIGHTLY`` in the environment each is a fresh ``python -m reconciler``.
"""

import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from reconciler.emulator import Portal, create_app
from reconciler.emulator.faults import DroppedError
from reconciler.emulator.server import LOOPBACK, Listener

NIGHTLY = bool(os.environ.get("RECONCILER_NIGHTLY"))
TOKEN = "pat-na1-kill-anywhere-canary"
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(
    [
        *("pytest", "httpcore", "trio", "sortedcontainers", "certifi", "difflib", "encodings.idna"),
        *(
            f"reconciler.{name}"
            for name in ("emulator.server", "cli.apply", "deploy", "client", "planning", "approval")
        ),
        *(f"reconciler.{name}" for name in ("evidence", "guards", "snapshot_file", "render.json", "render.text")),
    ]
)


class Process(Protocol):
    """A run of the command line."""

    pid: int

    def wait(self) -> int: ...

    def alive(self) -> bool: ...


class Forked:
    """A run in a process that was forked from a warm one."""

    def __init__(self, directory: Path, words: Sequence[str], kill_at_rename: int) -> None:
        told = (str(directory), tuple(words), os.environ["HUBSPOT_ACCESS_TOKEN"], kill_at_rename)
        self._process = _forks.Process(target=_commanded, args=told, daemon=True)
        self._process.start()
        self.pid = self._process.pid or 0

    def wait(self) -> int:
        """Its exit code; of a killed one, the negative signal."""
        self._process.join()
        assert self._process.exitcode is not None
        return self._process.exitcode

    def alive(self) -> bool:
        """Whether it still runs; asks for a moment."""
        self._process.join(0.01)
        return self._process.is_alive()


class Spawned(subprocess.Popen[bytes]):
    """A run in a fresh interpreter."""

    def alive(self) -> bool:
        """Whether it still runs."""
        try:
            super().wait(0.01)
        except subprocess.TimeoutExpired:
            return True
        return False


def _commanded(directory: str, words: tuple[str, ...], token: str, kill_at_rename: int) -> None:
    from reconciler.cli import run

    os.chdir(directory)
    os.environ["HUBSPOT_ACCESS_TOKEN"] = token
    output = open("output.txt", "w", encoding="utf-8")  # noqa: SIM115
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if kill_at_rename:
        os.replace = _deadly(kill_at_rename)
    sys.exit(run(words))


def _deadly(number: int) -> Callable[..., None]:
    """A rename that kills the process before the one of this number."""
    real, seen = os.replace, itertools.count(1)

    def replace(*names: Any) -> None:
        if next(seen) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        real(*names)

    return replace


def started(directory: Path, words: Sequence[str], kill_at_rename: int = 0) -> Process:
    """``reconciler`` with these words and the token of this environment, begun in a directory."""
    if not NIGHTLY or kill_at_rename:
        return Forked(directory, words, kill_at_rename)
    output = (directory / "output.txt").open("w")
    with output:
        return Spawned(
            [sys.executable, "-m", "reconciler", *words],
            cwd=directory,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )


Happening = Callable[[int], None]


class Line:
    """The way from processes to a portal; tells of each request before and after its effect, and can be dead."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.token = ""  # the only one that is let through, so that what a killed run left on the way is not
        self.portal = Portal.seeded("empty")
        self.reset(self.portal.state)

    def reset(self, state: dict[str, Any]) -> None:
        """Another portal at the end of the line, and nothing in its way."""
        with self._lock:
            self.portal = Portal(state)
            self._app = create_app(self.portal)
            self.open()

    def open(self) -> None:
        """Lets everything through, and counts from one again."""
        self.seen = self.written = 0
        self.counts_reads = True
        self.dead = False
        self.before: Happening = lambda number: None
        self.after: Happening = lambda number: None
        self.before_write: Callable[[], object] = lambda: None  # before the first write only

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self._lock:
            self._alive()
            if not environ.get("HTTP_AUTHORIZATION", "").endswith(self.token):
                raise DroppedError("the line is somebody else's")
            writes = environ["REQUEST_METHOD"] != "GET" and not environ["PATH_INFO"].endswith(("/search", "-info"))
            self.seen += 1
            self.written += writes
            number = self.seen if self.counts_reads else self.written
            self.before(number)
            if writes:
                act, self.before_write = self.before_write, lambda: None
                act()
            self._alive()
            answer = list(self._app(environ, start_response))
            self.after(number)
            self._alive()
            return answer

    def _alive(self) -> None:
        if self.dead:
            raise DroppedError("the line is dead")


@contextmanager
def listening() -> Iterator[tuple[str, Line]]:
    """A line on a loopback port."""
    line = Line()
    listener = Listener(line, 0)
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{listener.server_port}", line
    finally:
        listener.closing.set()
        listener.shutdown()
        listener.server_close()
        thread.join()
