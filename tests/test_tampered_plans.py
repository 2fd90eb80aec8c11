"""Plans that somebody changed on purpose, digest and all: refused, in words, before anything is written."""

import hashlib
import json
import os
import shutil
from contextlib import suppress
from copy import deepcopy
from pathlib import Path

import pytest
from small_portal import STATE, settle_in

from reconciler.cli import run

SPEC = """
propertyGroups: {contacts: {g: {label: G}}}
properties:
  contacts:
    one: {label: One, type: string, fieldType: text, groupName: g}
    tier: {label: Tier, type: enumeration, fieldType: select, groupName: g, options: [OPTIONS]}
lifecycleStages: [{name: trial, label: Trial}, {name: pilot, label: Pilot}]
associationLabels: {contacts: {companies: {payer: {label: Pays, inverseLabel: Paid by}}}}
"""
OPTIONS = "{value: a, label: A}, {value: b, label: B}"
REMOVED = """
propertyGroups: {contacts: {g: {label: G}}}
properties: {contacts: {tier: {label: Level}}}
removed:
  - {address: properties/contacts/one, reason: gone}
  - {address: lifecycleStages/trial, reason: gone}
  - {address: associationLabels/contacts/companies/payer, reason: gone}
"""
ONE, TIER = "properties/contacts/one", "properties/contacts/tier"
STAGE, LABEL = "lifecycleStages/trial", "associationLabels/contacts/companies/payer"


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory):
    """A folder with a plan that relabels one property, and archives another, a stage and a label, all of it allowed."""
    home, folder = Path.cwd(), tmp_path_factory.mktemp("reviewed")
    os.chdir(folder)
    settle_in(spec=SPEC.replace("OPTIONS", OPTIONS))
    assert run(["apply", "-q", "--auto-approve"]) == 0
    Path("specs/spec.yaml").write_text(REMOVED, "utf-8")
    allow = [word for address in (ONE, STAGE, LABEL) for word in ("--allow", address)]
    assert run(["plan", "-q", *allow, "-o", "json:plan.json"]) == 0
    os.chdir(home)
    return folder


