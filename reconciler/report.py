"""Documents: what a run found, as the one JSON shape that every format, the exit code and a saved plan are made of."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from reconciler import VERSION
from reconciler.errors import ExitCode, UsageError, worst
from reconciler.model import Collection, Finding, Json, Source
from reconciler.plan import RISKS, Change, Guard, Plan, PlannedField, digest

if TYPE_CHECKING:
    from reconciler.apply import Outcome

FORMAT_VERSION = "1.0"
BREAKING = "breaking"  # what --fail-on calls whatever an integration would notice
SEVERITIES = ("info", "low", "medium", "high")
LIFETIME = timedelta(hours=24)


def header(kind: str, portal: Mapping[str, Json] | None, now: datetime) -> dict[str, Json]:
    """What every document begins with."""
    return {
        "formatVersion": FORMAT_VERSION,
        "kind": kind,
        "tool": {"name": "hubspot-reconciler", "version": VERSION},
        "portal": portal,
        "generatedAt": stamp(now),
    }


def stamp(moment: datetime) -> str:
    """A time in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plan_document(
    plan: Plan,
    *,
    portal: Mapping[str, Json],
    spec: Mapping[str, Json],
    baseline_digest: str | None,
    collections: Mapping[str, Collection],
    now: datetime,
    drift: Sequence[Mapping[str, Json]] = (),
    approved: Sequence[str] = (),
    detailed: bool = False,
    fail_on: str = "",
) -> dict[str, Json]:
    """A plan, complete enough to be shown and carried out later."""
    fingerprint = digest(plan.changes, portal.get("portalId"))  # first, while there is room: it takes some, for a while
    document = {
        **header("plan", portal, now),
        **({"failOn": fail_on} if fail_on else {}),
        "expiresAt": stamp(now + LIFETIME),
        "spec": spec,
        "baseline": {"digest": baseline_digest} if baseline_digest else None,
        "complete": all(collection.status == "ok" for collection in collections.values()),
        "reads": reads_json(collections),
        "changes": [change_json(change) for change in plan.changes],
        "allowed": sorted(approved),
        "guards": [guard.as_json() for guard in plan.guards],
        "drift": list(drift),
        "unmanaged": {"counts": dict(plan.unmanaged)},
        **({"model": dict(plan.model)} if plan.model else {}),
        "findings": [finding.as_json() for finding in plan.findings],
        "summary": plan.summary,
        "digest": fingerprint,
        "errors": [dict(error) for error in plan.errors],
    }
    return finished(document, detailed=detailed)


def reads_json(collections: Mapping[str, Collection]) -> list[dict[str, Json]]:
    """How much of each collection was read."""
    return [
        {
            "collection": one.name,
            "count": one.size,
            "status": one.status,
            **({"detail": one.detail} if one.detail else {}),
        }
        for one in collections.values()
    ]


def change_json(change: Change) -> dict[str, Json]:
    """One change as documents hold it; its lists are tuples, for next to all of them are empty in a large plan."""
    source = change.source
    document: dict[str, Json] = {
        "address": change.address,
        "action": change.action,
        "reason": change.reason,
        "severity": change.severity,
        **({"title": change.title} if change.title else {}),
        "fields": tuple(_field_json(planned, change) for planned in change.fields) if change.fields else (),
        "preconditions": _preconditions(change) if change.fields or change.must_be_empty else _NO_MORE[change.expects],
        "impact": change.impact and dict(change.impact),
        "breaks": change.breaks and tuple(map(dict, change.breaks)),
        "dependsOn": change.depends_on,
        "destroys": change.destroys,
        "remote": change.remote,
        "source": source and {"file": source.file, "line": source.line, "column": source.column},
        "guards": change.guards and tuple(map(Guard.as_json, change.guards)),
    }
    if not change.declared:
        document["declared"] = False
    return document


# What a change expects that says nothing of fields, by what it may find.
_NO_MORE = {found: {"object": found, "fields": ()} for found in ("present", "absent", "archived")}


def _preconditions(change: Change) -> dict[str, Json]:
    fields = tuple(map(_expectation, change.fields)) if change.expects == "present" else ()
    more = {"noValues": change.must_be_empty} if change.must_be_empty else {}
    return {"object": change.expects, "fields": fields, **more}


def _field_json(planned: PlannedField, change: Change) -> dict[str, Json]:
    document = planned.as_json()
    if planned.cause in ("revert_drift", "conflict") and change.actor:
        document["actor"] = dict(change.actor)
        document["at"] = change.at or None
    return document


