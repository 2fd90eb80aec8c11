"""Fleets: one command over many portals, and one report of them.

A portal's document becomes a ``result``: its verdict, its exit, and the addresses that are not as declared, by state.
Results are a line of JSON each; the report is made of nothing but results, so shards of a fleet, run on different
machines, merge into the same report that one run would have written.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from reconciler import report
from reconciler.errors import ExitCode, UsageError, worst
from reconciler.model import Json
from reconciler.plan import WRITES
from reconciler.settings import Portal, Settings

Command = Literal["plan", "drift", "apply"]
STATES = ("differs", "missing", "drifted", "unreadable")  # everything else is the same
VERDICTS = ("same", "differs", "drifted", "applied", "stopped", "failed", "not-started")
ENDED_WELL: Mapping[Command, tuple[str, ...]] = {
    "plan": ("same", "differs"),
    "drift": ("same", "drifted"),
    "apply": ("same", "applied"),
}
DESTRUCTIVE = ("destructive", "irreversible")
GONE = (".missing", ".removed", ".unreadable")  # ends of drift classes: what is not there, or was not seen
NAMED = 10  # portals in a hint
FINE = (ExitCode.OK, ExitCode.DIFFERENCES)


@dataclass(frozen=True, slots=True)
class Member:
    """A portal of a fleet, and the specs directory that it belongs to."""

    directory: Path
    settings: Settings
    portal: Portal
    name: str  # the portal's, with its directory where two have the same

    @property
    def key(self) -> str:
        """What it is sharded by: HubSpot's number of the portal, which stays when names change."""
        return str(self.portal.portal_id or self.name)


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several equal parts of a fleet."""

    index: int  # from 1
    count: int

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """``i/n``, i from 1 to n."""
        found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise UsageError(f"{text!r} is no shard", hint="write it as 2/8: the second of eight parts")
        return cls(int(found[1]), int(found[2]))

    def holds(self, member: Member) -> bool:
        """Whether a portal is in this part; the same on every machine."""
        number = int.from_bytes(hashlib.sha256(member.key.encode()).digest()[:8], "big")
        return number % self.count == self.index - 1

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def members(directories: Mapping[Path, Settings]) -> list[Member]:
    """Every portal of these specs directories, by name."""
    pairs = [
        (directory, settings, one) for directory, settings in directories.items() for one in settings.portals.values()
    ]
    count = Counter(one.name for _, _, one in pairs)
    found = [
        Member(directory, settings, one, one.name if count[one.name] == 1 else f"{directory.as_posix()}:{one.name}")
        for directory, settings, one in pairs
    ]
    return sorted(found, key=lambda member: member.name)


def chosen(fleet: Sequence[Member], patterns: Sequence[str]) -> list[Member]:
    """The portals that patterns name; a pattern that names none is a mistake."""
    for pattern in patterns:
        if pattern != "all" and not any(_named(member, pattern) for member in fleet):
            from reconciler.wording import did_you_mean

            names = [member.name for member in fleet]
            some = f"there are {', '.join(names[:NAMED])}{' and more' if len(names) > NAMED else ''}"
            raise UsageError(f"no portal is called {pattern}", hint=did_you_mean(pattern, names) or some)
    return [one for one in fleet if not patterns or "all" in patterns or named(one, patterns)]


def named(member: Member, patterns: Iterable[str]) -> bool:
    """Whether any of these patterns means a portal."""
    return any(_named(member, pattern) for pattern in patterns)


def _named(member: Member, pattern: str) -> bool:
    return fnmatchcase(member.name, pattern) or fnmatchcase(member.portal.name, pattern)


def waves(fleet: Sequence[Member], canaries: Sequence[str], size: int) -> list[list[Member]]:
    """The order of an apply: the canaries first, then everybody else in waves."""
    first = [member for member in fleet if named(member, canaries)]
    rest = [member for member in fleet if member not in first]
    return [part for part in (first, *(rest[at : at + size] for at in range(0, len(rest), size))) if part]


# --- results ---------------------------------------------------------------------------------------------------------


def result(
    member: Member, command: Command, document: Mapping[str, Json], seconds: float, only: Sequence[str] = ()
) -> dict[str, Json]:
    """What a portal's document comes to; ``only`` some of the definitions may have been asked for."""
    code = ExitCode(document["exit"]["code"])
    states = dict(_states(document))
    return {
        "portal": {**(document.get("portal") or _portal(member)), "directory": member.directory.as_posix()},
        "name": member.name,
        "command": command,
        "only": sorted(only),
        "verdict": _verdict(document, code, states),
        "exit": dict(document["exit"]),
        "states": states,
        "same": _same(document),
        "summary": document.get("summary") or _counted(document.get("items", ())),
        "destructive": [one["address"] for one in document.get("changes", ()) if one["severity"] in DESTRUCTIVE],
        "breaks": sorted({one["integration"] for part in _parts(document) for one in part.get("breaks") or ()}),
        "digest": document.get("digest"),
        "receipt": document.get("receipt"),
        "spec": (document.get("spec") or {}).get("digest"),
        "errors": [*document.get("errors", ()), *_refusals(document)],
        "at": document["generatedAt"],
        "seconds": round(seconds, 3),
    }


