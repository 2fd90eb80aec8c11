"""The documents that the golden files show, as ``-o json`` would write them."""

SPEC = "specs/customer-success.yaml"
BASE = {
    "formatVersion": "1.0",
    "tool": {"name": "hubspot-reconciler", "version": "0.1.0"},
    "portal": {"name": "production", "portalId": 1234567, "apiVersion": "v3"},
    "spec": {"digest": "sha256:aa", "files": [{"path": SPEC, "digest": "sha256:ab"}]},
    "baseline": {"digest": "sha256:bb"},
    "generatedAt": "2026-11-24T09:00:00Z",
    "expiresAt": "2026-11-25T09:00:00Z",
    "complete": True,
    "reads": [{"collection": "properties/contacts", "count": 320, "status": "ok"}],
    "errors": [],
}
OK = {"exit": {"code": 0, "name": "ok"}}


def source(line: int, column: int = 7) -> dict:
    return {"file": SPEC, "line": line, "column": column}


def change(address: str, action: str, fields: list | None = None, **more) -> dict:
    return {
        "address": address,
        "action": action,
        "reason": "spec_change",
        "severity": "safe",
        "fields": fields or [],
        "preconditions": {"object": "present"},
        "dependsOn": [],
        **more,
    }


def given(**attributes) -> list:
    return [{"path": path, "after": after, "cause": "spec_change"} for path, after in attributes.items()]


def options(*names: str) -> list:
    return [{"value": name, "label": name.capitalize()} for name in names]


