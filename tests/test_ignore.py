"""Ignore rules through the command line: the same meaning in plan, apply and drift, and never in silence."""

import json
from datetime import date
from pathlib import Path

import pytest

from reconciler import emulator
from reconciler.cli import run
from reconciler.ignore import IgnoreRule, copied, in_force
from reconciler.model import Resource, Snapshot

STATE = ".reconciler/demo.json"
SETTINGS = f"version: 1\nportals: {{demo: {{emulator: {STATE}}}}}\nwatch: [contacts]\n"
GROUP = "propertyGroups: {contacts: {g: {label: G}}}\n"
TIER = (
    "properties:\n  contacts:\n    tier: {label: Tier, type: enumeration, fieldType: select, groupName: g, "
    "options: {exact: true, values: [{value: a, label: A}, {value: b, label: B}]}}\n"
)
X, Y = "properties/contacts/x", "properties/contacts/y"


@pytest.fixture(autouse=True)
def directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    ignoring()
    Path("specs/contacts.yaml").write_text(GROUP + TIER, "utf-8")


def ignoring(*rules):
    lines = "".join(f"  - {{{rule}}}\n" for rule in rules)
    Path("specs/reconciler.yaml").write_text(SETTINGS + (f"ignore:\n{lines}" if rules else ""), "utf-8")


def document(capsys, *argv):
    capsys.readouterr()
    code = run([*argv, "-o", "json"])
    return code, json.loads(capsys.readouterr().out)


def applied():
    assert run(["apply", "--auto-approve", "-q"]) == 0


def edit(name, **words):
    emulator.edit(emulator.Portal.open(Path(STATE)), name, object="contacts", **words)


def live_options():
    definition = emulator.Portal.open(Path(STATE)).definitions("0-1")["properties"]["tier"]
    return [option["value"] for option in definition["options"]]


def findings(document):
    return [(one["rule"], one["severity"]) for one in document["findings"]]


def test_an_ignored_option_stays_in_plan_apply_and_drift(capsys):
    """An exact list would remove what a colleague added; a rule for it leaves it alone everywhere."""
    applied()
    edit("add-option", property="tier", value="c", label="C")
    assert [one["action"] for one in document(capsys, "plan")[1]["changes"]] == ["update"]
    assert document(capsys, "drift")[0] == 2
    ignoring("address: properties/contacts/tier/options/c, reason: theirs")

    code, plan = document(capsys, "plan")

    assert (code, plan["changes"], plan["drift"], plan["findings"]) == (0, [], [], [])
    applied()
    assert live_options() == ["a", "b", "c"]
    code, drift = document(capsys, "drift")
    assert (code, drift["items"], drift["findings"]) == (0, [], [])
    assert drift["muted"] == [{"cause": "ignored: theirs", "count": 1, "addresses": ["properties/contacts/tier"]}]
    edit("remove-option", property="tier", value="c")
    assert document(capsys, "drift")[1]["muted"] == []


def test_an_ignored_field_drifts_in_silence_and_the_others_aloud(capsys):
    """HubSpot's own property: its label may move, its group may not."""
    ignoring("address: properties/contacts/jobtitle, fields: [label], reason: translated")
    applied()
    assert run(["accept", "--all", "--reason", "start", "-q"]) == 0
    edit("relabel", property="jobtitle", label="Role")
    assert document(capsys, "drift")[0] == 0
    edit("move", property="jobtitle", group="sales_properties")

    code, drift = document(capsys, "drift")

    assert code == 2
    paths = [[one["path"] for one in item["fields"]] for item in drift["items"]]
    assert paths == [["groupName"]]


def test_a_whole_definition_can_be_ignored(capsys):
    """What comes and goes under a pattern is nobody's business."""
    applied()
    assert run(["accept", "--all", "--reason", "start", "-q"]) == 0
    definition = {"name": "tmp_a", "label": "A", "type": "string", "fieldType": "text", "groupName": "g"}
    edit("create", definition=definition)
    assert document(capsys, "drift")[0] == 2
    ignoring("address: 'properties/contacts/tmp_*', reason: scratch")

    assert document(capsys, "drift")[0] == 0


def test_a_rule_holds_through_its_last_day(capsys):
    """Afterwards it holds no more, and every command says so."""
    applied()
    edit("add-option", property="tier", value="c", label="C")
    ignoring("address: properties/contacts/tier/options/c, reason: theirs, expires: 2020-02-29")

    plan = document(capsys, "plan")[1]
    code, drift = document(capsys, "drift")

    assert [one["action"] for one in plan["changes"]] == ["update"]
    assert findings(plan) == [("ignore-expired", "warning")]
    assert plan["findings"][0]["source"]["line"] == 5
    assert (code, findings(drift)) == (2, [("ignore-expired", "warning")])
    assert findings(document(capsys, "validate")[1]) == [("ignore-expired", "warning")]
    rule = IgnoreRule(X, "r", expires=date(2027, 6, 30))
    assert in_force([rule], date(2027, 6, 30)) == (rule,)
    assert in_force([rule], date(2027, 7, 1)) == ()


def test_a_rule_that_covers_nothing_is_reported(capsys):
    """A typing error in an address or a field would otherwise never be found."""
    applied()
    ignoring("address: properties/contacts/jobtitel, reason: typo", "address: properties/contacts/jobtitle, reason: ok")

    plan, drift = document(capsys, "plan")[1], document(capsys, "drift")[1]

    assert findings(plan) == findings(drift) == [("ignore-unused", "info")]
    assert plan["exit"]["code"] == 0