def _expectation(planned: PlannedField) -> dict[str, Json]:
    return {"path": planned.path} if planned.how == "added" else {"path": planned.path, "equals": planned.before}


def change_from_json(document: Mapping[str, Json]) -> Change:
    """A change of a saved plan."""
    fields = tuple(_field_from_json(field) for field in document["fields"])
    actors = [field["actor"] for field in document["fields"] if "actor" in field]
    return Change(
        address=document["address"],
        action=document["action"],
        reason=document["reason"],
        severity=document["severity"],
        fields=fields,
        expects=document["preconditions"]["object"],
        title=document.get("title", ""),
        remote=document.get("remote", {}),
        depends_on=tuple(document.get("dependsOn", ())),
        destroys=tuple(document.get("destroys", ())),
        declared=document.get("declared", True),
        actor=actors[0] if actors else None,
        at=next((field["at"] or "" for field in document["fields"] if "at" in field), ""),
        source=_source_from_json(document.get("source")),
        impact=document.get("impact"),
        must_be_empty=tuple(document["preconditions"].get("noValues", ())),
        breaks=tuple(document.get("breaks", ())),
    )


def _source_from_json(source: Mapping[str, Json] | None) -> Source | None:
    return Source(source["file"], source["line"], source["column"]) if source else None


def _field_from_json(field: Mapping[str, Json]) -> PlannedField:
    how = "added" if "before" not in field else "removed" if "after" not in field else "changed"
    return PlannedField(
        field["path"],
        field.get("before"),
        field.get("after"),
        how,  # type: ignore[arg-type]
        field.get("baseline"),
        "baseline" in field,
        field["cause"],
        Source(**field["source"]) if "source" in field else None,
    )


def apply_document(
    plan: Mapping[str, Json],
    changes: Sequence[Change],
    outcomes: "Mapping[str, Outcome]",
    now: datetime,
    cancelled: str = "",
) -> dict[str, Json]:
    """What became of each change of a plan."""
    done = [_outcome_json(change, outcomes.get(change.address)) for change in changes]
    counts = Counter(change["outcome"] for change in done)
    document = {
        **header("apply", plan["portal"], now),
        "spec": plan.get("spec"),
        "baseline": plan.get("baseline"),
        "complete": plan.get("complete", True),
        "changes": done,
        "drift": plan.get("drift", []),
        "findings": plan.get("findings", []),
        "summary": {**plan["summary"], "outcomes": dict(sorted(counts.items()))},
        "digest": plan["digest"],
        "errors": [one["error"] for one in done if one.get("error")],
    }
    if cancelled:
        document["cancelled"] = cancelled
    return finished(document)


def _outcome_json(change: Change, outcome: "Outcome | None") -> dict[str, Json]:
    document = change_json(change)
    if outcome is None:  # adopt and forget move only the baseline
        return {**document, "outcome": "done" if change.writes else "verified"}
    document["outcome"] = outcome.word
    if outcome.message:
        document["message"] = outcome.message
    if outcome.partly:
        document["partly"] = True
    if outcome.error:
        document["error"] = dict(outcome.error)
    return document


def check_version(document: Json, where: str, made_with: str = "-o json:FILE") -> Mapping[str, Json]:
    """A saved document of a format that this version can read; a newer major version is refused."""
    version = document.get("formatVersion") if isinstance(document, Mapping) else None
    if not isinstance(version, str) or not re.fullmatch(r"[0-9]{1,4}\.[0-9]+", version):
        raise UsageError(f"{where} is not a document of this tool", where=where, hint=f"make it with `{made_with}`")
    if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        hint = f"use the version of reconciler that wrote it, or make it anew with `{made_with}`"
        raise UsageError(f"{where} has format {version}; this version reads {FORMAT_VERSION}", where=where, hint=hint)
    return document  # type: ignore[no-any-return]


def validate_document(
    findings: Iterable[Finding], files: Sequence[Mapping[str, Json]], definitions: int, now: datetime
) -> dict[str, Json]:
    """What is wrong with the specs, without a look at any portal."""
    found = [finding.as_json() for finding in findings]
    counts = {level: sum(one["severity"] == level for one in found) for level in ("error", "warning", "info")}
    document = {
        **header("validate", None, now),
        "spec": {"files": list(files)},
        "findings": found,
        "summary": {"definitions": definitions, "files": len(files), **counts},
        "errors": [],
    }
    return finished(document)


def error_document(kind: str, errors: Sequence[Mapping[str, Json]], now: datetime) -> dict[str, Json]:
    """A run that could not begin or go on, for whoever asked for a document."""
    return finished({**header(kind, None, now), "findings": [], "errors": [dict(error) for error in errors]})


