"""Files of JSON lines to which only lines are added; a last line that a kill cut short is no line."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from reconciler.errors import UsageError
from reconciler.model import Json


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that were written to their end, with their numbers."""
    yield from enumerate(_read(path).split(b"\n")[:-1], 1)


def with_more(path: Path, records: Iterable[Mapping[str, Json]]) -> bytes:
    """The content of a file with a line more for each record."""
    return _read(path) + _written(records)


def _read(path: Path) -> bytes:
    """The lines of a file that were written to their end; none where there is no file."""
    try:
        return _whole(path.read_bytes())
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", where=str(path)) from error


def _whole(text: bytes) -> bytes:
    return text[: text.rfind(b"\n") + 1]


def _written(records: Iterable[Mapping[str, Json]]) -> bytes:
    added = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    return added.encode("utf-8", "backslashreplace")


def append(path: Path, records: Iterable[Mapping[str, Json]]) -> None:
    """Adds a line for each record; two runs that end at once wait for each other."""
    import fcntl

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            stream.seek(0)
            text = stream.read()
            if (whole := len(_whole(text))) < len(text):
                stream.truncate(whole)  # what a kill left of a line that nobody was told of
            stream.write(_written(records))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", where=str(path)) from error
