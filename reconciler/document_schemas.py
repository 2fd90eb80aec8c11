"""JSON Schemas of the documents that ``-o json`` writes, for whoever reads them in CI.

A document of a run that could not begin has only the head, ``errors`` and ``exit``. Minor versions of the format add
fields, so nothing here forbids what it does not name; readers ignore what they do not know.
"""

from collections.abc import Mapping, Sequence

from reconciler.model import Json
from reconciler.plan import ACTIONS, RISKS

OUTCOMES = ("satisfied", "done", "verified", "failed", "blocked", "skipped", "unknown")
CAUSES = ("spec_change", "revert_drift", "tombstone", "exact", "conflict", "unknown")
ACTORS = ("hubspot", "user", "integration", "tool", "unknown")
DRIFT_SEVERITIES = ("info", "low", "medium", "high")


def _text(description: str, **more: Json) -> Json:
    return {"type": "string", "description": description, **more}


def _one_of(description: str, values: Sequence[str]) -> Json:
    return {"enum": list(values), "description": description}


def _count(description: str) -> Json:
    return {"type": "integer", "minimum": 0, "description": description}


def _list(items: Json, description: str) -> Json:
    return {"type": "array", "items": items, "description": description}


def _mapping(description: str, fields: Mapping[str, Json], required: Sequence[str] = ()) -> Json:
    return {"type": "object", "description": description, "properties": dict(fields), "required": list(required)}


def _or_null(schema: Json) -> Json:
    return {**schema, "type": [schema["type"], "null"]}


