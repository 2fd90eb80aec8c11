"""Laws 5 and 6 of CONTRACT 7, on a saved plan and a portal that somebody edits before it is applied.

``RECONCILER_EXAMPLES=1000`` tries that many; without it a few that are always the same.
"""

import copy
import io
import json
import os
import shutil
import tempfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_portal import PROPERTY, STAGE, STATE, definitions, settle_in

from reconciler import receipts
from reconciler.cli import run
from reconciler.emulator import Portal, edit

EXAMPLES = int(os.environ.get("RECONCILER_EXAMPLES", "0"))
TEXT = {"type": "string", "fieldType": "text", "groupName": "g"}
LIST = {"type": "enumeration", "fieldType": "select", "groupName": "g"}
BASE = {
    "propertyGroups": {"contacts": {"g": {"label": "G"}, "h": {"label": "H"}}},
    "properties": {
        "contacts": {
            "memo": {**TEXT, "label": "Memo", "description": "A memo"},
            "old": {**TEXT, "label": "Old"},
            "tier": {**LIST, "label": "Tier", "options": [{"value": one, "label": one} for one in "abc"]},
            "apart": {**TEXT, "label": "Apart"},
        }
    },
    "lifecycleStages": [{"name": "trial", "label": "Trial"}],
    "associationLabels": {"contacts": {"companies": {"payer": {"label": "Pays", "inverseLabel": "Paid by"}}}},
    "removed": [],
}


def at(spec, *keys):
    for key in keys:
        spec = spec[key]
    return spec


def contacts(spec, name):
    return at(spec, "properties", "contacts", name)


def remove(spec, address):
    spec["removed"].append({"address": address, "reason": "gone"})


def archived(spec):
    del spec["properties"]["contacts"]["old"]
    remove(spec, PROPERTY.format("old"))


def option_removed(spec):
    del contacts(spec, "tier")["options"][2]
    remove(spec, PROPERTY.format("tier/options/c"))


CHANGES = {  # what the specs want by the time of the plan
    "relabelled": lambda spec: contacts(spec, "memo").update(label="Minutes"),
    "reworded": lambda spec: contacts(spec, "memo").update(description="The minutes"),
    "moved": lambda spec: contacts(spec, "memo").update(groupName="h"),
    "archived": archived,
    "created": lambda spec: at(spec, "properties", "contacts").update(new={**TEXT, "label": "New"}),
    "option added": lambda spec: contacts(spec, "tier")["options"].append({"value": "d", "label": "d"}),
    "option relabelled": lambda spec: contacts(spec, "tier")["options"][0].update(label="Ah"),
    "an option removed": option_removed,
    "stage renamed": lambda spec: spec["lifecycleStages"][0].update(label="Pilot"),
    "label renamed": lambda spec: at(spec, "associationLabels", "contacts", "companies", "payer").update(label="Owes"),
}
TIER, MEMO = {"object": "contacts", "property": "tier"}, {"object": "contacts", "property": "memo"}
EDITS = {  # what somebody does then, and how an apply of all the changes ends
    "relabels what is relabelled": ("relabel", {**MEMO, "label": "Notes"}, 5),
    "relabels it as the specs do": ("relabel", {**MEMO, "label": "Minutes"}, 0),
    "moves it to where it goes": ("move", {**MEMO, "group": "h"}, 0),
    "hides what is relabelled": ("hide", MEMO, 0),
    "archives what is relabelled": ("archive", MEMO, 5),
    "relabels what is archived": ("relabel", {"object": "contacts", "property": "old", "label": "Older"}, 5),
    "archives what is archived": ("archive", {"object": "contacts", "property": "old"}, 0),
    "relabels what nobody touches": ("relabel", {"object": "contacts", "property": "apart", "label": "Far"}, 0),
    "makes what is created": ("create", {"object": "contacts", "definition": {**TEXT, "name": "new", "label": "X"}}, 5),
    "makes something else": ("create", {"object": "contacts", "definition": {**TEXT, "name": "x", "label": "X"}}, 0),
    "adds the option that is added": ("add-option", {**TIER, "value": "d", "label": "Dee"}, 5),
    "adds another option": ("add-option", {**TIER, "value": "e", "label": "e"}, 0),
    "relabels the option that is relabelled": ("relabel-option", {**TIER, "value": "a", "label": "Ay"}, 5),
    "relabels another option": ("relabel-option", {**TIER, "value": "b", "label": "Bee"}, 0),
    "relabels the option that is removed": ("relabel-option", {**TIER, "value": "c", "label": "Sea"}, 5),
    "removes the option that is removed": ("remove-option", {**TIER, "value": "c"}, 0),
    "renames the stage that is renamed": ("rename-stage", {"stage": "trial", "label": "Test"}, 5),
    "deletes the stage that is renamed": ("delete-stage", {"stage": "trial"}, 5),
    "renames another stage": ("rename-stage", {"stage": "lead", "label": "Leads"}, 0),
    "renames the label that is renamed": (
        "rename-label",
        {"start": "contacts", "end": "companies", "label": "Pays", "text": "Pays up", "inverse": "Paid by"},
        5,
    ),
    "deletes the label that is renamed": (
        "delete-label",
        {"start": "contacts", "end": "companies", "label": "Pays"},
        5,
    ),
}


