"""Small files that must never be half there: what a run remembers, and the specs that it writes.

A disk that fills up, a text that cannot be encoded or a kill leaves each file as it was.
"""

import errno
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from reconciler.errors import UsageError


def write(files: Mapping[Path, str | bytes]) -> None:
    """Puts each file in its place once all of them are on the disk; a link stays a link, and rights stay as they are.

    What no UTF-8 can hold, half of a surrogate pair, becomes its escape, which JSON reads back as it was.
    """
    drafts: dict[Path, Path] = {}
    path = Path()
    try:
        for path, text in files.items():
            place = path.resolve()
            place.parent.mkdir(parents=True, exist_ok=True)
            draft = drafts[path] = place.with_name(f".{place.name}.{os.getpid()}")
            _draft(draft, text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace"))
            if place.exists():
                draft.chmod(place.stat().st_mode)
        for path, draft in drafts.items():
            _put(draft, path.resolve())
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", where=str(path)) from error
    finally:
        for draft in drafts.values():
            with suppress(OSError):  # of one that could not be made
                draft.unlink()


def _put(draft: Path, place: Path) -> None:
    try:
        os.replace(draft, place)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        place.write_bytes(draft.read_bytes())  # a single file that is mounted into a container keeps its place


def _draft(path: Path, content: bytes) -> None:
    with open(path, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
