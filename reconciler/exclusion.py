"""Keeps runs that write for one portal apart, from whatever directory of this machine each of them was begun."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
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
    """Holds a portal while it or its baseline are written to, and the specs, which portals may share, where they are.

    A dead process holds nothing.
    """
    locks = identities(workspace)
    if specs:
        locks[f"specs-{_short_hash(str(workspace.directory.resolve()))}"] = True
    with ExitStack() as held:
        for name, alone in sorted(locks.items()):
            _hold(held.enter_context(_opened(f"{name}.lock")), workspace, alone, what)
        yield


def _hold(lock: IO[str], workspace: Workspace, alone: bool, what: str) -> None:
    """Locks a file, or says who has; a full disk has room for the lock, if not for a word about who holds it."""
    import fcntl

    try:
        fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        other, _, who = lock.read().partition("\n")
        message = f"another {other or 'run'} is running on this machine: {who or 'nobody knows which process it is'}"
        raise BlockedError(message, hint="wait for it to end, then run this again") from error
    where = workspace.directory.resolve().parent
    about = f"{what} portal {workspace.portal.name}"
    told = f"{about}\nprocess {os.getpid()}, since {stamp(datetime.now(UTC))}, for the specs in {where}"
    with suppress(OSError):
        lock.truncate(0)
        os.write(lock.fileno(), told.encode("utf-8", "backslashreplace"))


def identities(workspace: Workspace) -> dict[str, bool]:
    """What tells one portal from another, whoever configured it, and whether only one may hold it.

    Settings may do without the portal's id. Then its token tells it, and keeps out those that have the id as well;
    these share the token, for a fleet may have one token by mistake, and is to be told of that.
    """
    portal, token = workspace.portal, workspace.token
    if portal.emulator is not None:
        return {f"emulator-{_short_hash(str(workspace.emulator_file))}": True}
    server = urlsplit(portal.base_url)
    name = f"{server.hostname}-{server.port or 443}".replace(":", "-")
    by_token = {f"{name}-token-{_short_hash(token)}": not portal.portal_id} if token else {}  # else nothing is written
    return {f"{name}-{portal.portal_id}": True, **by_token} if portal.portal_id else by_token


def _short_hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


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
