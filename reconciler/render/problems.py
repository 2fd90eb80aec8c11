"""The problems of a document, one by one, for formats that mark places in files."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from reconciler.model import Json
from reconciler.render import text_drift
from reconciler.render.words import (
    SEVERITIES,
    Change,
    Document,
    conflicts,
    consequences,
    drift_items,
    drift_kind,
    failure,
    in_line,
    is_destructive,
    listed,
    own_errors,
    refusal,
    refused,
    said,
    subject,
)

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")
OF_FINDINGS: Mapping[str, Level] = {"error": "error", "warning": "warning", "info": "note"}
OF_CHECKS: Mapping[str, Level] = {"error": "error", "warning": "warning", "unknown": "note"}
NAMED = 6  # addresses of one portal of a fleet
OF_DRIFT: Mapping[str, Level] = {"high": "error", "medium": "warning"}
PARTS = ("changes", "findings", "items")  # what of a document may say where in the specs it stands


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a person should look at: how bad, which rule, what, the way out, and where."""

    level: Level
    rule: str
    message: str
    fix: str = ""
    address: str = ""
    source: Mapping[str, Json] | None = None

    @property
    def text(self) -> str:
        """All of it in a line."""
        return f"{self.message}; {self.fix}" if self.fix else self.message

    @property
    def fingerprint(self) -> str:
        """The same for the same problem in every run, wherever in its file it moves."""
        file = self.source["file"] if self.source else ""
        return sha256("\0".join((self.rule, self.address, file, self.message)).encode("utf-8", "replace")).hexdigest()


def problems(document: Document, drift: bool = True) -> list[Problem]:
    """Everything that is wrong or dangerous, worst first; what moved in the portal only where that is wanted."""
    found = [*_errors(document), *_findings(document), *_changes(document), *_checks(document)]
    for one in document.get("portals", ()):
        found += of_portal(one, drift)
    if drift:
        found += map(_drifted, drift_items(document))
    return sorted(found, key=lambda one: LEVELS.index(one.level))


def settings_file(document: Document) -> str:
    """The settings of a document's specs: they stand for a problem without a place where a host takes none such."""
    files = [file["path"] for file in (document.get("spec") or {}).get("files", ())]
    told = [one["source"]["file"] for part in PARTS for one in document.get(part, ()) if one.get("source")]
    folders = {file.removesuffix(f"/{path}") for file in told for path in files if file.endswith(f"/{path}")}
    whole = [folder for folder in folders if all(file.removeprefix(f"{folder}/") in files for file in told)]
    of_fleet = [one["portal"]["directory"] for one in document.get("portals", ())]
    return f"{min(whole or of_fleet, key=len, default='specs')}/reconciler.yaml"


def of_portal(result: Mapping[str, Json], drift: bool = True) -> Iterator[Problem]:
    """What went wrong, breaks or is destroyed in one portal of a fleet, and what moved in it."""
    name, verdict = result["name"], result["verdict"]
    for error in result["errors"]:
        about = f"{name}: {said(error)}"
        if verdict == "not-started":
            yield Problem("warning", verdict, about)
        else:
            yield Problem("error", error["code"], about, error.get("hint") or "")
    for integration in result["breaks"]:
        yield Problem("warning", "breaking", f"{name}: breaks {integration}")
    if result["command"] == "plan" and result["destructive"]:
        yield Problem("warning", "destructive", f"{name}: destroys {listed(result['destructive'], NAMED)}")
    if drift and verdict == "drifted":
        worst = next((severity for severity in SEVERITIES if result["summary"].get(severity)), "")
        told = [f"{state} {listed(addresses, NAMED)}" for state, addresses in result["states"].items()]
        yield Problem(OF_DRIFT.get(worst, "note"), verdict, f"{name}: {'; '.join(told)}")


def _checks(document: Document) -> Iterator[Problem]:
    for one in document.get("checks", ()):
        if one["status"] != "ok":
            yield Problem(OF_CHECKS[one["status"]], f"doctor-{one['name']}", one["message"], one["fix"])


def _errors(document: Document) -> Iterator[Problem]:
    for error in own_errors(document):
        where = f"{error['where']}: " if error.get("where") else ""
        yield Problem("error", error["code"], f"{where}{in_line(error['message'])}", error.get("hint") or "")
    for guard in refused(document):
        yield Problem("error", f"guard-{guard['rule']}", refusal(guard))


def _findings(document: Document) -> Iterator[Problem]:
    for one in document.get("findings", ()):
        level = OF_FINDINGS.get(one["severity"], "note")
        source = one.get("source")
        yield Problem(level, one["rule"], one["message"], one.get("fix") or "", one.get("address") or "", source)


def _changes(document: Document) -> Iterator[Problem]:
    for change in document.get("changes", ()):
        if "outcome" in change:
            yield from _outcome(change)
        else:
            yield from _planned(change)


def _outcome(change: Change) -> Iterator[Problem]:
    if change["outcome"] in ("failed", "unknown", "blocked"):
        told = f"{change['action']} {_name(change)} {change['outcome']}: {' '.join(failure(change))}".rstrip(": ")
        level: Level = "warning" if change["outcome"] == "blocked" else "error"
        yield Problem(level, f"apply-{change['outcome']}", told, "", change["address"], change.get("source"))


def _planned(change: Change) -> Iterator[Problem]:
    about = {"address": change["address"], "source": change.get("source")}
    if conflicts(change):
        told = f"HubSpot and the spec both changed {_name(change)}"
        yield Problem("error", "conflict", told, "decide with --on-conflict spec or live", **about)
    for guard in refused(change):
        told = f"{change['action']} {_name(change)} is {refusal({**guard, 'allow': ''})}"
        fix = f"to allow it: {guard['allow']}" if guard.get("allow") else ""
        yield Problem("error", f"guard-{guard['rule']}", told, fix, **about)
    if is_destructive(change) and not refused(change):
        told = f"{change['action']} {_name(change)}: {' '.join(consequences(change))}".rstrip(": ")
        yield Problem("warning", "destructive", told, **about)
    for broken in change.get("breaks") or ():
        told = f"{change['action']} {_name(change)} breaks {broken['integration']}: {broken['why']}"
        yield Problem("warning", "breaking", told, **about)


def _drifted(item: Change) -> Problem:
    told = "; ".join([f"{drift_kind(item)[1]} {_name(item)}", *text_drift.evidence(item)])
    broken = [f"breaks {one['integration']}: {one['why']}" for one in item.get("breaks") or ()]
    way = next(iter((item.get("ways") or {}).values()), "")
    level = OF_DRIFT.get(item["severity"], "note")
    return Problem(level, item["class"], "; ".join([told, *broken]), way, item["address"], item.get("source"))


def _name(change: Change) -> str:
    return subject(change["address"]).phrase