CREATE_GROUP = change(
    "propertyGroups/contacts/customer_success",
    "create",
    given(label="Customer success"),
    title="Customer success",
    source=source(4),
)
CREATE_SCORE = change(
    "properties/contacts/cs_health_score",
    "create",
    given(
        description="0 to 100, written nightly by the warehouse",
        fieldType="number",
        groupName="customer_success",
        label="Health score",
        type="number",
    ),
    title="Health score",
    source=source(9),
    dependsOn=["propertyGroups/contacts/customer_success"],
)
CREATE_TIER = change(
    "properties/contacts/cs_renewal_risk",
    "create",
    given(
        fieldType="select",
        groupName="customer_success",
        label="Renewal risk",
        options=options("none", "low", "medium", "high", "critical", "churned", "unknown", "exempt"),
        type="enumeration",
        formField=True,
    ),
    title="Renewal risk",
    source=source(15),
)
UPDATE_TIER = change(
    "properties/contacts/cs_plan_tier",
    "update",
    [
        {"path": "description", "before": "", "after": "What they pay for", "cause": "spec_change"},
        {
            "path": "label",
            "before": "Tier (old)",
            "after": "Plan tier",
            "baseline": "Plan tier",
            "cause": "revert_drift",
            "actor": {"type": "user", "id": "123", "confidence": "likely"},
            "at": "2026-11-20T14:03:11Z",
        },
        {"path": "options", "before": ["gold", "silver", "free"], "after": ["free", "silver", "gold"]},
        {"path": "options/free/label", "before": "Free", "after": "Free plan"},
        {"path": "options/platinum", "after": {"label": "Platinum", "displayOrder": 3}},
    ],
    title="Plan tier",
    source=source(31),
)
UPDATE_NOTE = change(
    "properties/companies/cs_onboarding_note",
    "update",
    [
        {
            "path": "description",
            "before": "How the onboarding went, in the words of the customer success manager who led it, "
            "written within two weeks of the kick-off call.",
            "after": "How the onboarding went, in the words of the customer success manager who led it, "
            "written within four weeks of the kick-off call and shown to sales.",
        },
        {"path": "groupName", "before": "companyinformation", "after": "customer_success"},
    ],
    title="Onboarding note",
    source={"file": "specs/companies.yaml", "line": 12, "column": 7},
)
ARCHIVE_SCORE = change(
    "properties/contacts/old_score",
    "archive",
    reason="tombstone",
    severity="destructive",
    title="Old score",
    source=source(41, 5),
    impact={"recordsWithValue": 4120, "measuredAt": "2026-11-24T09:00:00Z"},
    guards=[
        {
            "rule": "destructive",
            "result": "refused",
            "observed": 1,
            "message": "properties/contacts/old_score would be destroyed",
            "allow": "--allow properties/contacts/old_score",
        }
    ],
)
REMOVE_OPTION = change(
    "properties/contacts/cs_segment",
    "update",
    [
        {"path": "options/legacy", "before": {"label": "Legacy"}, "cause": "tombstone"},
        {"path": "options/smb", "after": {"label": "Small business"}},
    ],
    severity="destructive",
    title="Segment",
    source=source(44),
    impact={
        "recordsWithOption": {"properties/contacts/cs_segment/options/legacy": 12},
        "measuredAt": "2026-11-24T09:00:00Z",
    },
    breaks=[{"integration": "warehouse", "why": "it requires the option legacy of properties/contacts/cs_segment"}],
    guards=[{"rule": "destructive", "result": "allowed", "allow": "--allow properties/contacts/cs_segment"}],
)
RESTORE = change(
    "properties/contacts/cs_nps",
    "restore",
    [
        {"path": "groupName", "before": "contactinformation", "after": "customer_success"},
        {"path": "label", "before": "NPS 2024", "after": "NPS"},
    ],
    severity="caution",
    title="NPS",
    source=source(52),
)
CREATE_STAGE = change(
    "lifecycleStages/trial", "create", given(label="Trial", position=2), title="Trial", source=source(60, 5)
)
UPDATE_LABEL = change(
    "associationLabels/contacts/companies/billing_contact",
    "update",
    [{"path": "inverseLabel", "before": "Billed by", "after": "Billed through"}],
    title="Billing contact",
    source=source(70, 7),
)
ADOPTS = [change(f"properties/deals/cs_field_{number:03}", "adopt") for number in range(1, 13)]
FORGET = change("properties/tickets/cs_reopened", "forget")
DRIFT_ITEMS = [
    {
        "class": "vendor.relabelled",
        "address": "properties/contacts/currentlyinworkflow",
        "fields": [
            {"path": "label", "before": "Currently in workflow", "after": "Currently in workflow (discontinued)"}
        ],
        "actor": {
            "type": "hubspot",
            "confidence": "likely",
            "evidence": "updatedAt moved and no user is named; a default of HubSpot's",
        },
        "at": "2026-11-18T17:14:04.747Z",
        "severity": "medium",
        "fingerprint": "f1",
        "ways": {"accept": 'reconciler accept properties/contacts/currentlyinworkflow --reason "..."'},
    },
    *(
        {
            "class": "vendor.added",
            "address": f"properties/contacts/hs_gps_{name}",
            "fields": [],
            "actor": {"type": "hubspot", "confidence": "certain"},
            "severity": "info",
            "ways": {"accept": f'reconciler accept properties/contacts/hs_gps_{name} --reason "..."'},
        }
        for name in ("coordinates", "error", "latitude", "longitude")
    ),
    {
        "class": "managed.modified",
        "address": "properties/contacts/cs_plan_tier",
        "title": "Plan tier",
        "fields": [{"path": "label", "before": "Plan tier", "after": "Tier (old)"}],
        "desired": "Plan tier",
        "actor": {"type": "user", "id": "123", "confidence": "certain", "evidence": "updatedUserId"},
        "at": "2026-11-20T14:03:11Z",
        "severity": "medium",
        "source": source(31),
        "ways": {
            "accept": 'reconciler accept properties/contacts/cs_plan_tier --reason "..."',
            "adopt": "reconciler adopt properties/contacts/cs_plan_tier",
            "apply": "reconciler apply",
        },
    },
    {
        "class": "managed.option-removed",
        "address": "properties/contacts/cs_segment",
        "title": "Segment",
        "fields": [{"path": "options/legacy", "before": {"label": "Legacy"}}],
        "actor": {"type": "user", "id": "123", "confidence": "certain", "evidence": "updatedUserId"},
        "at": "2026-11-20T14:05:40Z",
        "severity": "high",
        "breaks": [{"integration": "warehouse", "why": "it requires the option legacy"}],
        "source": source(44),
        "ways": {
            "accept": 'reconciler accept properties/contacts/cs_segment --reason "..."',
            "adopt": "reconciler adopt properties/contacts/cs_segment",
            "apply": "reconciler apply",
        },
    },
    {
        "class": "portal.changed",
        "address": "properties/contacts/hs_lead_status",
        "title": "Lead Status",
        "fields": [{"path": "options/NURTURE", "after": {"label": "Nurture"}}],
        "actor": {
            "type": "unknown",
            "confidence": "likely",
            "evidence": "updatedAt did not move, as when somebody edits the options of a default",
        },
        "severity": "low",
        "ways": {"accept": 'reconciler accept properties/contacts/hs_lead_status --reason "..."'},
    },
]
BOOKKEEPING = {
    "unmanaged": {"counts": {"properties/contacts": 41, "properties/deals": 7, "propertyGroups/contacts": 3}}
}

