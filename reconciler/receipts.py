"""Receipts: an append-only record of an apply, flushed at every step, so that a killed run can be explained."""

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
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
        path = directory / f"{name}.jsonl"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            receipt = cls(path, open(path, "x", encoding="utf-8", errors="backslashreplace"))  # noqa: SIM115
        except OSError as error:
            message = f"without a receipt nothing is applied, and it cannot be begun: {error.strerror}"
            hint = f"give the right to write into {directory}, then apply again"
            raise UsageError(message, where=str(error.filename or path), hint=hint) from error
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
    return list(_parsed(path, lines))


def _parsed(path: Path, lines: Sequence[bytes]) -> Iterator[dict[str, Json]]:
    for number, line in enumerate(lines, 1):
        try:
            if line:
                yield json.loads(line)
        except (ValueError, RecursionError):
            if number < len(lines):
                message = f"line {number} of receipt {path} is not JSON"
                raise UsageError(message, where=f"{path}:{number}", hint="it was edited by hand") from None


ODD = (LookupError, TypeError, AttributeError, ValueError)  # what comes of a file that is something else


def no_receipt(path: Path) -> UsageError:
    """A file that is not what an apply writes, or was edited by hand."""
    return UsageError(f"{path} is no receipt", where=str(path), hint="they lie in .reconciler/receipts/")


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
    unread: tuple[str, ...] = ()  # what is wrong with receipts that are left out

    def replaced(self, address: str, path: str, known: Json, same: Callable[[str, Json, Json], bool]) -> bool:
        """Whether a baseline holds what one of these writes has replaced: it is of before, and has not moved yet."""
        found = self.found.get(address, {}).get(path)
        return found is None or any(same(path, one, known) for one in found)


SETTLING = timedelta(minutes=5)  # HubSpot's reads may lag behind writes for so long


class _Write(NamedTuple):
    """One change that a receipt says was carried out."""

    change: Mapping[str, Json]
    action: str
    at: datetime
    values: Mapping[str, Json]
    found: Mapping[str, Sequence[Json]]


def own_writes(directory: Path, now: datetime, portal_id: Json = None) -> OwnWrites:
    """The values that receipts of a portal say were written, later ones over earlier ones.

    They are evidence, and nothing that a run needs: one that cannot be read is left out, and so is one that is of
    another portal, to which the name once led.
    """
    values: dict[str, dict[str, Json]] = {}
    recent: dict[str, Mapping[str, Json]] = {}
    archived: set[str] = set()
    at: dict[str, str] = {}
    found: dict[str, dict[str, list[Json]]] = {}
    unread: list[str] = []
    for path in sorted(directory.glob("*.jsonl")) if directory.is_dir() else ():
        try:
            writes = _writes(path, portal_id)
        except UsageError as error:
            unread.append(str(error))
            continue
        for one in writes:
            address = one.change["address"]
            at[address] = one.at.strftime("%Y-%m-%dT%H:%M:%SZ")
            if one.action == "archive":  # what was written before is gone
                archived.add(address)
                values.pop(address, None)
                found.pop(address, None)
            else:
                archived.discard(address)
                values.setdefault(address, {}).update(one.values)
                before = found.setdefault(address, {})
                for field, known in one.found.items():
                    before.setdefault(field, []).extend(known)
            if one.at > now - SETTLING:
                recent[address] = one.change
    return OwnWrites(values, recent, frozenset(archived), at, found, tuple(unread))


def _writes(path: Path, portal_id: Json) -> list[_Write]:
    """What one receipt tells."""
    told = events(path)
    if not told:  # a run that was killed before it began
        return []
    try:
        if told[0]["event"] != "begin":
            raise no_receipt(path)
        if not of_portal(told, portal_id):
            return []
        taken, times, begun = written(told), _times(told), datetime.fromisoformat(told[0]["at"]).astimezone(UTC)
        changes = [change for change in told[0]["changes"] if change["address"] in taken]
        moments = [times.get(change["address"], begun) for change in changes]
        return [
            _Write(change, change["action"], moment, _values(change), _before(change))
            for change, moment in zip(changes, moments, strict=True)
        ]
    except ODD as error:
        raise no_receipt(path) from error


def of_portal(told: Sequence[Mapping[str, Json]], portal_id: Json) -> bool:
    """Whether a receipt is of this portal, as far as both of them are known."""
    return portal_id is None or told[0]["portal"].get("portalId") in (None, portal_id)


def _before(change: Mapping[str, Json]) -> dict[str, list[Json]]:
    """What the fields of a change were before it, live and in the baseline."""
    return {
        field["path"]: [_bare(field.get("before")), *([_bare(field["baseline"])] if "baseline" in field else [])]
        for field in change["fields"]
        if "after" in field
    }


def _times(told: Sequence[Mapping[str, Json]]) -> dict[str, datetime]:
    """When each address was last written to, or tried to be."""
    dated = [event for event in told if "at" in event]
    return {
        one: datetime.fromisoformat(event["at"]).astimezone(UTC)
        for event in dated
        for one in event.get("addresses", ())
    }


def written(told: Sequence[Mapping[str, Json]]) -> set[str]:
    """Addresses of which a receipt says that HubSpot took the write."""
    done = {address for event in told if event.get("status") for address in event["addresses"]}
    for event in told:
        if event["event"] == "end":
            return {address for address, word in event["outcomes"].items() if word in ("done", "verified")}
    return done


def in_part(told: Sequence[Mapping[str, Json]]) -> set[str]:
    """Addresses of which HubSpot took a write that was not all, or that did not show."""
    alone = [event["addresses"] for event in told if event.get("status") and len(event["addresses"]) == 1]
    return {address for addresses in alone for address in addresses} - written(told)


def in_doubt(told: Sequence[Mapping[str, Json]]) -> set[str]:
    """Addresses to which a write was sent of which nobody knows what became."""
    if told[-1]["event"] == "end":
        return {address for address, word in told[-1]["outcomes"].items() if word == "unknown"}
    answered = {address for event in told if event["event"] == "result" for address in event["addresses"]}
    return {address for event in told if event["event"] == "intent" for address in event["addresses"]} - answered


def _values(change: Mapping[str, Json]) -> dict[str, Json]:
    fields = {field["path"]: field["after"] for field in change["fields"] if "after" in field}
    return {path: _bare(value) for path, value in fields.items()}


def _bare(value: Json) -> Json:
    """A value without the position that only an added option carries in a plan."""
    if isinstance(value, Mapping):
        return {key: part for key, part in value.items() if key != "displayOrder"}
    return value