def test_drift_says_what_is_wrong_with_the_specs(capsys):
    """Somebody who reads the log of a schedule need not run another command to know; and each thing is said once.

    While nothing moved, nobody has to know what the specs say.
    """
    applied()
    ignoring("address: properties/contacts/tier, reason: theirs")
    assert run(["drift", "-q"]) == 0
    edit("add-option", property="tier", value="c", label="C")
    capsys.readouterr()
    ignoring("address: properties/contacts/tier, reason: theirs")

    assert run(["drift"]) == 3
    wrong = capsys.readouterr().err
    ignoring("address: properties/contacts/tier")
    assert run(["drift"]) == 3
    lacking = capsys.readouterr().err

    assert "properties/contacts/tier is declared at specs/" in wrong
    assert "fix: drop one of the two" in wrong
    assert lacking.count("add `reason:`") == 1


@pytest.mark.parametrize(
    ("rule", "where"),
    [
        ("address: properties/contacts/tier", "properties/contacts/tier"),
        ("address: 'properties/*/t*', fields: [label]", "properties/contacts/tier/label"),
        ("address: properties/contacts/tier, fields: [options]", "properties/contacts/tier/options"),
        ("address: properties/contacts/tier/options/b", "properties/contacts/tier/options/b"),
        ("address: propertyGroups/contacts", "propertyGroups/contacts/g"),
        ("address: properties/contacts/old", "properties/contacts/old"),
    ],
)
@pytest.mark.parametrize("command", ["validate", "plan", "apply"])
def test_what_is_declared_cannot_be_ignored(capsys, rule, where, command):
    """Both places are named, and nothing is asked of the portal."""
    removed = "removed: [{address: properties/contacts/old, reason: gone}]\n"
    Path("specs/contacts.yaml").write_text(GROUP + TIER + removed, "utf-8")
    ignoring(f"{rule}, reason: r")

    code, found = document(capsys, command, *(["--auto-approve"] if command == "apply" else []))

    assert code == 3
    (finding,) = found["findings"]
    assert finding["rule"] == "ignored-declared"
    assert finding["message"].startswith(f"{where} is ")
    assert "specs/contacts.yaml:" in finding["message"]
    assert finding["source"] == {"file": "specs/reconciler.yaml", "line": 5, "column": 5}


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("address: properties/contacts/x", "reason"),
        ("address: properties/contacts/x, reason: r, expires: 2027-02-30", "there is no day 2027-02-30"),
        ("address: properties/contacts/x, reason: r, until: 2027-02-28", "until"),
    ],
)
def test_a_rule_is_checked_like_every_setting(capsys, rule, message):
    """A rule without a reason, with a day that is none or with an unknown key is an error."""
    ignoring(rule)

    code, found = document(capsys, "validate")

    assert code == 3
    assert message in found["findings"][0]["message"]


def prop(address, **attributes):
    return Resource("properties", address, attributes)


OPTIONS = {"a": {"label": "A"}, "b": {"label": "B"}}


@pytest.mark.parametrize(
    ("rule", "before", "after", "expected"),
    [
        (IgnoreRule(X, "r"), [prop(X, label="1")], [prop(X, label="2")], {X: {"label": "1"}}),
        (IgnoreRule(X, "r"), [prop(X, label="1")], [], {X: {"label": "1"}}),
        (IgnoreRule(X, "r"), [], [prop(X, label="2"), prop(Y)], {Y: {}}),
        (IgnoreRule(X, "r", ("label",)), [], [prop(X, label="2")], {X: {"label": "2"}}),
        (IgnoreRule(X, "r", ("label",)), [prop(X, label="1", type="a")], [prop(X, label="2", type="b")],
         {X: {"label": "1", "type": "b"}}),
        (IgnoreRule(X, "r", ("label",)), [prop(X, type="a")], [prop(X, label="2", type="b")], {X: {"type": "b"}}),
        (IgnoreRule("properties/*/*", "r", ("hidden",)), [prop(X, hidden=True)], [prop(X, hidden=False)],
         {X: {"hidden": True}}),
        (IgnoreRule(X, "r", ("options",)), [prop(X, options=OPTIONS)], [prop(X, options={})],
         {X: {"options": OPTIONS}}),
        (IgnoreRule(f"{X}/options/a", "r"), [prop(X, options=OPTIONS)], [prop(X, options={})],
         {X: {"options": {"a": {"label": "A"}}}}),
        (IgnoreRule(f"{X}/options/*", "r", ("label",)), [prop(X, options=OPTIONS)],
         [prop(X, options={"a": {"label": "Z"}})], {X: {"options": {"a": {"label": "A"}}}}),
        (IgnoreRule(Y, "r"), [prop(X, label="1")], [prop(X, label="2")], {X: {"label": "2"}}),
    ],
)  # fmt: skip
def test_what_is_covered_is_as_it_was(rule, before, after, expected):
    """The later side gets what a rule covers from the earlier one, and nothing else."""
    kept = copied(Snapshot(before), Snapshot(after), [rule])

    assert {address: resource.attributes for address, resource in kept.items()} == expected


def test_an_option_that_is_kept_keeps_its_place():
    """Options have an order, and a rule does not change it."""
    old, new = ({value: {"label": value} for value in values} for values in ("abcd", "dca"))

    kept = copied(
        Snapshot([prop(X, options=old)]), Snapshot([prop(X, options=new)]), [IgnoreRule(f"{X}/options/b", "r")]
    )

    assert list(kept[X].attributes["options"]) == ["d", "c", "a", "b"]
