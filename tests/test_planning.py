"""What a plan says beside its changes: what stops it, what the specs warn of, and names that nobody knows."""

import json
from pathlib import Path

import pytest
from small_portal import STATE, settle_in

from reconciler.cli import run
from reconciler.emulator import Portal, edit  # noqa: F401

FULL = "{label: %s, type: string, fieldType: text, groupName: contactinformation}"


@pytest.fixture(autouse=True)
def _workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def told(capsys, *words):
    """The exit code of a command, and what its document says."""
    capsys.readouterr()
    code = run([*words, "-q", "-o", "json"])
    return code, json.loads(capsys.readouterr().out)


def found(document):
    """Rule, severity, place and way out of each finding."""
    return [
        (one["rule"], one["severity"], f"{one['source']['line']}:{one['source']['column']}", one.get("fix", ""))
        for one in document["findings"]
    ]


def changes(document):
    return {change["address"]: change["action"] for change in document["changes"]}


def state():
    return Path(STATE).read_text("utf-8")


@pytest.mark.parametrize(
    "spec",
    [
        "properties: {contcts: {foo: {label: Foo, type: string, fieldType: text, groupName: foo}, bar: {label: B}}}\n",
        "propertyGroups: {contcts: {foo: {label: Foo}}}\n",
        "associationLabels: {contcts: {companies: {foo: {label: Foo}}}}\n",
    ],
)
def test_an_object_type_that_the_portal_lacks_stops_the_plan_before_anything_is_written(spec, capsys):
    """Whatever is declared of it, it is told once, with the name that may be meant."""
    settle_in(spec=spec + "lifecycleStages: [{name: lead, label: Very first}]\n")
    before = state()

    code, plan = told(capsys, "plan")

    assert code == 3
    assert [(rule, fix) for rule, _, _, fix in found(plan)] == [("absent-object-type", "did you mean contacts?")]
    assert plan["findings"][0]["message"] == "the portal has no object type contcts"
    assert told(capsys, "apply", "--auto-approve")[0] == 3
    assert state() == before
    assert not list(Path("specs").glob("baselines/*/*"))
