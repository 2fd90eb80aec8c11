"""The JSON Schemas of documents describe all that the commands print, and accept it."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from small_portal import STATE, settle_in

from reconciler import git
from reconciler.cli import run
from reconciler.emulator import Portal, edit, faults
from reconciler.schema import document_schema

TEXT = "type: string, fieldType: text, groupName: contactinformation"
SPEC = f"""\
properties:
  contacts:
    old: {{label: Old, {TEXT}}}
    tier:
      label: Tier
      type: enumeration
      fieldType: select
      groupName: contactinformation
      options: [{{value: free, label: Free}}, {{value: gold, label: Gold}}]
lifecycleStages:
  - {{name: trial, label: Trial}}
associationLabels: {{contacts: {{companies: {{billing: {{label: Billing contact, inverseLabel: Billed}}}}}}}}
"""
GONE = SPEC.replace(f"    old: {{label: Old, {TEXT}}}\n", "")
REMOVAL = "removed: [{address: properties/contacts/old, reason: sold}]\n"


def closed(schema):
    """The same schema, which refuses what it does not name."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    more = {"additionalProperties": False} if "object" in schema.get("type", ()) and schema.get("properties") else {}
    return {**more, **{key: closed(one) for key, one in schema.items()}}


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    """Runs a command and gives what its document says that its schema does not know or accept."""
    monkeypatch.chdir(tmp_path)
    settle_in(spec=SPEC)

    def told(*words, code=0):
        capsys.readouterr()
        assert run([*words, "-o", "json"]) == code
        document = json.loads(capsys.readouterr().out)
        validator = Draft7Validator(closed(document_schema(document["kind"])))
        return [(list(one.absolute_path), one.message) for one in validator.iter_errors(document)]

    return told


def test_a_schema_names_everything_that_its_documents_say(told):
    """Of plan, apply, drift, explain, coverage and fleet, with guards, refusals, errors, stages, labels and limits."""
    assert told("plan") == []
    assert told("apply", "--auto-approve") == []
    edit(Portal.open(STATE), "relabel", object="contacts", property="tier", label="Tier (old)")
    assert told("drift", "--fail-on", "medium", code=2) == []
    assert told("drift", "--history", "history.jsonl", "--limits", "--show-normalised", code=2) == []
    assert told("plan", "--on-conflict", "spec", "--allow-forget") == []
    Path("specs/spec.yaml").write_text(GONE + REMOVAL, "utf-8")
    assert told("plan", "--fail-on", "destructive", code=6) == []
    assert told("apply", "--auto-approve", code=6) == []
    assert told("explain", "lifecycleStages/trial") == []
    assert told("explain", "associationLabels/contacts/companies/billing") == []
    assert told("explain", "properties/contacts/tier") == []
    assert told("coverage") == []
    assert told("fleet", "plan") == []


def test_a_schema_names_what_a_conflict_says(told):
    """Specs, portal and baseline all differ: refused, shown with the baseline's value, and overruled."""
    assert told("apply", "--auto-approve") == []
    edit(Portal.open(STATE), "relabel", object="contacts", property="tier", label="Theirs")
    Path("specs/spec.yaml").write_text(SPEC.replace("label: Tier", "label: Ours"), "utf-8")

    assert told("plan", code=5) == []
    assert told("drift", code=2) == []
    assert told("explain", "properties/contacts/tier") == []
    assert told("fleet", "plan", code=5) == []
    assert told("apply", "--auto-approve", "--on-conflict", "spec") == []


def test_a_schema_names_what_was_compared(told):
    """The document of ``diff`` is a plan that is about no portal."""
    git.run(Path(), "init", "-q")
    git.run(Path(), "add", "specs")
    git.run(Path(), "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "-m", "first")
    Path("specs/spec.yaml").write_text(GONE + REMOVAL, "utf-8")

    assert told("diff", "--base-ref", "HEAD") == []


def test_a_schema_names_what_hubspot_said_of_a_refusal(told):
    """Status and category of HubSpot's answer stand in the change and among the errors."""
    portal = Portal.open(STATE)
    faults.add(portal, kind="status", status=403, method="POST", path="/crm/v3/properties", count=0)
    portal.save()

    assert told("apply", "--auto-approve", code=7) == []
