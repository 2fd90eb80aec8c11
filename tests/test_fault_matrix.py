"""Every bad day of HubSpot's on every sort of request: the exit code, the document, and what the portal holds after.

A row is a sort of request in a small story, a column is a fault that strikes it for ever, or once. By default a seventh
of the cells is played, and reads are struck for ever only; ``RECONCILER_NIGHTLY`` plays each cell both ways.
"""

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.cli import run
from reconciler.emulator import Portal, edit, faults

STATE = Path(".reconciler/demo.json")
SETTINGS = f"version: 1\nportals: {{demo: {{emulator: {STATE}}}}}\nwatch: []\n"
NIGHTLY = bool(os.environ.get("RECONCILER_NIGHTLY"))

GROUP = "propertyGroups: {contacts: {g: {label: G}}}\n"


def field(name, label=None, more=""):
    return f"    {name}: {{label: {label or name}, type: string, fieldType: text, groupName: g{more}}}\n"


def fields(*lines):
    return GROUP + "properties:\n  contacts:\n" + "".join(lines)


def tier(*values):
    options = ", ".join(f"{{value: {value}, label: {value.upper()}}}" for value in values)
    return fields(f"    tier: {{label: T, type: enumeration, fieldType: select, groupName: g, options: [{options}]}}\n")


def stages(**labels):
    listed = "".join(f"  - {{name: {name}, label: {label}}}\n" for name, label in labels.items())
    return "lifecycleStages:\n  - {name: lead}\n" + listed


def labels(**texts):
    return "associationLabels:\n  contacts:\n    companies:\n" + "".join(
        f"      {name}: {{label: {text}, inverseLabel: {text} of}}\n" for name, text in texts.items()
    )


def removed(address):
    return f"removed: [{{address: {address}, reason: gone}}]\n"


ONE, OLD = "properties/contacts/one", "propertyGroups/contacts/old"
SUNSET, BILLING = "lifecycleStages/sunset", "associationLabels/contacts/companies/billing"


@dataclass(frozen=True)
class Row:
    """A sort of request: specs before and after, what strikes it, and what it means for the run."""

    before: str
    after: str
    method: str
    path: str
    role: str
    nth: int = 1
    allow: str = ""
    happens: str = ""  # an edit between the two

    @property
    def collection(self) -> str:
        """The kind of definition that a list is of."""
        kinds = {"/groups": "propertyGroups/", "/pipelines": "lifecycleStages/", "/labels": "associationLabels/"}
        return next((kind for part, kind in kinds.items() if part in self.path), "properties/")


