"""Lists without a baseline: drift and the doctor name them, and nobody takes silence for peace."""

import json
import shlex
from pathlib import Path

import pytest

from reconciler.cli import run
from reconciler.emulator import Portal, edit

STATE = ".reconciler/demo.json"
SETTINGS = f"version: 1\nportals: {{demo: {{emulator: {STATE}}}}}\nwatch: [contacts]\n"
SPEC = """properties:
  contacts:
    tier: {label: Tier, type: string, fieldType: text, groupName: contactinformation}
"""
HOT = {"name": "hot", "label": "Hot", "type": "string", "fieldType": "text", "groupName": "lead_information"}


@pytest.fixture
def says(tmp_path, monkeypatch, capsys):
    """Runs a command in a directory whose spec is applied, and gives what it printed."""
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/reconciler.yaml").write_text(SETTINGS)
    Path("specs/all.yaml").write_text(SPEC)
    assert run(["apply", "--auto-approve", "-q"]) == 0

    def run_it(*words, code=0):
        capsys.readouterr()
        assert run(list(words)) == code, capsys.readouterr()
        out, err = capsys.readouterr()
        return out + err

    return run_it


def lose(name):
    Path(f"specs/baselines/demo/{name}.json").unlink()


def watch(types):
    Path("specs/reconciler.yaml").write_text(SETTINGS.replace("[contacts]", types))


def test_a_lost_baseline_is_no_peace(says):
    """A list whose baseline is gone is named, with the way out, and ends with 3 however much moved in it."""
    edit(Portal.open(STATE), "archive", object="contacts", property="tier")
    lose("properties.contacts")

    said = says("drift", code=3)

    assert "error [usage] there is no baseline of properties/contacts, so nobody can tell what moved there" in said
    assert "fix: reconciler accept 'properties/contacts/*' --reason \"...\"\n" in said
    assert said.startswith("Drift of demo")
    assert "Nothing moved in what could be compared." in said
    assert "No drift in what could be compared. 1 error." in said


def test_a_type_that_is_watched_from_now_on_has_no_baseline(says):
    """An object type that was added to `watch` is named in every format until somebody accepts what is there."""
    watch("[contacts, leads]")
    edit(Portal.open(STATE), "create", object="leads", definition=HOT)
    told = "there is no baseline of properties/leads and propertyGroups/leads"

    for form in ("text", "json", "jsonl", "markdown", "html", "junit", "sarif", "github", "gitlab-codequality"):
        assert told in says("drift", "-o", form, code=3), form
    says("accept", "properties/leads/*", "propertyGroups/leads/*", "--reason", "watched from now on")
    says("drift")
    edit(Portal.open(STATE), "archive", object="leads", property="hot")
    assert "unmanaged.removed" in says("drift", "-o", "json", code=2)


def test_what_a_saved_plan_wrote_is_known_by_itself(says, tmp_path):
    """After a saved plan the rest of its lists has no baseline: a warning says so, and what was applied is no drift."""
    for file in Path("specs/baselines/demo").glob("properties*"):
        file.unlink()
    Path("specs/all.yaml").write_text(SPEC.replace("Tier,", "Level,"))
    says("plan", "-o", "json:plan.json")
    says("apply", "plan.json")
    says("accept", "propertyGroups/*/*", "--reason", "only these")

    said = says("drift")

    assert "warning [baseline-in-part] of properties/contacts the baseline holds only what was applied, so" in said
    assert "fix: reconciler accept 'properties/contacts/*' --reason \"...\"\n" in said


def test_a_declared_type_without_a_baseline_is_named(says):
    """An object type that is declared and not watched is named as soon as its list is looked at."""
    more = "  leads:\n    hot: {label: Hot, type: string, fieldType: text, groupName: lead_information}\n"
    Path("specs/all.yaml").write_text(SPEC + more)
    says("apply", "--auto-approve")
    says("drift")
    lose("properties.leads")

    assert "there is no baseline of properties/leads, so" in says("drift", code=3)


def test_the_command_that_is_named_ends_it(says):
    """What drift names as the way out begins the baseline of these lists, and of nothing else."""
    edit(Portal.open(STATE), "relabel", object="contacts", property="tier", label="Level")
    watch("[contacts, leads]")
    (error,) = json.loads(says("drift", "-o", "json", code=3))["errors"]

    says(*shlex.split(error["hint"])[1:])

    assert [one["address"] for one in json.loads(says("drift", "-o", "json", code=2))["items"]] == [
        "properties/contacts/tier"
    ]


def test_a_partial_check_asks_only_for_what_it_looks_at(says):
    """With `--only` a list that nobody asked about may be without a baseline."""
    watch("[contacts, leads]")

    says("drift", "--only", "properties/contacts/*")
    says("drift", "--only", "properties/leads/hot", code=3)


def test_the_doctor_names_them(says):
    """A baseline that lacks lists is not well."""
    watch("[contacts, leads]")
    lose("lifecycleStages")

    said = says("doctor")

    assert "✓ baseline" not in said
    lists = "lifecycleStages/companies, lifecycleStages/contacts, properties/leads and propertyGroups/leads"
    assert f"there is no baseline of {lists}" in " ".join(said.split())