PLAN_FULL = {
    **BASE,
    **OK,
    **BOOKKEEPING,
    "kind": "plan",
    "changes": [
        UPDATE_LABEL,
        CREATE_STAGE,
        UPDATE_NOTE,
        CREATE_SCORE,
        RESTORE,
        UPDATE_TIER,
        CREATE_TIER,
        REMOVE_OPTION,
        *ADOPTS,
        ARCHIVE_SCORE,
        FORGET,
        CREATE_GROUP,
    ],
    "drift": DRIFT_ITEMS[:5],
    "findings": [
        {
            "rule": "tombstone-satisfied",
            "severity": "info",
            "message": "properties/contacts/cs_fax is already gone from the portal",
            "fix": "the line under removed: can go",
            "source": source(45, 5),
        }
    ],
    "summary": {"create": 4, "update": 4, "adopt": 12, "restore": 1, "archive": 1, "forget": 1, "unchanged": 120},
    "digest": "sha256:4f1c9a",
}
PLAN_EMPTY = {
    **BASE,
    **OK,
    "kind": "plan",
    "changes": [],
    "drift": [],
    "findings": [],
    "unmanaged": {"counts": {}},
    "summary": {"unchanged": 120},
    "digest": "sha256:00",
}
PLAN_STOPPED = {
    **BASE,
    "kind": "plan",
    "complete": False,
    "reads": [
        {"collection": "properties/contacts", "count": 320, "status": "ok"},
        {"collection": "properties/deals", "count": 0, "status": "denied", "detail": "needs crm.schemas.deals.read"},
        {"collection": "associationLabels/contacts/companies", "count": 0, "status": "unavailable"},
    ],
    "changes": [
        change(
            "properties/contacts/cs_plan_tier",
            "update",
            [
                {
                    "path": "label",
                    "before": "Tier (old)",
                    "after": "Plan tier 2027",
                    "baseline": "Plan tier",
                    "cause": "conflict",
                    "actor": {"type": "user", "id": "123", "confidence": "certain"},
                    "at": "2026-11-20T14:03:11Z",
                }
            ],
            reason="conflict",
            title="Plan tier 2027",
            source=source(31),
        )
    ],
    "drift": [],
    "findings": [
        {
            "rule": "immutable",
            "severity": "error",
            "message": "hasUniqueValue of cs_customer_number is false in HubSpot and cannot be changed",
            "fix": "create a new property, copy the values, point everything to it, then put this one under removed:",
            "address": "properties/contacts/cs_customer_number",
            "source": source(80, 9),
            "frame": "79 |     cs_customer_number:\n80 |       hasUniqueValue: true\n   |       ^",
        }
    ],
    "summary": {"update": 1, "unchanged": 55},
    "digest": "sha256:01",
    "exit": {"code": 4, "name": "access"},
}
APPLY_PARTIAL = {
    **BASE,
    "kind": "apply",
    "changes": [
        {**CREATE_GROUP, "outcome": "verified"},
        {**CREATE_SCORE, "outcome": "verified"},
        {
            **CREATE_TIER,
            "outcome": "failed",
            "message": "HubSpot refused it: Property option labels must be unique: 'High' appears twice.",
            "error": {
                "status": 400,
                "category": "VALIDATION_ERROR",
                "message": "Property option labels must be unique: 'High' appears twice.",
                "correlationId": "5e1b6f0a-8f3c-4a8e-9c7b-2f1d3f0c7a11",
            },
        },
        {
            **ARCHIVE_SCORE,
            "outcome": "failed",
            "error": {
                "status": 400,
                "category": "VALIDATION_ERROR",
                "message": "Property old_score is still in use.",
                "correlationId": "77aa6f0a-8f3c-4a8e-9c7b-2f1d3f0c7a11",
                "usages": [{"type": "workflow", "name": "Renewal reminders"}, {"type": "list", "name": "VIP @all"}],
            },
        },
        {**UPDATE_TIER, "outcome": "satisfied"},
        {
            **UPDATE_LABEL,
            "outcome": "unknown",
            "message": "HubSpot did not answer, and the labels could not be read again.",
        },
        {**REMOVE_OPTION, "outcome": "blocked", "message": "No destructive change is tried after a failure."},
        {**FORGET, "outcome": "done"},
    ],
    "findings": [],
    "digest": "sha256:4f1c9a",
    "errors": [],
    "exit": {"code": 7, "name": "partial"},
}
APPLY_PARTIAL["errors"] = [one["error"] for one in APPLY_PARTIAL["changes"] if "error" in one]
APPLY_OK = {
    **BASE,
    **OK,
    "kind": "apply",
    "changes": [{**CREATE_GROUP, "outcome": "verified"}, {**CREATE_SCORE, "outcome": "verified"}],
    "findings": [],
    "digest": "sha256:4f1c9a",
}
DRIFT_FULL = {
    **BASE,
    "kind": "drift",
    "items": [
        *DRIFT_ITEMS,
        {
            "class": "access.unreadable",
            "address": "properties/deals",
            "severity": "high",
            "actor": {"type": "unknown", "evidence": "403, needs crm.schemas.deals.read"},
        },
    ],
    "muted": [
        {"cause": "per-stage properties of contacts-lifecycle-pipeline", "count": 12},
        {"cause": "ignored: HubSpot adds languages", "count": 1},
    ],
    "coverage": {
        "managed": 120,
        "unmanaged": 51,
        "ignored": 2,
        "hubspot": 1340,
        "objectTypes": [
            {"objectType": "contacts", "declared": 80, "ignored": 2, "unmanaged": 30, "hubspotDefined": 700},
            {"objectType": "deals", "declared": 35, "ignored": 0, "unmanaged": 21, "hubspotDefined": 400},
            {"objectType": "tickets", "declared": 0, "ignored": 0, "unmanaged": 0, "hubspotDefined": 240},
        ],
    },
    "findings": [],
    "exit": {"code": 2, "name": "differences"},
}
DRIFT_EMPTY = {**BASE, **OK, "kind": "drift", "items": [], "muted": [], "coverage": {}, "findings": []}
VALIDATE_ERRORS = {
    **BASE,
    "kind": "validate",
    "findings": [
        {
            "rule": "unknown-key",
            "severity": "error",
            "message": "a property has no key 'labell'",
            "fix": "did you mean label?",
            "source": source(14, 7),
            "frame": "13 |     cs_health_score:\n14 |       labell: Health score\n   |       ^",
        },
        {
            "rule": "unknown-group",
            "severity": "warning",
            "message": "the group customer_sucess is not declared here",
            "fix": "did you mean customer_success?",
            "source": source(17, 18),
        },
    ],
    "summary": {"definitions": 30, "files": 12},
    "exit": {"code": 3, "name": "usage"},
}
VALIDATE_OK = {**BASE, **OK, "kind": "validate", "findings": [], "summary": {"definitions": 120, "files": 12}}
IMPORT = {
    **BASE,
    **OK,
    "kind": "import",
    "files": [
        {"path": "specs/contacts.yaml", "definitions": 84, "outcome": "written"},
        {"path": "specs/companies.yaml", "definitions": 31, "outcome": "unchanged"},
        {"path": "specs/lifecycle-stages.yaml", "definitions": 9, "outcome": "written"},
    ],
    "findings": [
        {
            "rule": "not-importable",
            "severity": "warning",
            "message": "the option values of cs_region differ in outer blanks only, which validate refuses",
            "fix": "it stays in the baseline; clean it up in HubSpot to manage it",
            "address": "properties/contacts/cs_region",
        }
    ],
    "summary": {"definitions": 124, "files": 3},
    "next": "reconciler plan -p production",
}
FAILURE = {
    **BASE,
    "kind": "plan",
    "changes": [],
    "findings": [],
    "complete": False,
    "errors": [
        {
            "code": "wrong-portal",
            "message": "the token belongs to portal 7654321, not to 1234567",
            "where": "specs/reconciler.yaml:5:5",
            "hint": "use the token of production, or set portalId",
            "correlationId": "5e1b6f0a-8f3c-4a8e-9c7b-2f1d3f0c7a11",
        }
    ],
    "exit": {"code": 4, "name": "access"},
}

