"""Receipts: an append-only record of an apply, flushed at every step, so that a killed run can be explained."""

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, NamedTuple

from reconciler.errors import UsageError
from reconciler.model import Json


class Receipt:
    """One run's record: a line of JSON an event, on disk before the next thing happens."""

    def __init__(self, path: Path, stream: IO[str]) -> None:
        self.path = path
        self._stream = stream
        self._lock = threading.Lock()

    @classmethod
    def begin(cls, directory: Path, name: str, begin: Mapping[str, Json]) -> "Receipt":
        """A new receipt; its first line says what is going to be done."""
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"{name}.jsonl"
        receipt = cls(path, open(path, "x", encoding="utf-8", errors="backslashreplace"))  # noqa: SIM115
        receipt.record({"event": "begin", **begin})
        return receipt

    def record(self, event: Mapping[str, Json]) -> None:
        """Appends an event and does not return before it is on disk."""
        try:
            self._append(event)
        except OSError as error:
            message = f"the receipt could not be written: {error.strerror}"
            raise UsageError(message, where=str(self.path), hint="make room, then apply again") from error

    def end(self, event: Mapping[str, Json]) -> None:
        """The last event, and whatever could not be written before."""
        self._append({"event": "end", **event})
        self._stream.close()

    def _append(self, event: Mapping[str, Json]) -> None:
        with self._lock:
            self._stream.write(json.dumps(event, ensure_ascii=False) + "\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())


def events(path: Path) -> list[dict[str, Json]]:
    """What a receipt says; a last line that a kill cut short is left out."""
    try:
        lines = path.read_bytes().split(b"\n")  # and at nothing else: labels may hold other line ends
    except OSError as error:
        raise UsageError(f"cannot read receipt {path}: {error.strerror}", where=str(path)) from error
    return list(_parsed(lines))


def _parsed(lines: Sequence[bytes]) -> Iterator[dict[str, Json]]:
    for number, line in enumerate(lines, 1):
        try:
            if line:
                yield json.loads(line)
        except ValueError:
            if number < len(lines):
                raise UsageError(f"line {number} of the receipt is not JSON", hint="it was edited by hand") from None


def newest(directory: Path) -> Path | None:
    """The last receipt of a portal."""
    found = sorted(directory.glob("*.jsonl")) if directory.is_dir() else []
    return found[-1] if found else None


class OwnWrites(NamedTuple):
    """What applies from this machine have written."""

    values: Mapping[str, Mapping[str, Json]] = {}  # live values by address and path
    recent: Mapping[str, Mapping[str, Json]] = {}  # the last minutes' changes by address
    archived: frozenset[str] = frozenset()  # addresses that the last of them archived
    at: Mapping[str, str] = {}  # when each address was last written
    found: Mapping[str, Mapping[str, Sequence[Json]]] = {}  # what each value replaced, live or in the baseline

    def replaced(self, address: str, path: str, known: Json, same: Callable[[str, Json, Json], bool]) -> bool:
        """Whether a baseline holds what one of these writes has replaced: it is of before, and has not moved yet."""
        found = self.found.get(address, {}).get(path)
        return found is None or any(same(path, one, known) for one in found)


SETTLING = timedelta(minutes=5)  # HubSpot's reads may lag behind writes for so long


def own_writes(directory: Path, now: datetime) -> OwnWrites:
    """The values that receipts of a portal say were written, later ones over earlier ones."""
    values: dict[str, dict[str, Json]] = {}
    recent: dict[str, Mapping[str, Json]] = {}
    archived: set[str] = set()
    at: dict[str, datetime] = {}
    found: dict[str, dict[str, list[Json]]] = {}
    for path in sorted(directory.glob("*.jsonl")) if directory.is_dir() else ():
        told = events(path)
        if not told or told[0].get("event") != "begin":
            continue
        begun, taken, times = told[0], written(told), _times(told)
        for change in begun["changes"]:
            address = change["address"]
            if address not in taken:
                continue
            at[address] = times.get(address, datetime.fromisoformat(begun["at"]))
            if change["action"] == "archive":  # what was written before is gone
                archived.add(address)
                values.pop(address, None)
                found.pop(address, None)
            else:
                archived.discard(address)
                values.setdefault(address, {}).update(_values(change))
                _note(change, found.setdefault(address, {}))
            if at[address] > now - SETTLING:
                recent[address] = change
    stamps = {address: moment.strftime("%Y-%m-%dT%H:%M:%SZ") for address, moment in at.items()}
    return OwnWrites(values, recent, frozenset(archived), stamps, found)


def _note(change: Mapping[str, Json], found: dict[str, list[Json]]) -> None:
    """What the fields of a change were before it."""
    for field in change["fields"]:
        if "after" in field:
            before = [_bare(field.get(side)) for side in ("before", "baseline") if side == "before" or side in field]
            found.setdefault(field["path"], []).extend(before)


def _times(told: Sequence[Mapping[str, Json]]) -> dict[str, datetime]:
    """When each address was last written to, or tried to be."""
    dated = [event for event in told if "at" in event]
    return {one: datetime.fromisoformat(event["at"]) for event in dated for one in event.get("addresses", ())}


def written(told: Sequence[Mapping[str, Json]]) -> set[str]:
    """Addresses of which a receipt says that HubSpot took the write."""
    done = {address for event in told if event.get("status") for address in event["addresses"]}
    for event in told:
        if event["event"] == "end":
            return {address for address, word in event["outcomes"].items() if word in ("done", "verified")}
    return done


def _values(change: Mapping[str, Json]) -> dict[str, Json]:
    fields = {field["path"]: field["after"] for field in change["fields"] if "after" in field}
    return {path: _bare(value) for path, value in fields.items()}


def _bare(value: Json) -> Json:
    """A value without the position that only an added option carries in a plan."""
    if isinstance(value, Mapping):
        return {key: part for key, part in value.items() if key != "displayOrder"}
    return value