SOURCE = _mapping(
    "Where in the specs it is declared.",
    {"file": _text("File."), "line": _count("Line, from 1."), "column": _count("Column, from 1.")},
    ["file", "line", "column"],
)
ACTOR = _mapping(
    "Who changed it in the portal, as far as HubSpot says.",
    {
        "type": _one_of("Kind of actor.", ACTORS),
        "id": {"description": "Id of the user or the integration."},
        "confidence": _text("How sure that is."),
        "name": _text("Name of the user, where a scope lets it be read."),
        "evidence": {"description": "What it rests on."},
    },
    ["type"],
)
FIELD = _mapping(
    "One field that differs. A side that is missing is absent, which is not the same as null.",
    {
        "path": _text("Path below the address, such as label or options/gold/label."),
        "before": {"description": "The live value."},
        "after": {"description": "The wanted value."},
        "baseline": {"description": "The value that was last accepted."},
        "desired": {"description": "In a drift: the value that the specs declare, where it is another."},
        "cause": _one_of("Why it differs.", CAUSES),
        "actor": _or_null(ACTOR),
        "at": {"type": ["string", "null"], "description": "When it was changed in the portal."},
        "source": SOURCE,
    },
    ["path"],
)
GUARD = _mapping(
    "What a guard said.",
    {
        "rule": _text("Name of the guard."),
        "result": _one_of("Result.", ("passed", "refused", "allowed")),
        "limit": {"description": "What is allowed."},
        "observed": {"description": "What the plan would do."},
        "message": _text("The result in words."),
        "allow": _text("The exact flag that lifts it."),
        "address": _text("What it looked at."),
    },
    ["rule", "result"],
)
BREAKS = _list(
    _mapping(
        "One breach.", {"integration": _text("Name."), "why": _text("What it relies on.")}, ["integration", "why"]
    ),
    "Integrations that rely on what goes away.",
)
CHANGE = _mapping(
    "What happens to one definition.",
    {
        "address": _text("Path of the entry in the specs."),
        "action": _one_of("What is done; adopt and forget move only the baseline.", ACTIONS),
        "reason": _text("Why."),
        "severity": _one_of("How bad it could be.", RISKS),
        "title": _text("Its label."),
        "fields": _list(FIELD, "The fields that differ."),
        "preconditions": _mapping(
            "What has to be so, or nothing is written.",
            {
                "object": _one_of("Whether it is there.", ("present", "absent", "archived")),
                "fields": _list(
                    _mapping("A live value.", {"path": _text("Path."), "equals": {"description": "Value."}}, ["path"]),
                    "Live values that the change was planned on; without `equals` the field has to be absent.",
                ),
                "noValues": _list(_text("Address."), "What goes only while no record holds a value of it."),
            },
            ["object"],
        ),
        "impact": _or_null(
            _mapping(
                "How many records are touched.",
                {
                    "recordsWithValue": _or_null(_count("Records with a value.")),
                    "recordsWithOption": {"description": "Records with an option that goes, by option."},
                    "measuredAt": _text("When."),
                },
            )
        ),
        "breaks": BREAKS,
        "dependsOn": _list(_text("Address."), "What has to be made, or to go, first."),
        "declared": {
            "type": "boolean",
            "description": "False where only a tombstone for an option of it speaks of it.",
        },
        "destroys": _list(_text("Address."), "What is lost, and has to be allowed by its address."),
        "remote": {"type": "object", "description": "Ids that HubSpot gave."},
        "source": _or_null(SOURCE),
        "guards": _list(GUARD, "What guards said about it."),
    },
    ["address", "action", "reason", "severity", "fields"],
)
FINDING = _mapping(
    "Something a person should know.",
    {
        "rule": _text("Name of the rule."),
        "severity": _one_of("How serious it is.", ("error", "warning", "info")),
        "message": _text("What is wrong."),
        "fix": _text("The way out."),
        "address": _text("What it is about."),
        "source": SOURCE,
        "frame": _text("The line, and a mark under the place."),
    },
    ["rule", "severity", "message"],
)
ERROR = _mapping(
    "Why a run could not go on, or a change failed.",
    {
        "code": _text("Name of the exit code it leads to."),
        "message": _text("What happened."),
        "where": _text("What it happened to."),
        "hint": _text("The way out."),
        "correlationId": _text("What HubSpot's support asks for."),
        "status": {"type": "integer", "description": "Status of HubSpot's answer."},
        "category": _text("HubSpot's own name of the fault."),
        "subCategory": _text("HubSpot's closer name of it."),
    },
    ["code", "message"],
)
READ = _mapping(
    "How much of one list was read.",
    {
        "collection": _text("Name, such as properties/contacts."),
        "count": _count("Entries."),
        "status": _one_of("How the read went.", ("ok", "denied", "partial", "not_read", "unavailable")),
        "detail": _text("More about it."),
    },
    ["collection", "count", "status"],
)
DRIFT_ITEM = _mapping(
    "Something that moved without us.",
    {
        "class": _text("Such as managed.modified or vendor.added."),
        "address": _text("What moved."),
        "title": _text("Its label, as people see it."),
        "field": {"type": ["string", "null"], "description": "The field that moved, where it is one."},
        "fields": _list(FIELD, "The fields that moved."),
        "before": {"description": "What the baseline holds."},
        "after": {"description": "What is live."},
        "desired": {"description": "What the specs declare."},
        "actor": ACTOR,
        "at": {"type": ["string", "null"], "description": "When it moved."},
        "severity": _one_of("How serious it is.", DRIFT_SEVERITIES),
        "breaks": BREAKS,
        "fingerprint": _text("The same for the same drift in every run."),
        "source": _or_null(SOURCE),
        "ways": {"type": "object", "description": "The ways out, as commands."},
        "accepted": _mapping(
            "Somebody accepted it for a while.",
            {"by": _text("Who."), "reason": _text("Why."), "until": _text("The last day.", format="date")},
        ),
        "life": _mapping(
            "With a history: since when it is there.",
            {
                "state": _one_of("State.", ("new", "ongoing", "accepted", "reopened")),
                "since": _text("When a check saw it first, or again.", format="date-time"),
            },
            ["state", "since"],
        ),
    },
    ["class", "address", "severity"],
)
CONSENT = {"at": _text("When.", format="date-time"), "by": _text("Who."), "reason": _text("Why.")}
RESOLVED = _mapping(
    "A finding that is gone.",
    {
        "fingerprint": _text("Its fingerprint."),
        "address": _text("What had moved."),
        "class": _text("Its class."),
        "since": _text("When a check saw it first, or again.", format="date-time"),
        "resolvedAt": _text("The check that did not see it any more.", format="date-time"),
        "accepted": _mapping("Somebody moved the baseline to it.", CONSENT, ["at"]),
    },
    ["fingerprint", "address", "class", "since", "resolvedAt"],
)
ACCEPTANCE = _mapping(
    "A finding that somebody accepted.",
    {
        **CONSENT,
        "until": _text("The last day, where it was accepted for a while.", format="date"),
        "address": _text("What was accepted; of a first baseline a pattern."),
        "class": _text("Its class."),
        "fingerprint": _text("Its fingerprint."),
        "action": _text("What an apply did, where it was one."),
    },
    ["at", "address"],
)
POINT = _mapping(
    "One check.",
    {
        "at": _text("When.", format="date-time"),
        "open": _count("Items that nobody accepted."),
        "new": _count("Items that came, or came back."),
        "resolved": _count("Items that went."),
        "bySeverity": {"type": "object", "description": "Open items by severity."},
    },
    ["at", "open", "new", "resolved", "bySeverity"],
)
FAIL_ON = _text("What --fail-on named: a severity, or breaking.")
HEAD: Mapping[str, Json] = {
    "formatVersion": _text("Version of this format; a newer major version is not readable.", pattern=r"^1\.\d+$"),
    "tool": _mapping("What wrote it.", {"name": _text("Name."), "version": _text("Version.")}, ["name", "version"]),
    "portal": _or_null(
        _mapping(
            "The portal it is about.",
            {
                "name": _text("Its name in the settings."),
                "portalId": {"type": ["integer", "null"], "description": "HubSpot's number of it."},
                "apiVersion": _text("Version of HubSpot's API."),
                "flags": _text("What leads a command to it and its specs, where a command without would go elsewhere."),
            },
            ["name"],
        )
    ),
    "generatedAt": _text("When, in UTC.", format="date-time"),
    "complete": {"type": "boolean", "description": "Whether every list could be read."},
    "reads": _list(READ, "The lists that were read."),
    "findings": _list(FINDING, "What a person should know."),
    "errors": _list(ERROR, "Why the run could not go on."),
    "exit": _mapping(
        "The exit code of the run.",
        {
            "code": {"type": "integer", "description": "Code."},
            "name": _text("Name."),
            "failOn": FAIL_ON,
        },
        ["code", "name"],
    ),
}
SPEC = _mapping(
    "The spec files, for provenance only.",
    {
        "digest": _text("Fingerprint of all of them."),
        "files": _list(_mapping("One file.", {"path": _text("Path."), "digest": _text("Fingerprint.")}), "The files."),
    },
)
SUMMARY = _mapping(
    "Counts.",
    {
        **{action: _count(f"Changes that {action}.") for action in ACTIONS},
        "unchanged": _count("What is as declared."),
        "bySeverity": _mapping("Changes by severity.", {risk: _count(f"Changes that are {risk}.") for risk in RISKS}),
    },
)
_STAGES = _list(_mapping("A stage.", {"name": _text("Its name."), "label": _text("Its label.")}), "In order.")
MODEL = _mapping(
    "The shape of the CRM before and after, for pictures; nothing is decided from it.",
    {
        "objects": _list(_text("Object type."), "What labels lead from and to."),
        "associationLabels": _list(
            _mapping(
                "A label, and what becomes of it.",
                {
                    "address": _text("Address."),
                    "from": _text("Object type."),
                    "to": _text("Object type."),
                    "label": _text("Text in the declared direction."),
                    "inverseLabel": {"type": ["string", "null"], "description": "Text in the other direction."},
                    "state": _one_of("What becomes of it.", ("same", "added", "changed", "removed")),
                },
                ["address", "from", "to", "label", "state"],
            ),
            "By address.",
        ),
        "lifecycleStages": _mapping("Both orders.", {"before": _STAGES, "after": _STAGES}, ["before", "after"]),
    },
)
_COMMIT = _mapping(
    "One side of a comparison of commits.",
    {"ref": _text("What it was asked for by."), "commit": _text("Its id; of the checkout, the one that it stands on.")},
    ["ref", "commit"],
)
PLAN: Mapping[str, Json] = {
    "spec": SPEC,
    "baseline": _or_null(_mapping("The baseline that causes were told from.", {"digest": _text("Fingerprint.")})),
    "changes": _list(CHANGE, "What happens, sorted by address."),
    "drift": _list(DRIFT_ITEM, "What moved in the portal and is not this plan's business."),
    "unmanaged": {"type": "object", "description": "How many definitions no spec declares."},
    "model": MODEL,
    "summary": SUMMARY,
    "digest": _text("Fingerprint of the changes and of what they touch.", pattern="^sha256:"),
    "allowed": _list(_text("Address."), "What may be destroyed."),
    "guards": _list(GUARD, "What guards said about the whole plan."),
    "failOn": FAIL_ON,
    "allowForget": {"type": "boolean", "description": "Whether --allow-forget was given."},
}