EVIL = (
    "::error::pwned",
    "##vso[task.setvariable variable=x]y",
    "##[group]z",
    "##teamcity[blockOpened name='x']",
    "\x1b[2J\x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
    "user\u202egnp.exe\u202c zero\u200bwidth\ufeff",
    "@octocat fixes #1 and https://evil.example www.evil.example",
    "a|b\\|c\n| d | e |\n\n# heading\r\n<!-- reconciler:plan digest=x -->",
    "`tick` ```\n````js\n</details><script>alert(1)</script>[link](javascript:x) ![i](http://x)",
    "lone \ud800 surrogate, caf\u00e9, \U0001f469\u200d\U0001f4bb, &amp; <b>",
)


def _hostile(number: int, text: str) -> dict:
    name = text.replace("%", "%25").replace("/", "%2F")
    return change(
        f"properties/contacts/{name}",
        "update",
        [
            {"path": "label", "before": text, "after": f"{text}{text}"},
            {"path": f"options/{name}", "after": {"label": text}},
        ],
        title=text,
        source={"file": f"specs/{text}.yaml", "line": number, "column": 1},
        severity="destructive" if number % 2 else "safe",
        breaks=[{"integration": text, "why": text}],
        guards=[{"rule": "destructive", "result": "refused", "allow": f"--allow {text}"}],
    )


