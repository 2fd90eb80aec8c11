"""What lies archived under a declared name comes back, whatever it looks like."""

import json
from pathlib import Path

import pytest

from reconciler import emulator
from reconciler.cli import run

STATE = ".reconciler/demo.json"
SETTINGS = f"version: 1\nportals: {{demo: {{emulator: {STATE}}}}}\nwatch: [contacts]\n"
SPEC = (
    "propertyGroups: {contacts: {g: {label: G}}}\n"
    "properties: {contacts: {score: {label: %s, type: number, fieldType: number, groupName: g}}}\n"
)


def archived(tmp_path, monkeypatch, label):
    """Somebody archived the property that was applied; the specs declare it, with some label."""
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/reconciler.yaml").write_text(SETTINGS, "utf-8")
    Path("specs/contacts.yaml").write_text(SPEC % "Score", "utf-8")
    assert run(["apply", "--auto-approve", "-q"]) == 0
    emulator.edit(emulator.Portal.open(Path(STATE)), "archive", object="contacts", property="score")
    Path("specs/contacts.yaml").write_text(SPEC % label, "utf-8")


@pytest.mark.parametrize("label", ["Score", "Points"])
def test_an_archived_definition_is_restored(tmp_path, monkeypatch, capsys, label):
    """A definition that lies archived just as it is declared is no less gone than one that differs."""
    archived(tmp_path, monkeypatch, label)
    capsys.readouterr()

    assert run(["plan", "--detailed-exitcode", "-o", "json"]) == 2

    (change,) = json.loads(capsys.readouterr().out)["changes"]
    assert (change["address"], change["action"]) == ("properties/contacts/score", "restore")
    assert run(["apply", "--auto-approve", "-q"]) == 0
    definition = emulator.Portal.open(Path(STATE)).definitions("0-1")["properties"]["score"]
    assert definition["label"] == label
    assert run(["plan", "--detailed-exitcode"]) == 0


def test_a_property_with_options_is_restored_beside_a_baseline(tmp_path, monkeypatch, capsys):
    """What the baseline holds of the options is compared with the whole list that a restore sends."""
    monkeypatch.chdir(tmp_path)
    options = "[{value: a, label: A}, {value: b, label: B}]"
    entry = f"tier: {{label: Tier, type: enumeration, fieldType: select, groupName: g, options: {options}}}"
    Path("specs").mkdir()
    Path("specs/reconciler.yaml").write_text(SETTINGS, "utf-8")
    Path("specs/contacts.yaml").write_text(
        f"propertyGroups: {{contacts: {{g: {{label: G}}}}}}\nproperties: {{contacts: {{{entry}}}}}\n", "utf-8"
    )
    assert run(["apply", "--auto-approve", "-q"]) == 0
    emulator.edit(emulator.Portal.open(Path(STATE)), "archive", object="contacts", property="tier")

    assert run(["apply", "--auto-approve", "-q"]) == 0

    definition = emulator.Portal.open(Path(STATE)).definitions("0-1")["properties"]["tier"]
    assert [option["value"] for option in definition["options"]] == ["a", "b"]
    assert run(["plan", "--detailed-exitcode"]) == 0


def test_a_restore_clears_what_is_declared_as_null(tmp_path, monkeypatch):
    """The description that lies archived does not come back, and the next plan is empty."""
    monkeypatch.chdir(tmp_path)
    spec = (
        "propertyGroups: {contacts: {g: {label: G}}}\n"
        "properties: {contacts: {tier: {label: Tier, type: enumeration, fieldType: select, groupName: g,"
        " description: %s, options: [{value: a, label: A}]}}}\n"
    )
    Path("specs").mkdir()
    Path("specs/reconciler.yaml").write_text(SETTINGS, "utf-8")
    Path("specs/contacts.yaml").write_text(spec % "Old", "utf-8")
    assert run(["apply", "--auto-approve", "-q"]) == 0
    emulator.edit(emulator.Portal.open(Path(STATE)), "archive", object="contacts", property="tier")
    Path("specs/contacts.yaml").write_text(spec % "null", "utf-8")

    assert run(["apply", "--auto-approve", "-q"]) == 0

    definition = emulator.Portal.open(Path(STATE)).definitions("0-1")["properties"]["tier"]
    assert definition["description"] == ""
    assert run(["plan", "--detailed-exitcode", "-q"]) == 0


def test_a_restore_lists_as_changes_only_what_changes(tmp_path, monkeypatch, capsys):
    """What comes back as it lies archived is named in one line; a document holds all that is sent."""
    archived(tmp_path, monkeypatch, "Points")
    capsys.readouterr()

    assert run(["plan", "-o", "json:plan.json"]) == 0

    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if "→" in line] == ['label  "Score" → "Points"']
    assert " ".join(lines).count("As it lies archived: description, displayOrder, externalOptions, fieldType") == 1
    (change,) = json.loads(Path("plan.json").read_text("utf-8"))["changes"]
    assert len(change["fields"]) == 10
