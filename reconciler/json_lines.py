"""Files of JSON lines that are only ever appended to, under a lock; a last line that a kill cut short is no line."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from reconciler.errors import UsageError
from reconciler.model import Json


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that were written to their end, with their numbers."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", where=str(path)) from error
    yield from enumerate(_whole(text).splitlines(), 1)


def _whole(text: bytes) -> bytes:
    return text[: text.rfind(b"\n") + 1]


def append(path: Path, records: Iterable[Mapping[str, Json]]) -> None:
    """Adds a line for each record; two runs that end at once wait for each other."""
    import fcntl

    added = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            stream.seek(0)
            text = stream.read()
            if (whole := len(_whole(text))) < len(text):
                stream.truncate(whole)  # what a kill left of a line that nobody was told of
            stream.write(added.encode("utf-8", "backslashreplace"))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", where=str(path)) from error