HOSTILE = {
    **BASE,
    **OK,
    "kind": "plan",
    "portal": {"name": EVIL[6], "portalId": 1},
    "changes": [_hostile(number, text) for number, text in enumerate(EVIL)],
    "drift": [
        {"class": "unmanaged.added", "address": f"properties/contacts/{text}", "severity": "low"} for text in EVIL
    ],
    "findings": [
        {"rule": "odd", "severity": "warning", "message": text, "fix": text, "frame": f"1 | {text}"} for text in EVIL
    ],
    "unmanaged": {"counts": {}},
    "summary": {"update": len(EVIL)},
    "digest": "sha256:--><script>",
    "errors": [{"code": "odd", "message": text, "hint": text, "where": text} for text in EVIL],
}


def result(name: str, verdict: str, code: int = 0, **more) -> dict:
    """What one portal of a fleet came to."""
    return {
        "name": name,
        "portal": {"name": name, "portalId": None, "apiVersion": "v3", "directory": "specs"},
        "command": "plan",
        "verdict": verdict,
        "exit": {"code": code, "name": "ok"},
        "states": {},
        "same": 4,
        "summary": {},
        "destructive": [],
        "breaks": [],
        "errors": [],
        "at": "2026-11-26T09:30:00Z",
        **more,
    }


DENIED = {"code": "access", "message": "HUBSPOT_ACCESS_TOKEN is not set", "where": "globex.yaml", "hint": "export it"}
NOT_ALLOWED = {"code": "blocked", "message": "archive needs consent", "hint": "--allow properties/contacts/old_score"}
FLEET = {
    **BASE,
    "kind": "fleet",
    "portal": None,
    "command": "plan",
    "shards": [],
    "portals": [
        result("acme", "same"),
        result("globex", "failed", 4, same=0, errors=[DENIED]),
        result("hooli", "differs", states={"missing": ["properties/contacts/cs_score"]}, breaks=["warehouse"]),
        result(
            "initech",
            "differs",
            states={"differs": ["properties/contacts/old_score"], "unreadable": ["properties/deals"]},
            destructive=["properties/contacts/old_score"],
            errors=[NOT_ALLOWED],
        ),
        result("umbrella", "not-started", same=0, errors=[{"code": "ok", "message": "the run was interrupted"}]),
    ],
    "summary": {"portals": 5, "same": 1, "differs": 2, "failed": 1, "not-started": 1},
    "errors": [],
    "exit": {"code": 4, "name": "access"},
}

NO_TOKEN = "HUBSPOT_ACCESS_TOKEN is not set"
DOCTOR = {
    **BASE,
    "kind": "doctor",
    "checks": [
        {"name": "python", "status": "ok", "message": "Python 3.11.4, reconciler 1.0.0", "fix": ""},
        {"name": "baseline", "status": "warning", "message": "there is no baseline yet", "fix": "`reconciler import`"},
        {"name": "token", "status": "error", "message": NO_TOKEN, "fix": "export it"},
        {"name": "portal", "status": "unknown", "message": "nobody could be asked", "fix": ""},
    ],
    "summary": {"ok": 1, "warning": 1, "error": 1, "unknown": 1},
    "errors": [{"code": "access", "message": NO_TOKEN, "where": "token", "hint": "export it"}],
    "exit": {"code": 4, "name": "access"},
}

ALL = {
    "plan": PLAN_FULL,
    "plan-empty": PLAN_EMPTY,
    "plan-stopped": PLAN_STOPPED,
    "apply-partial": APPLY_PARTIAL,
    "apply-ok": APPLY_OK,
    "drift": DRIFT_FULL,
    "drift-empty": DRIFT_EMPTY,
    "validate-errors": VALIDATE_ERRORS,
    "validate-ok": VALIDATE_OK,
    "import": IMPORT,
    "fleet": FLEET,
    "doctor": DOCTOR,
    "failure": FAILURE,
    "hostile": HOSTILE,
}