def not_started(member: Member, command: Command, why: str, now: datetime, only: Sequence[str] = ()) -> dict[str, Json]:
    """A portal that a stopped run never came to."""
    document = report.error_document(command, [], now)
    made = result(member, command, document, 0.0, only)
    return {**made, "verdict": "not-started", "errors": [report.error_json("ok", why)]}


def _portal(member: Member) -> dict[str, Json]:
    portal = member.portal
    return {"name": portal.name, "portalId": portal.portal_id, "apiVersion": portal.api_version}


def _parts(document: Mapping[str, Json]) -> Sequence[Mapping[str, Json]]:
    return document.get("changes") or document.get("items") or ()


def _counted(items: Iterable[Mapping[str, Json]]) -> dict[str, int]:
    return dict(sorted(Counter(item["severity"] for item in items if not item.get("accepted")).items()))


def _states(document: Mapping[str, Json]) -> Iterator[tuple[str, list[str]]]:
    """Addresses by state; what is the same is only counted."""
    found: dict[str, set[str]] = {state: set() for state in STATES}
    for change in document.get("changes", ()):
        if state := _state(change):
            found[state].add(change["address"])
    for item in document.get("items", ()):
        if not item.get("accepted"):
            unreadable = item["class"] == "access.unreadable"
            found["unreadable" if unreadable else "drifted"].add(item["address"])
    for read in document.get("reads", ()):
        if read["status"] in ("denied", "unavailable"):
            found["unreadable"].add(read["collection"])
    yield from ((state, sorted(addresses)) for state, addresses in found.items() if addresses)


def _same(document: Mapping[str, Json]) -> int:
    """How many definitions are as they should be: declared ones of a plan or an apply, all live ones of a check."""
    if coverage := document.get("coverage"):
        live = sum(coverage[part] for part in ("managed", "unmanaged", "ignored", "hubspot"))
        told = (one for one in document["items"] if not one.get("accepted"))
        return int(live - len({one["address"] for one in told if not one["class"].endswith(GONE)}))
    done = [change for change in document.get("changes", ()) if change["action"] in WRITES and not _state(change)]
    return int((document.get("summary") or {}).get("unchanged", 0)) + len(done)


def _state(change: Mapping[str, Json]) -> str:
    if change["action"] in ("adopt", "forget") or change.get("outcome") in ("verified", "satisfied"):
        return ""
    if change["reason"] in ("revert_drift", "conflict"):
        return "drifted"
    return "missing" if change["action"] in ("create", "restore") else "differs"


def _verdict(document: Mapping[str, Json], code: ExitCode, states: Mapping[str, Json]) -> str:
    if code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED):
        return "stopped"
    if code not in FINE:
        return "failed"
    if document["kind"] == "apply" and any(change["action"] in WRITES for change in document.get("changes", ())):
        return "applied"
    if document["kind"] == "drift":
        return "drifted" if code is ExitCode.DIFFERENCES else "same"
    return "differs" if states else "same"


def _refusals(document: Mapping[str, Json]) -> list[dict[str, Json]]:
    """Refused guards, which end no plan but would end its apply."""
    guards = [*document.get("guards", ()), *(guard for one in document.get("changes", ()) for guard in one["guards"])]
    refused = (guard for guard in guards if guard["result"] == "refused")
    return [report.error_json("blocked", guard["message"], hint=guard.get("allow", "")) for guard in refused]


