"""Keeps runs that write for one portal apart, from whatever directory of this machine each of them was begun."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from reconciler.errors import BlockedError, UsageError
from reconciler.report import stamp
from reconciler.workspace import Workspace


@contextmanager
def exclusive(workspace: Workspace, what: str = "apply to", *, specs: bool = False) -> Iterator[None]:
    """Holds a portal for as long as it or its baseline are written to, and the specs, which portals may share."""
    directory = workspace.directory.resolve()
    about = f"{what} portal {workspace.portal.name}"
    with ExitStack() as held:
        held.enter_context(_held(identity(workspace), about, directory.parent))
        if specs:
            held.enter_context(_held(f"specs-{_short(str(directory))}", about, directory.parent))
        yield


@contextmanager
def _held(name: str, about: str, where: Path) -> Iterator[None]:
    """A lock, which a dead process does not hold."""
    import fcntl

    with _opened(f"{name}.lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            other, _, who = lock.read().partition("\n")
            message = f"another {other} is running on this machine: {who}"
            raise BlockedError(message, hint="wait for it to end, then run this again") from error
        lock.truncate(0)
        lock.write(f"{about}\nprocess {os.getpid()}, since {stamp(datetime.now(UTC))}, for the specs in {where}")
        lock.flush()
        yield


def _short(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def identity(workspace: Workspace) -> str:
    """What tells one portal from another, whoever configured it: its id, its state file, or else its token's hash."""
    portal = workspace.portal
    if portal.emulator is not None:
        return f"emulator-{_short(str(workspace.emulator_file))}"
    known = portal.portal_id or f"token-{_short(workspace.token)}"
    return f"{urlsplit(portal.base_url).netloc.replace(':', '-')}-{known}"


def _opened(name: str) -> IO[str]:
    """The lock's file among the user's state, or where that cannot be written, among temporary files."""
    failure: OSError | None = None
    for place in (_of_the_user, _among_temporary_files):
        try:
            return open(place() / name, "a+", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            failure = error
    hint = "set XDG_STATE_HOME to a directory that can be written"
    raise UsageError(f"no lock can be taken: {failure}", hint=hint) from failure


def _of_the_user() -> Path:
    base = Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser()
    if not base.is_absolute():
        raise FileNotFoundError(f"{base} is no place for it")
    place = base / "hubspot-reconciler" / "locks"
    place.mkdir(parents=True, exist_ok=True)
    return place


def _among_temporary_files() -> Path:
    """A directory of this user's alone; what anybody else may have laid there could lead to any file."""
    place = Path(tempfile.gettempdir(), f"hubspot-reconciler-{os.getuid()}")
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PermissionError(f"{place} is not a directory of this user")
    return place