STATES = ("differs", "missing", "drifted", "unreadable")
VERDICTS = ("same", "differs", "drifted", "applied", "stopped", "failed", "not-started")
RESULT = _mapping(
    "What the command came to in one portal; a line of the journal and of `-o jsonl`.",
    {
        "name": _text("The portal, with its directory where two have the same name."),
        "portal": {"type": "object", "description": "The portal, and its specs directory."},
        "command": _one_of("What was run.", ("plan", "drift", "apply")),
        "only": _list(_text("Address pattern."), "What it was restricted to; none: nothing was left out."),
        "verdict": _one_of("What it came to.", VERDICTS),
        "exit": HEAD["exit"],
        "states": _mapping(
            "What is not as declared.", {state: _list(_text("Address."), f"What {state}.") for state in STATES}
        ),
        "same": _count("Definitions that are as declared."),
        "summary": {"type": "object", "description": "Counts, as in the portal's own document."},
        "destructive": _list(_text("Address."), "What its plan destroys."),
        "breaks": _list(_text("Name."), "Integrations that break."),
        "digest": {"type": ["string", "null"], "description": "Fingerprint of its plan."},
        "receipt": {"type": ["string", "null"], "description": "The record of its apply."},
        "spec": {"type": ["string", "null"], "description": "Fingerprint of the specs as it has them."},
        "errors": _list(ERROR, "Why it did not end well."),
        "at": _text("When, in UTC.", format="date-time"),
        "seconds": {"type": "number", "description": "How long it took."},
    },
    ["name", "portal", "command", "verdict", "exit", "states", "same", "errors"],
)
FLEET: Mapping[str, Json] = {
    "command": _one_of("What was run.", ("plan", "drift", "apply")),
    "shards": _list(
        _text("Such as 2/8.", pattern="^[0-9]{1,4}/[0-9]{1,4}$"),
        "The parts of the fleet that it covers; none: all of it.",
    ),
    "portals": _list(RESULT, "One result a portal, by name."),
    "summary": {"type": "object", "description": "How many portals, and how many of each verdict."},
}