LIST = "/crm/v3/properties/contacts$"
PIPELINES = "/crm/v3/pipelines/contacts$"
LABELS = "/crm/v4/associations/contacts/companies/labels$"
CREATE = fields(field("one"))
ROWS = {
    "account": Row("", CREATE, "GET", "/account-info/", "identity"),
    "token": Row("", CREATE, "POST", "access-token-info", "advice"),
    "limits": Row("", CREATE, "GET", "/crm/v3/limits/", "advice"),
    "count": Row(CREATE, GROUP + removed(ONE), "POST", "/search", "advice", allow=ONE),
    "property list": Row("", CREATE, "GET", LIST, "list"),
    "archived list": Row(CREATE, CREATE, "GET", LIST, "list", nth=2, happens="archive"),
    "group list": Row("", CREATE, "GET", "/groups$", "list"),
    "lifecycle of contacts": Row("", stages(trial="Trial"), "GET", PIPELINES, "list"),
    "lifecycle of companies": Row("", stages(trial="Trial"), "GET", "/pipelines/companies$", "list"),
    "labels there": Row("", labels(billing="Billing"), "GET", LABELS, "list"),
    "labels back": Row("", labels(billing="Billing"), "GET", "/companies/contacts/labels$", "list"),
    "batch create": Row(GROUP, fields(field("one"), field("two")), "POST", "/batch/create", "batch"),
    "single create": Row(GROUP, CREATE, "POST", LIST, "write"),
    "restore": Row(CREATE, CREATE, "POST", LIST, "write", happens="archive"),
    "update": Row(CREATE, fields(field("one", "Uno")), "PATCH", "/one$", "write"),
    "options before their update": Row(tier("a", "b"), tier("a", "b", "c"), "GET", "/contacts/tier$", "look"),
    "options": Row(tier("a", "b"), tier("a", "b", "c"), "PATCH", "/contacts/tier$", "write"),
    "archive": Row(CREATE, GROUP + removed(ONE), "DELETE", "/one$", "write", allow=ONE),
    "group create": Row("", GROUP, "POST", "/groups$", "write"),
    "group update": Row(GROUP, GROUP.replace("label: G", "label: Great"), "PATCH", "/groups/g$", "write"),
    "group archive": Row(
        "propertyGroups: {contacts: {old: {label: Old}}}\n", removed(OLD), "DELETE", "/groups/old$", "write", allow=OLD
    ),
    "stage create": Row("", stages(trial="Trial"), "POST", "/contacts-lifecycle-pipeline/stages$", "write"),
    "lifecycle before a stage": Row("", stages(trial="Trial"), "GET", PIPELINES, "look", nth=2),
    "stage update": Row(stages(trial="Trial"), stages(trial="Test"), "PATCH", "/contacts-lifecycle", "write"),
    "stage delete": Row(
        stages(sunset="Sunset"), removed(SUNSET), "DELETE", "/contacts-lifecycle", "write", allow=SUNSET
    ),
    "label create": Row("", labels(billing="Billing"), "POST", LABELS, "write"),
    "labels before a create": Row("", labels(billing="Billing"), "GET", LABELS, "look", nth=2),
    "label update": Row(labels(billing="Billing"), labels(billing="Invoices"), "PUT", LABELS, "write"),
    "label delete": Row(labels(billing="Billing"), removed(BILLING), "DELETE", "/labels/", "write", allow=BILLING),
    "read back": Row(GROUP, GROUP.replace("label: G", "label: Great"), "GET", "/groups$", "read back", nth=2),
}

PATIENCE = "retried"
DAY, DOUBT, LATE, DENIED, NOBODY, PART = "the day is over", "in doubt", "in doubt, and done", "denied", "401", "a part"
FAULTS = {
    "429": ({"status": 429}, PATIENCE),
    "429 with Retry-After": ({"status": 429, "retryAfter": 2}, PATIENCE),
    "429 of the day": ({"status": 429, "policyName": "DAILY"}, DAY),
    "423": ({"status": 423}, PATIENCE),
    "477": ({"status": 477, "retryAfter": 3}, PATIENCE),
    "500": ({"status": 500}, DOUBT),
    "502": ({"status": 502}, DOUBT),
    "503": ({"status": 503}, DOUBT),
    "504": ({"status": 504}, DOUBT),
    "500 after the effect": ({"status": 500, "when": "after"}, LATE),
    "time-out": ({"kind": "timeout"}, DOUBT),
    "time-out after the effect": ({"kind": "timeout", "when": "after"}, LATE),
    "dropped": ({"kind": "drop"}, DOUBT),
    "dropped after the effect": ({"kind": "drop", "when": "after"}, LATE),
    "broken JSON": ({"kind": "broken_json"}, DOUBT),
    "broken JSON after the effect": ({"kind": "broken_json", "when": "after"}, LATE),
    "HTML": ({"kind": "html"}, DOUBT),
    "truncated": ({"kind": "truncate", "when": "after"}, LATE),
    "403": ({"kind": "forbidden"}, DENIED),
    "401": ({"status": 401}, NOBODY),
    "a page of a list": ({"kind": "page", "when": "after"}, PART),
}
EXIT = {  # of a fault that strikes for ever
    #             retried  day  doubt  done  denied  401
    "identity": (8, 8, 8, 8, 4, 4),
    "advice": (8, 8, 8, 8, 0, 4),
    "list": (8, 8, 8, 8, 4, 4),
    "look": (8, 8, 8, 8, 4, 4),
    "write": (8, 8, 7, 0, 4, 4),
    "batch": (8, 8, 0, 0, 4, 4),  # what is in doubt is looked up, and then made one by one
    "read back": (7, 7, 7, 7, 7, 7),
}
COLUMNS = (PATIENCE, DAY, DOUBT, LATE, DENIED, NOBODY)