@pytest.fixture
def plan(reviewed, tmp_path, monkeypatch, capsys):
    """The reviewed plan, in a copy of that folder."""
    shutil.copytree(reviewed, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RECONCILER_SPECS", raising=False)
    return json.loads(Path("plan.json").read_text("utf-8"))


def signed(document):
    """The document with the digest that somebody who knows how would give it."""
    kept = ("path", "before", "after")
    touched = [
        {
            "address": change["address"],
            "action": change["action"],
            "expects": change["preconditions"]["object"],
            "fields": [{key: one[key] for key in kept if key in one} for one in change["fields"]],
            "remote": change["remote"],
        }
        for change in document["changes"]
    ]
    text = json.dumps(
        [document["portal"]["portalId"], touched], ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return {**document, "digest": "sha256:" + hashlib.sha256(text.encode()).hexdigest()}


def change_of(document, address):
    return next(change for change in document["changes"] if change["address"] == address)


def with_change(address, /, **parts):
    """Changes parts of one change."""

    def tamper(document):
        change_of(document, address).update(parts)

    return tamper


def with_field(address, /, **field):
    """Adds a field to a change."""

    def tamper(document):
        change_of(document, address)["fields"].append({"cause": "spec_change", **field})

    return tamper


def remote_of(address, /, **parts):
    def tamper(document):
        change_of(document, address)["remote"].update(parts)

    return tamper


def another_id(document):
    """The ids of the stage that nobody wants to lose."""
    stages = json.loads(STATE.read_text("utf-8"))["pipelines"]["0-1"]["contacts-lifecycle-pipeline"]["stages"]
    pilot = next(stage["id"] for stage in stages if stage["label"] == "Pilot")
    change_of(document, STAGE)["remote"]["ids"] = {"contacts": pilot, "companies": pilot}


def twice(document):
    document["changes"].append(deepcopy(document["changes"][0]))


def without(name):
    def tamper(document):
        del document[name]

    return tamper


TAMPERED = {
    "no changes": (without("changes"), 3),
    "no summary": (without("summary"), 3),
    "no findings": (without("findings"), 3),
    "no errors": (without("errors"), 3),
    "no portal": (without("portal"), 3),
    "no digest": (without("digest"), 3),
    "no expiry": (without("expiresAt"), 3),
    "no consent": (without("allowed"), 3),
    "changes are text": (lambda document: document.update(changes="all"), 3),
    "a change is a number": (lambda document: document.update(changes=[7]), 3),
    "an expiry without a zone": (lambda document: document.update(expiresAt="2090-01-01T00:00:00"), 3),
    "an expiry that is none": (lambda document: document.update(expiresAt="tomorrow"), 3),
    "an expiry for ever": (lambda document: document.update(expiresAt="2090-01-01T00:00:00Z"), 5),
    "made in days to come": (
        lambda document: document.update(generatedAt="2090-01-01T00:00:00Z", expiresAt="2090-01-02T00:00:00Z"),
        5,
    ),
    "no portal id": (lambda document: document["portal"].update(portalId=None), 5),
    "another portal id": (lambda document: document["portal"].update(portalId=7), 5),
    "another portal name": (lambda document: document["portal"].update(name="other"), 5),
    "another API version": (lambda document: document["portal"].update(apiVersion="2026-03"), 5),
    "another major version": (lambda document: document.update(formatVersion="2.0"), 3),
    "a major version of odd digits": (lambda document: document.update(formatVersion="²"), 3),
    "an unknown kind of definition": (with_change(TIER, address="workflows/x/y"), 3),
    "an address above": (with_change(TIER, address="properties/contacts/.."), 3),
    "an address without a name": (with_change(TIER, address="properties/contacts/"), 3),
    "an address that is too deep": (with_change(TIER, address=TIER + "/options/a"), 3),
    "an unknown action": (with_change(TIER, action="purge"), 3),
    "an archive that expects nothing": (with_change(ONE, preconditions={"object": "absent", "fields": []}), 3),
    "no preconditions": (with_change(TIER, preconditions=None), 3),
    "a change twice": (twice, 3),
    "less risk": (with_change(ONE, severity="safe"), 5),
    "an unknown risk": (with_change(ONE, severity="none"), 3),
    "a destruction less": (with_change(STAGE, destroys=[]), 5),
    "an archive instead": (with_change(TIER, action="archive"), 5),
    "another object type": (remote_of(TIER, objectType="companies"), 5),
    "a way out of the object type": (remote_of(TIER, objectType="contacts/../companies"), 5),
    "an object type that is a list": (remote_of(TIER, objectType=["contacts"]), 3),
    "no ids": (with_change(LABEL, remote={"from": "contacts", "to": "companies"}), 3),
    "ids that are text": (remote_of(LABEL, typeIds=["1"]), 3),
    "the other way": (remote_of(LABEL, to="contacts"), 5),
    "the ids of another stage": (another_id, 5),
    "the ids of HubSpot's stage": (remote_of(STAGE, ids={"contacts": "customer", "companies": "customer"}), 5),
    "a name for a field": (with_field(TIER, path="name", after="email"), 3),
    "a field of no kind": (with_field(TIER, path="archived", after=True), 3),
    "another value for an option": (with_field(TIER, path="options/a/value", after="z"), 3),
    "a whole new list": (with_field(TIER, path="options", after=[{"value": "z", "label": "Z"}]), 5),
    "an order of other options": (with_field(TIER, path="options", before=["a", "b"], after=["z"]), 5),
    "an order that is none": (with_field(TIER, path="options", before=["a"], after=[["a"]]), 3),
    "a list of numbers": (with_field(TIER, path="options", before=["a"], after=7), 3),
    "an option without a label": (with_field(TIER, path="options/z", after={}), 3),
    "an option that goes": (with_field(TIER, path="options/a", before={"label": "A"}), 5),
    "another type": (with_field(TIER, path="type", before="enumeration", after="string"), 5),
    "a field without a cause": (lambda document: change_of(document, TIER)["fields"][0].pop("cause"), 3),
    "a field twice": (with_field(TIER, path="label", before="Tier", after="Level"), 3),
    "an open conflict": (lambda document: change_of(document, TIER)["fields"][0].update(cause="conflict"), 5),
    "an odd severity of a finding": (lambda document: document.update(findings=[{"severity": 1}]), 3),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_tampered_plan_is_refused(plan, name, capsys):
    """Whatever was changed in it, by somebody who can make a digest: a reason in words, and not one write."""
    tamper, code = TAMPERED[name]
    tamper(plan)
    with suppress(KeyError, TypeError):  # there may be nothing left that could be signed
        plan = signed(plan) if "digest" in plan else plan
    Path("plan.json").write_text(json.dumps(plan), "utf-8")
    before = STATE.read_bytes()

    ended = run(["apply", "-q", "plan.json", "-o", "json:apply.json"])

    said = capsys.readouterr().err
    assert (ended, json.loads(Path("apply.json").read_text("utf-8"))["exit"]["code"]) == (code, code), said
    assert "internal error" not in said
    assert STATE.read_bytes() == before


def test_the_untampered_plan_is_carried_out(plan):
    """What the others are tampered from works, under the same digest; what a later version adds does no harm."""
    assert signed(plan)["digest"] == plan["digest"]
    plan["changes"][0]["guards"].append({"rule": "r", "result": "passed", "new": 1})
    Path("plan.json").write_text(json.dumps({**plan, "formatVersion": "1.9", "added": True}), "utf-8")

    assert run(["apply", "-q", "plan.json"]) == 0


def test_the_digest_is_looked_at(plan, capsys):
    """A change without a new digest is found, however small."""
    change_of(plan, TIER)["fields"][0]["after"] = "Leve1"
    Path("plan.json").write_text(json.dumps(plan), "utf-8")

    assert run(["apply", "-q", "plan.json"]) == 5
    assert "does not match its digest" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ('{"kind": "plan", "kind": "plan"}', "a key twice"),
        ('{"limit": NaN}', "NaN is no number"),
        ("[" * 100_000, "is not JSON"),
        ("1" * 5000, "is not JSON"),
        ("[]", "is not a document of this tool"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(plan, text, said, capsys):
    """Broken JSON, keys that say two things, numbers that are none, and nesting without end."""
    Path("plan.json").write_text(text, "utf-8")

    assert run(["apply", "-q", "plan.json"]) == 3
    assert said in capsys.readouterr().err


def test_protection_holds_against_a_plan_that_was_allowed(plan):
    """The settings protect whatever a plan says it may destroy."""
    settings = Path("specs/reconciler.yaml")
    settings.write_text(settings.read_text("utf-8") + f"protected: [{STAGE}]\n", "utf-8")
    before = STATE.read_bytes()

    assert run(["apply", "-q", "plan.json"]) == 6
    assert STATE.read_bytes() == before