COVERAGE = _mapping(
    "How much of the portal the specs hold.",
    {
        "managed": _count("Live definitions that the specs declare, or where none were read, managed at last."),
        "unmanaged": _count("Others that the portal made."),
        "ignored": _count("Of those, what an ignore rule covers as a whole; not counted as unmanaged."),
        "hubspot": _count("Others that HubSpot defines."),
        "by": _one_of("In a drift document: what tells who declares; no spec is read at rest.", ("specs", "baseline")),
        "objectTypes": _list(
            _mapping(
                "The groups, properties and association labels of one object type, or the lifecycle stages.",
                {
                    "objectType": _text("Its name; `lifecycleStages` for the stages, which belong to two of them."),
                    "declared": _count("What the portal made and the specs declare."),
                    "ignored": _count("What the portal made and a rule ignores."),
                    "unmanaged": _count("What the portal made and nobody speaks of."),
                    "hubspotDefined": _count("What HubSpot defines, declared in part or not."),
                    "unread": _list(_text("List."), "Lists that could not be read, so the counts are of the others."),
                },
                ["objectType", "declared", "ignored", "unmanaged", "hubspotDefined"],
            ),
            "By object type, and the lifecycle stages.",
        ),
        "limits": _list(
            _mapping(
                "One of HubSpot's limits.",
                {"name": _text("What is limited."), "used": _count("Used."), "limit": _count("Most.")},
                ["name", "used", "limit"],
            ),
            "Only when they were asked for, and the token may know them.",
        ),
    },
)
EXPLAINED_FIELD = _mapping(
    "One field, option or side of a stage. A side that is missing says nothing of it.",
    {
        "path": _text("Path below the address; `options` alone is their order."),
        "declared": {"description": "What the specs say."},
        "live": {"description": "What HubSpot has."},
        "accepted": {"description": "What the baseline says."},
        "owned": _one_of("Whose it is.", ("declared", "watched", "ignored", "left")),
        "source": _or_null(SOURCE),
        "state": _one_of("What would become of it.", ("as_it_is", "moved", *CAUSES, "create", "restore")),
        "why": _text("Evidence, where it moved."),
    },
    ["path", "owned", "state"],
)
EXPLAIN: Mapping[str, Json] = {
    "address": _text("The definition."),
    "below": _text("The option or field in it that was asked for."),
    "title": _text("Its label."),
    "spec": _mapping(
        "What the specs say.",
        {
            "state": _one_of("How it is declared.", ("full", "partial", "absent", "removed")),
            "source": _or_null(SOURCE),
            "meta": {"type": "object", "description": "Notes of its owners."},
            "exact": {"type": "boolean", "description": "Whether its list of options is exact."},
            "removals": _list({"type": "object", "description": "Address, reason and place."}, "Tombstones."),
        },
        ["state"],
    ),
    "live": _mapping(
        "What HubSpot says.",
        {
            "state": _one_of("Whether it is there.", ("present", "absent", "not_read")),
            "family": _text(
                "Whose it is: custom, default (a stage), global, stage, subscription, score, sync or local."
            ),
            "mayChange": _list(_text("Definition or options."), "What HubSpot lets a portal change."),
            "created": {"type": "object", "description": "When, and by which user."},
            "updated": {"type": "object", "description": "When last, and by which user."},
            "ids": {"type": "object", "description": "Of a stage: HubSpot's id, by object type."},
            "typeIds": _list({"type": ["integer", "null"]}, "Of a label: HubSpot's type ids, in both directions."),
            "detail": _text("Why it was not read."),
        },
        ["state"],
    ),
    "baseline": _mapping(
        "What was accepted.",
        {
            "state": _one_of("Whether it is in there.", ("present", "absent", "none")),
            "managed": {"type": "boolean", "description": "Whether the specs managed it then."},
            "acceptances": _list(ACCEPTANCE, "Who accepted what of it and why, oldest first."),
        },
        ["state", "managed"],
    ),
    "fields": _list(EXPLAINED_FIELD, "Its fields side by side."),
    "drift": _list(DRIFT_ITEM, "What moved of it, and by whom."),
    "change": _or_null(CHANGE),
    "ignore": _list(
        {"type": "object", "description": "Rule, reason, expiry and place."}, "Ignore rules that touch it."
    ),
    "protected": _list(_text("Pattern."), "Patterns of the settings that protect it."),
    "integrations": _list({"type": "object", "description": "Name, needs, what is unmet, and place."}, "Who needs it."),
}
_OUTCOME = {
    "outcome": _one_of("What became of it.", OUTCOMES),
    "partly": {"const": True, "description": "It failed after some of its requests had been carried out."},
    "error": ERROR,
    "message": _text("More about it."),
}
_APPLIED = {
    **CHANGE,
    "properties": {**CHANGE["properties"], **_OUTCOME},
    "required": [*CHANGE["required"], "outcome"],
}
DRIFT: Mapping[str, Json] = {
    "baseline": PLAN["baseline"],
    "failOn": FAIL_ON,
    "items": _list(DRIFT_ITEM, "What moved."),
    "coverage": COVERAGE,
    "model": MODEL,
    "muted": {"description": "Changes that follow from others, counted and not listed."},
    "normalised": {"description": "With --show-normalised: what is no drift, by rule."},
    "resolved": _list(RESOLVED, "With a history: what an earlier check found and this one did not."),
    "timeline": _list(POINT, "With a history: its checks, and this one last."),
    "newOnly": {"type": "boolean", "description": "Whether only new and reopened items are listed."},
    "held": {"type": "object", "description": "How many items --new-only left out, by state."},
    "summary": {"type": "object", "description": "Counts."},
}
PLANNED: Mapping[str, Json] = {
    "expiresAt": _text("After this the plan is not carried out any more.", format="date-time"),
    "comparison": _mapping("Of `diff`: what it compared, instead of a portal.", {"base": _COMMIT, "head": _COMMIT}),
}
_SUMMARY = {
    **SUMMARY["properties"],
    "outcomes": _mapping("Changes by outcome.", {one: _count(f"{one.capitalize()}.") for one in OUTCOMES}),
}
APPLY: Mapping[str, Json] = {
    "changes": _list(_APPLIED, "What happened, sorted by address."),
    "summary": {**SUMMARY, "properties": _SUMMARY},
    "receipt": _text("Name of the record of the run, below .reconciler/receipts/PORTAL/."),
    "cancelled": _text("How somebody ended the run."),
}