def told(*words):
    """The exit code and the document of a command."""
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()):
        code = run([*words, "-q", "-o", "json"])
    return code, json.loads(out.getvalue())


def write(spec):
    Path("specs/spec.yaml").write_text(json.dumps(spec), "utf-8")


@cache
def begun():
    """Every file of a folder in which the base was applied."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        settle_in(spec=json.dumps(BASE))
        assert told("apply", "--auto-approve")[0] == 0
        shutil.rmtree(".reconciler/receipts")
        return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def planned(names):
    """A saved plan of some changes, with consent to what it destroys."""
    for path, content in begun().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    spec = copy.deepcopy(BASE)
    for name in names:
        CHANGES[name](spec)
    write(spec)
    code, document = told("plan")
    assert code == 0, document
    lost = [address for change in document["changes"] for address in change["destroys"]]
    code, document = told("plan", *(word for address in lost for word in ("--allow", address)))
    assert code == 0
    Path("plan.json").write_text(json.dumps(document), "utf-8")
    return document


def edited(name):
    """Somebody steps in."""
    play, words, _ = EDITS[name]
    words = {**words}
    if words.get("stage") == "trial":
        words["stage"] = next(one for one in live() if one.startswith("lifecycleStages/1")).rpartition("/")[2]
    edit(Portal.open(STATE), play, **words)


def live():
    return definitions(STATE.read_text("utf-8"))


def flat(found):
    """Every value of a portal by its address and path; that something is there at all is one of them."""
    values = {}
    for address, one in found.items():
        values[address, ""] = True
        values |= {(address, key): value for key, value in one.items() if key != "options"}
        for value, option in one.get("options", {}).items():
            values[address, f"options/{value}"] = True
            values[address, f"options/{value}/label"] = option["label"]
    return values


def moved(before, after):
    one, other = flat(before), flat(after)
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def covers(planned, key):
    """Whether a planned field speaks of a value: of itself, of what is below it, or of the whole it is a part of."""
    address, path = key
    return any(
        one == address
        and ("" in (path, field) or f"{path}/".startswith(f"{field}/") or f"{field}/".startswith(f"{path}/"))
        for one, field in planned
    )


def fields_of(document):
    """What a plan writes; a stage goes by its id in the portal. A thing that comes or goes is written whole."""
    found = set()
    for change in document["changes"]:
        ids = change["remote"].get("ids", {}).values()
        whole = change["action"] != "update"
        for address in (change["address"], *map(STAGE.format, ids)):
            found |= {
                (address, "" if whole else {"inverseLabel": "inverse"}.get(one["path"], one["path"]))
                for one in change["fields"]
            }
    return found


@settings(max_examples=EXAMPLES or 10, derandomize=not EXAMPLES, deadline=None, database=None)
@given(st.sets(st.sampled_from(sorted(CHANGES)), min_size=1), st.sampled_from(sorted(EDITS)))
def test_an_edit_in_between_is_irrelevant_or_nothing_is_written(names, step):
    """And what an apply writes is in its plan: each change ends in one outcome, each write is in the receipt."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        plan = planned(sorted(names))
        before = live()
        edited(step)
        between = live()

        code, document = told("apply", "plan.json")

        after, written = live(), fields_of(plan)
        relevant = {key for key in moved(before, between) if covers(written, key)}
        assert code in (0, 5), document["errors"]
        if code == 5:
            assert relevant, "nothing that the plan writes had moved"
            assert after == between
            assert not Path(".reconciler/receipts").exists()
            return
        values = flat(after)
        for key in moved(before, between) - relevant:
            assert values.get(key) == flat(between).get(key), key
        assert all(covers(written, key) for key in moved(between, after)), moved(between, after)
        outcomes = {change["address"]: change["outcome"] for change in document["changes"]}
        assert outcomes.keys() == {change["address"] for change in plan["changes"]}
        assert len(document["changes"]) == len(outcomes)
        assert set(outcomes.values()) <= {"satisfied", "verified", "done"}
        receipt = receipts.newest(Path(".reconciler/receipts/demo"))
        sent = {one for event in receipts.events(receipt) for one in event.get("addresses", ())} if receipt else set()
        assert sent == {address for address, word in outcomes.items() if word != "satisfied"}


@pytest.mark.parametrize("step", EDITS)
def test_each_edit_against_all_changes(step, tmp_path, monkeypatch):
    """The exit code that each edit has before a plan of every change is applied."""
    monkeypatch.chdir(tmp_path)
    planned(sorted(CHANGES))
    edited(step)

    assert told("apply", "plan.json")[0] == EDITS[step][2]