# --- the report ------------------------------------------------------------------------------------------------------


def fleet_document(
    command: Command,
    results: Iterable[Mapping[str, Json]],
    now: datetime,
    shards: Sequence[str] = (),
    ends: Iterable[ExitCode] = (),
) -> dict[str, Json]:
    """One report of all portals, whatever order they finished in; ``ends`` are the run's own, beside the portals'."""
    portals = sorted(results, key=lambda one: one["name"])
    verdicts = Counter(one["verdict"] for one in portals)
    codes = [ExitCode(one["exit"]["code"]) for one in portals]
    if verdicts["applied"] and verdicts["failed"]:  # whatever the failed ones say, something was written
        codes.append(ExitCode.PARTIAL)
    code = worst([ExitCode.OK, *ends, *codes])
    return {
        **report.header("fleet", None, now),
        "command": command,
        "shards": sorted(shards),
        "portals": [dict(one) for one in portals],
        "summary": {"portals": len(portals), **{name: verdicts[name] for name in VERDICTS if verdicts[name]}},
        "errors": [],
        "exit": {"code": int(code), "name": code.label},
    }


def merged(documents: Sequence[tuple[str, Mapping[str, Json]]], now: datetime) -> dict[str, Json]:
    """One report of the reports of several shards; no portal may be in two of them."""
    results: dict[str, Mapping[str, Json]] = {}
    origin: dict[str, str] = {}
    for where, document in documents:
        _refuse_unfinished(where, document)
    commands = {document["command"] for _, document in documents}
    if len(commands) != 1:
        raise UsageError(f"these are reports of different commands: {', '.join(sorted(commands))}")
    for where, document in documents:
        for one in document["portals"]:
            if one["name"] in results:
                message = f"portal {one['name']} is in {origin[one['name']]} and in {where}"
                raise UsageError(message, where=where, hint="merge the reports of one run, each shard once")
            results[one["name"]], origin[one["name"]] = one, where
    shards = [shard for _, document in documents for shard in document["shards"]]
    _all_there(shards)
    ends = [ExitCode(document["exit"]["code"]) for _, document in documents]
    made = fleet_document(commands.pop(), results.values(), now, shards, ends)
    return {**made, "errors": [dict(error) for _, document in documents for error in document["errors"]]}


def _refuse_unfinished(where: str, document: Mapping[str, Json]) -> None:
    """A shard that ended before its portals is no part of a report."""
    from reconciler.schema import document_schema
    from reconciler.spec import first_problem

    if not document.get("portals") and document.get("errors"):
        why = document["errors"][0].get("message", "")
        raise UsageError(
            f"the run of {where} ended before its portals: {why}", where=where, hint="run that shard again"
        )
    if problem := first_problem(document, document_schema("fleet")):
        raise UsageError(f"{where} is no report of a fleet: {problem}", where=where, hint="make it with -o json:FILE")


def _all_there(shards: Sequence[str]) -> None:
    """A report of a part is not taken for a report of the whole."""
    counts = {int(shard.partition("/")[2]) for shard in shards}
    if len(counts) > 1:
        raise UsageError(f"these shards are of different divisions: {', '.join(sorted(shards))}")
    for count in counts:
        missing = [f"{index}/{count}" for index in range(1, count + 1) if f"{index}/{count}" not in shards]
        if missing:
            raise UsageError(f"reports are missing: shard {', '.join(missing)}", hint="run them, or rerun what failed")


def by_address(document: Mapping[str, Json]) -> dict[str, dict[str, list[str]]]:
    """The matrix read the other way: for each address that is not the same everywhere, the portals by state."""
    found: dict[str, dict[str, list[str]]] = {}
    for one in document["portals"]:
        for state, addresses in one["states"].items():
            for address in addresses:
                found.setdefault(address, {}).setdefault(state, []).append(one["name"])
    return found


def failures(results: Iterable[Mapping[str, Json]]) -> int:
    """How many portals did not end well."""
    return sum(one["verdict"] == "failed" for one in results)