def error_json(code: str, message: str, where: str = "", hint: str = "", correlation_id: str = "") -> dict[str, Json]:
    """An error as documents hold it."""
    return {"code": code, "message": message, "where": where, "hint": hint, "correlationId": correlation_id}


def finished(document: dict[str, Json], *, detailed: bool = False) -> dict[str, Json]:
    """The document with its exit code, which is a function of the document alone."""
    code = exit_code(document, detailed=detailed)
    because = {"failOn": document["failOn"]} if document.get("failOn") else {}
    return {**document, "exit": {"code": int(code), "name": code.label, **because}}


def with_errors(document: Mapping[str, Json], errors: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """A finished document with what failed after it was finished, and the worst exit code of all.

    What goes wrong beside writes is partial, whatever it would have been before them.
    """
    codes = [ExitCode.named(error["code"]) for error in errors]
    if errors and _tells_of_writes(document):
        codes.append(ExitCode.PARTIAL)
    code = worst([ExitCode(document["exit"]["code"]), *codes])
    told = {**document["exit"], "code": int(code), "name": code.label}
    return {**document, "errors": [*document["errors"], *errors], "exit": told}


def may_have_written(document: Mapping[str, Json]) -> bool:
    """Whether a run got as far as to write to a portal, so that no exit code may say that nothing was written."""
    return "receipt" in document or (document["kind"] == "fleet" and document.get("command") == "apply")


def _tells_of_writes(document: Mapping[str, Json]) -> bool:
    if document["kind"] == "fleet":
        return any(one["verdict"] == "applied" for one in document["portals"])
    return document["kind"] == "apply" and wrote(document.get("changes", ()))


def exit_code(document: Mapping[str, Json], *, detailed: bool = False) -> ExitCode:
    """The exit code of a run, from what its document says; one that could not begin says only why."""
    changes, items = document.get("changes", ()), document.get("items", ())  # a run that could not begin has none
    codes = [ExitCode.named(error["code"]) for error in document.get("errors", ())]
    codes += [ExitCode.USAGE for finding in document.get("findings", ()) if finding["severity"] == "error"]
    match document["kind"]:
        case "plan":
            codes += _plan_codes(changes, detailed)
            codes += [ExitCode.BLOCKED for change in changes if _fails(document, change, RISKS)]
        case "apply":
            codes += _apply_codes(changes, document.get("cancelled", ""))
        case "drift":
            codes += [ExitCode.DIFFERENCES for item in items if counts(document, item)]
    return worst([ExitCode.OK, *codes])


def counts(document: Mapping[str, Json], item: Mapping[str, Json]) -> bool:
    """Whether a drift item makes the check fail: any that nobody accepted, or with --fail-on those that it means."""
    return not item.get("accepted") and ("failOn" not in document or _fails(document, item, SEVERITIES))


def _fails(document: Mapping[str, Json], one: Mapping[str, Json], levels: Sequence[str]) -> bool:
    """Whether --fail-on means this change or item: what breaks an integration, or has such a severity or a worse."""
    limit = document.get("failOn")
    if limit is None or one.get("action") in ("adopt", "forget"):
        return False
    if limit == BREAKING:
        return bool(one["breaks"])
    return levels.index(one["severity"]) >= levels.index(limit)


def _plan_codes(changes: Sequence[Mapping[str, Json]], detailed: bool) -> list[ExitCode]:
    writes = any(change["action"] not in ("adopt", "forget") for change in changes)
    conflict = any(field["cause"] == "conflict" for change in changes for field in change["fields"])
    return [ExitCode.STALE] * conflict + [ExitCode.DIFFERENCES] * (detailed and writes)


def _apply_codes(changes: Sequence[Mapping[str, Json]], cancelled: str) -> list[ExitCode]:
    if cancelled:
        return [ExitCode.named(cancelled)]
    broken = any(change["outcome"] in ("failed", "unknown", "done") for change in _writes(changes))
    return [ExitCode.PARTIAL] if broken and wrote(changes) else []


def wrote(changes: Sequence[Mapping[str, Json]]) -> bool:
    """Whether something of an apply reached the portal, or may have."""
    reached = ("done", "verified", "unknown")
    return any(change["outcome"] in reached or change.get("partly") for change in _writes(changes))


def _writes(changes: Sequence[Mapping[str, Json]]) -> list[Mapping[str, Json]]:
    return [change for change in changes if change["action"] not in ("adopt", "forget")]