def saved_plan() -> dict[str, Json]:
    """The schema of a plan that can be carried out: with everything in it that an apply looks at."""
    field = {"required": ["path", "cause"]}
    change = {
        "required": ["preconditions", "dependsOn", "destroys", "remote"],
        "properties": {"fields": {"items": field}},
    }
    portal = {"type": "object", "required": ["name", "portalId", "apiVersion"]}
    needed = ("portal", "generatedAt", "expiresAt", "changes", "allowed", "findings", "errors", "summary", "digest")
    needs = {"required": list(needed), "properties": {"portal": portal, "changes": {"items": change}}}
    return {"allOf": [documents()["plan"], needs]}


def documents() -> dict[str, dict[str, Json]]:
    """The schema of each document that a run of these commands ends with."""
    return {
        "plan": _document("plan", "A plan; saved, it is what `apply` carries out.", {**PLAN, **PLANNED}),
        "apply": _document("apply", "What became of each change of a plan.", {**PLAN, **APPLY}),
        "drift": _document("drift", "What moved without us, and who moved it.", DRIFT),
        "fleet": _document("fleet", "What one command came to in many portals.", FLEET),
        "explain": _document("explain", "All about one definition.", EXPLAIN),
        "coverage": _document("coverage", "How much of the portal the specs hold.", {"coverage": COVERAGE}),
    }


def _document(kind: str, description: str, fields: Mapping[str, Json]) -> dict[str, Json]:
    head = {**HEAD, "kind": {"const": kind, "description": "Kind of document."}}
    return {
        "title": f"{kind.capitalize()} document of hubspot-reconciler",
        **_mapping(description, {**head, **fields}, ["formatVersion", "kind", "tool", "generatedAt", "errors", "exit"]),
    }