def expected(role, sort, for_ever):
    """The exit code of a cell."""
    if sort == PART:
        return 8 if for_ever else 0
    if not for_ever and sort in (PATIENCE, DOUBT, LATE):
        return 0
    if not for_ever and role == "advice" and sort == DENIED:
        return 0
    if not for_ever and role == "read back" and sort in (DAY, DENIED):
        return 0  # what does not show is looked for a little longer
    return EXIT[role][COLUMNS.index(sort)]


def ways(role):
    if NIGHTLY or role in ("write", "batch"):
        return (True, False)
    return (True,)


CELLS = [
    pytest.param(row, fault, for_ever, id=f"{row}-{fault}-{'for ever' if for_ever else 'once'}")
    for row, one in ROWS.items()
    for fault, (_, sort) in FAULTS.items()
    for for_ever in ways(one.role)
    if sort != PART or one.role == "list"
]
if not NIGHTLY:  # each row, each fault, and both ways of a write, in a seventh of the combinations
    CELLS = [cell for number, cell in enumerate(CELLS) if number % 7 == 0]


@pytest.fixture(scope="module")
def stories():
    """What each row's portal holds before the run, and after one that nothing struck."""
    return {}


@pytest.fixture(autouse=True)
def _workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RECONCILER_SPECS", raising=False)
    Path("specs").mkdir()
    Path("specs/reconciler.yaml").write_text(SETTINGS, "utf-8")
    STATE.parent.mkdir()


def words(row):
    return ["apply", "-q", "--auto-approve", *(["--allow", row.allow] if row.allow else []), "-o", "json:out.json"]


def declared(text):
    Path("specs/all.yaml").write_text(text or "{}", "utf-8")


def story(name, stories):
    """The files at the start of a row, and what an unbroken run makes of the portal."""
    row = ROWS[name]
    if name not in stories:
        Portal.open(STATE, seed="empty").save()
        declared(row.before)
        assert run(["apply", "-q", "--auto-approve"]) == 0
        if row.happens:
            edit(Portal.open(STATE), row.happens, object="contacts", property="one")
        kept = {
            path: path.read_bytes() for path in Path().rglob("*") if path.is_file() and "receipts" not in path.parts
        }
        declared(row.after)
        assert run(words(row)) == 0
        stories[name] = kept, held()
        for folder in ("specs", ".reconciler"):
            shutil.rmtree(folder)
    kept, after = stories[name]
    for path, content in kept.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    declared(row.after)
    return after


def held():
    """What the portal holds, without ids and times."""
    state = Portal.open(STATE).state
    kept = {key: state[key] for key in ("objects", "pipelines", "labels")}
    kept["objects"] = {one: state["objects"][one] for one in ("0-1", "0-2")}
    text = json.dumps(kept, sort_keys=True)
    return re.sub(r'"[0-9]{9}"|[0-9]{9}|"20[0-9T:.-]+Z"|[0-9]+\.[0-9]+|hs_v2_[a-z_]+_[0-9]{9}', "*", text)


def strike(rule, row, for_ever):
    portal = Portal.open(STATE)
    made = {"method": row.method, "path": row.path, "nth": row.nth, "count": 0 if for_ever else 1, **rule}
    faults.add(portal, **made)
    portal.save()


def healed():
    portal = Portal.open(STATE)
    portal.state["faults"].clear()
    portal.save()


@pytest.mark.parametrize(("name", "fault", "for_ever"), CELLS)
def test_each_fault_on_each_request(name, fault, for_ever, stories):
    """The exit code of the table, the same in the document, one outcome a change, and the next run finishes."""
    row, (rule, sort) = ROWS[name], FAULTS[fault]
    after = story(name, stories)
    strike(rule, row, for_ever)

    code = run(words(row))

    document = json.loads(Path("out.json").read_text("utf-8"))
    assert (code, document["exit"]["code"]) == (expected(row.role, sort, for_ever),) * 2
    if document["kind"] == "apply" and "changes" in document:
        assert all(change["outcome"] != "blocked" for change in document["changes"])
    if row.role == "list" and code:
        kind = ROWS[name].collection  # unreadable is never absent: other lists may have changes, this one has none
        assert [one["address"] for one in document.get("changes", ()) if one["address"].startswith(kind)] == []
    healed()
    assert run(words(row)) == 0
    assert held() == after
