"""The history of drift checks: a file of JSON lines that is only ever appended to, one line a check.

A line holds what changed since the one before it and how much is open, so a year of quiet hourly checks stays small.
Lines name their portal, so portals can share a file. A line is appended whole, under a lock, and is on disk before the
check ends; a last line that a kill cut short is no line.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from reconciler import json_lines
from reconciler.errors import UsageError
from reconciler.model import Json

FORMAT_VERSION = "1.0"


def records(path: Path, portal: str) -> list[dict[str, Json]]:
    """What earlier checks of a portal wrote down, oldest first."""
    return [one for one in _parsed(path) if one["portal"] == portal]


def refuse_nowhere(path: Path) -> None:
    """Refuses a file in a directory that is not there: a slip of the pen would begin a history of its own."""
    if not path.parent.is_dir():
        raise UsageError(f"cannot write {path}: there is no directory {path.parent}", where=str(path))


def _parsed(path: Path) -> Iterator[dict[str, Json]]:
    for number, line in json_lines.lines(path):
        try:
            record = json.loads(line)
            major = str(record["formatVersion"]).partition(".")[0]
            for event in record["events"]:
                _ = event["event"], event["fingerprint"], event["address"], event["class"]
            _ = record["portal"], record["at"], record["counts"]["bySeverity"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            hint = f"restore it with `git checkout -- {path}`, or move it away to begin a new history"
            message = f"line {number} of {path} is not a record of a drift check; nothing was written to it"
            raise UsageError(message, where=f"{path}:{number}", hint=hint) from error
        if not major.isdecimal() or int(major) > int(FORMAT_VERSION.partition(".")[0]):
            message = f"line {number} of {path} has format {record['formatVersion']}; this version reads 1"
            raise UsageError(message, where=f"{path}:{number}", hint="use the version of reconciler that wrote it")
        yield record


def append(path: Path, portal: str, record: Mapping[str, Json]) -> None:
    """Adds the record of a check; two checks that end at once wait for each other."""
    json_lines.append(path, [{"formatVersion": FORMAT_VERSION, "portal": portal, **record}])
