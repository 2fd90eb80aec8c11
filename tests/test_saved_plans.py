"""Reviewed means executed: saved plans, staleness, undo and receipts, through the command line."""

import json
import shutil
from pathlib import Path

import pytest

from reconciler import receipts
from reconciler.cli import run
from reconciler.emulator import Portal, edit, faults

STATE = ".reconciler/demo.json"
SPEC = """
propertyGroups: {{contacts: {{g: {{label: G}}}}}}
properties:
  contacts:
    one: {{label: {one}, type: string, fieldType: text, groupName: g}}
    two:
      label: {two}
      type: enumeration
      fieldType: select
      groupName: g
      options: {options}
"""
OPTIONS = "[{value: a, label: A}, {value: b, label: B}]"
PAYER = "associationLabels: {contacts: {companies: {payer: {label: Pays}}}}\n"
ONE, TWO = "properties/contacts/one", "properties/contacts/two"


def specs(one="One", two="Two", options=OPTIONS, extra=""):
    Path("specs").mkdir(exist_ok=True)
    portals = f"portals: {{demo: {{emulator: {STATE}}}, other: {{emulator: .reconciler/other.json}}}}\n"
    Path("specs/reconciler.yaml").write_text(f"version: 1\ndefaultPortal: demo\n{portals}watch: [contacts]\n", "utf-8")
    Path("specs/contacts.yaml").write_text(SPEC.format(one=one, two=two, options=options) + extra, "utf-8")


def planned(file="plan.json", *words, **spec):
    specs(**spec)
    assert run(["plan", "-q", "-o", f"json:{file}", *words]) == 0
    return json.loads(Path(file).read_text("utf-8"))


def changed(file, **parts):
    """The plan in a file with some parts changed by hand."""
    document = json.loads(Path(file).read_text("utf-8"))
    Path(file).write_text(json.dumps({**document, **parts}), "utf-8")


def live(name):
    return Portal.open(STATE).state["objects"]["0-1"]["properties"][name]


def writes():
    """How many times the portal was written to."""
    return sum(entry["method"] in ("PATCH", "PUT", "DELETE") for entry in Portal.open(STATE).log)


@pytest.fixture(autouse=True)
def _applied(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    specs()
    assert run(["apply", "-q", "--auto-approve"]) == 0
    capsys.readouterr()


@pytest.mark.parametrize("order", [("first.json", "second.json"), ("second.json", "first.json")])
def test_two_reviewed_plans_apply_in_either_order(order):
    """An apply of one plan does not void another one for different objects."""
    planned("first.json", one="Uno")
    planned("second.json", two="Due")

    assert [run(["apply", "-q", file]) for file in order] == [0, 0]
    assert (live("one")["label"], live("two")["label"]) == ("Uno", "Due")


def test_a_plan_that_was_carried_out_is_satisfied():
    """The second apply of a plan finds everything as wanted and writes nothing."""
    planned(one="Uno")
    assert run(["apply", "-q", "plan.json"]) == 0
    before = live("one")["updatedAt"]

    assert run(["apply", "-q", "plan.json", "-o", "json:again.json"]) == 0

    assert [change["outcome"] for change in json.loads(Path("again.json").read_text("utf-8"))["changes"]] == [
        "satisfied"
    ]
    assert live("one")["updatedAt"] == before


def test_a_plan_that_was_carried_out_needs_no_consent_any_more():
    """Nothing is left to destroy, so nobody is asked for the flag that the first apply was given."""
    planned(options="{exact: true, values: [{value: a, label: A}]}")
    assert run(["apply", "-q", "plan.json", "--allow", f"{TWO}/options/b"]) == 0

    assert run(["apply", "-q", "plan.json", "-o", "json:again.json"]) == 0

    (change,) = json.loads(Path("again.json").read_text("utf-8"))["changes"]
    assert (change["outcome"], change["guards"]) == ("satisfied", [])


def test_a_saved_plan_forgets_most_of_the_specs_only_with_consent():
    """The guard counts what is still to be forgotten: twelve entries, and then none."""
    names = [f"p{number}" for number in range(12)]
    more = "".join(f"    {name}: {{label: A, type: string, fieldType: text, groupName: g}}\n" for name in names)
    specs(extra=more)
    assert run(["apply", "-q", "--auto-approve"]) == 0
    planned()

    assert run(["apply", "-q", "plan.json"]) == 6
    assert run(["apply", "-q", "plan.json", "--allow-forget"]) == 0
    assert run(["apply", "-q", "plan.json"]) == 0


def test_what_came_back_does_not_go_again_without_consent(capsys):
    """The consent of the command line was for one apply: whatever is to be written now needs its own."""
    planned(options="{exact: true, values: [{value: a, label: A}]}")
    assert run(["apply", "-q", "plan.json", "--allow", f"{TWO}/options/b"]) == 0
    edit(Portal.open(STATE), "add-option", object="contacts", property="two", value="b", label="B")
    capsys.readouterr()

    assert run(["apply", "-q", "plan.json"]) == 6

    assert f"{TWO}/options/b would be destroyed" in capsys.readouterr().err
    assert [option["value"] for option in live("two")["options"]] == ["a", "b"]


def test_one_stale_change_stops_all_of_them(capsys):
    """A third value in a field that the plan writes: exit 5, who and when, and nothing at all is written."""
    planned(one="Uno", two="Due")
    edit(Portal.open(STATE), "relabel", object="contacts", property="two", label="Third")

    assert run(["apply", "-q", "plan.json"]) == 5

    assert (live("one")["label"], live("two")["label"]) == ("One", "Third")
    said = capsys.readouterr().err
    assert f"{TWO}: label was 'Two' when the plan was made and is 'Third' now, changed by user 2002 at 20" in said


def test_an_option_that_somebody_removed_stops_the_plan_that_moves_it(capsys):
    """The order that was reviewed had it in its place: exit 5, and nothing is written."""
    three = [f"{{value: {value}, label: {value}}}" for value in "abc"]
    specs(options=f"[{', '.join(three)}]")
    assert run(["apply", "-q", "--auto-approve"]) == 0
    planned(options=f"[{', '.join(reversed(three))}]")
    edit(Portal.open(STATE), "remove-option", object="contacts", property="two", value="b")

    assert run(["apply", "-q", "plan.json"]) == 5

    assert "options was ['a', 'b', 'c'] when the plan was made and is ['a', 'c'] now" in capsys.readouterr().err
    assert [option["value"] for option in live("two")["options"]] == ["a", "c"]


def test_a_field_that_the_plan_does_not_write_may_move():
    """Somebody describes the property that a plan relabels: that is no reason to stop."""
    planned(one="Uno")
    edit(Portal.open(STATE), "change", object="contacts", property="one", fields={"description": "by hand"})

    assert run(["apply", "-q", "plan.json"]) == 0
    assert (live("one")["label"], live("one")["description"]) == ("Uno", "by hand")


@pytest.mark.parametrize(
    ("parts", "words", "code"),
    [
        ({"formatVersion": "2.0"}, [], 3),
        ({"kind": "drift"}, [], 3),
        ({"changes": [{}]}, [], 3),
        ({"expiresAt": "2020-01-01T00:00:00Z"}, [], 5),
        ({"digest": "sha256:0"}, [], 5),
        ({}, ["-p", "other"], 5),
        ({}, ["--require-digest", "sha256:0"], 5),
        ({"portal": {"name": "demo", "portalId": 7, "apiVersion": "v3"}}, [], 5),
    ],
)
def test_a_plan_that_is_not_this_one_is_refused_before_any_write(parts, words, code):
    """Another version, kind, portal or digest, an expired or a tampered plan."""
    planned(one="Uno")
    changed("plan.json", **parts)

    assert run(["apply", "-q", "plan.json", *words]) == code
    assert live("one")["label"] == "One"


def test_a_plan_may_not_state_less_risk_than_it_has(capsys):
    """Risk and what is destroyed are worked out again from what would be written."""
    document = planned(options="{exact: true, values: [{value: a, label: A}]}")
    change = {**document["changes"][0], "severity": "safe", "destroys": [], "guards": []}
    changed("plan.json", changes=[change])

    assert run(["apply", "-q", "plan.json"]) == 5
    assert "states less risk" in capsys.readouterr().err
    assert [option["value"] for option in live("two")["options"]] == ["a", "b"]


def test_consent_given_to_the_plan_holds_for_its_apply():
    """`--allow` is recorded in the plan; without it the apply is blocked."""
    planned(options="{exact: true, values: [{value: a, label: A}]}")
    assert run(["apply", "-q", "plan.json"]) == 6
    planned("plan.json", "--allow", f"{TWO}/options/b", options="{exact: true, values: [{value: a, label: A}]}")
    assert run(["apply", "-q", "plan.json"]) == 0
    assert [option["value"] for option in live("two")["options"]] == ["a"]


def test_an_approved_digest_is_consent():
    """CI plans again after the merge and goes on only for the digest that was approved."""
    document = planned(options="{exact: true, values: [{value: a, label: A}]}")

    assert run(["apply", "-q", "--auto-approve", "--require-digest", "sha256:1"]) == 5
    assert run(["apply", "-q", "--auto-approve", "--require-digest", document["digest"]]) == 0
    assert [option["value"] for option in live("two")["options"]] == ["a"]


def test_nobody_at_the_terminal_means_no_apply():
    """Without a saved plan or --auto-approve there has to be somebody to ask."""
    specs(one="Uno")

    assert run(["apply"]) == 3
    assert live("one")["label"] == "One"


def test_a_receipt_tells_before_and_after_of_every_write():
    """Intent before, result after, the values of the fields, and the end with the outcomes."""
    specs(one="Uno")
    run(["apply", "-q", "--auto-approve"])

    told = receipts.events(receipts.newest(Path(".reconciler/receipts/demo")))

    assert [event["event"] for event in told] == ["begin", "intent", "result", "end"]
    assert told[0]["changes"][0]["fields"] == [
        {"path": "label", "before": "One", "after": "Uno", "baseline": "One", "cause": "spec_change"}
    ]
    assert told[1]["method"] == "PATCH"
    assert told[2]["status"] == 200
    assert told[3]["outcomes"] == {ONE: "verified"}


def test_a_run_can_be_undone_from_its_receipt():
    """A label, an option and an archived property come back; what cannot is said."""
    specs(one="Uno", options="{exact: true, values: [{value: b, label: Bee}]}")
    run(["apply", "-q", "--auto-approve", "--allow", f"{TWO}/options/a"])
    receipt = receipts.newest(Path(".reconciler/receipts/demo"))

    assert run(["plan", "-q", "--inverse", str(receipt), "-o", "json:back.json"]) == 0
    assert run(["apply", "-q", "back.json"]) == 0

    assert live("one")["label"] == "One"
    assert {option["value"]: option["label"] for option in live("two")["options"]} == {"a": "A", "b": "B"}


def test_options_that_came_and_moved_are_undone_together():
    """The order that is put back is that of the options that stay, whatever else of the property goes back with it."""
    specs(two="Zwei", options="[{value: b, label: B}, {value: d, label: D}, {value: a, label: A}]")
    assert run(["apply", "-q", "--auto-approve"]) == 0

    assert undone() == {f"update {TWO}": []}

    assert (live("two")["label"], [option["value"] for option in live("two")["options"]]) == ("Two", ["a", "b"])


def stages():
    """The lifecycle of contacts, in its order."""
    listed = Portal.open(STATE).state["pipelines"]["0-1"]["contacts-lifecycle-pipeline"]["stages"]
    return [one["id"] for one in sorted(listed, key=lambda one: one["displayOrder"])]


@pytest.mark.parametrize(
    "order",
    [
        ["opportunity", "lead"],
        ["customer", "subscriber"],
        ["other", "subscriber"],
        ["other", "customer", "lead"],
        ["customer", "lead", "subscriber"],
        ["opportunity", "subscriber", "lead"],
        ["opportunity", "lead", "subscriber", "customer"],
    ],
)
def test_stages_that_moved_are_put_back(order):
    """Each stands where it stood, with the label that it had; and the undo can be undone."""
    then = stages()
    listed = ", ".join(f"{{name: {name}}}" for name in order[:-1])
    specs(extra=f"lifecycleStages: [{listed}, {{name: {order[-1]}, label: Moved}}]\n")
    assert run(["apply", "-q", "--auto-approve"]) == 0
    moved = stages()
    assert moved != then

    assert all(name.startswith("update lifecycleStages/") for name in undone())
    assert stages() == then
    undone()
    assert stages() == moved


def lifecycle(*names, more=""):
    """A declared lifecycle in this order; what is no default is labelled by its name."""
    own = {"fan", "trial"}
    rows = [f"{{name: {name}, label: {name.title()}}}" if name in own else f"{{name: {name}}}" for name in names]
    return f"lifecycleStages: [{', '.join(rows)}]\n{more}"


def test_a_stage_is_put_back_though_others_came_and_went_with_it():
    """Places are numbers that others shift: what counts is that it stands where the apply put it."""
    then = ["subscriber", "lead", "trial", "customer", "fan"]
    specs(extra=lifecycle(*then))
    assert run(["apply", "-q", "--auto-approve"]) == 0
    gone = "removed: [{address: lifecycleStages/trial, reason: gone}]\n"
    specs(extra=lifecycle("lead", "customer", "fan", "subscriber", more=gone))
    assert run(["apply", "-q", "--auto-approve", "--allow", "lifecycleStages/trial"]) == 0

    assert undone() == {"update lifecycleStages/subscriber": []}

    order = [name for name in stages() if name in then]
    assert order == ["subscriber", "lead", "customer"]


@pytest.mark.parametrize("saved", [True, False])
@pytest.mark.parametrize(
    "order",
    [
        ["marketingqualifiedlead", "salesqualifiedlead", "opportunity", "subscriber", "lead"],
        ["opportunity", "salesqualifiedlead", "marketingqualifiedlead", "lead", "subscriber"],
        ["lead", "opportunity", "subscriber", "fan", "marketingqualifiedlead", "salesqualifiedlead"],
    ],
)
def test_stages_stand_as_declared_after_one_apply(order, saved):
    """Neighbours that move together, one that keeps its number while all others move, a new one among them."""
    document = planned(extra=lifecycle(*order))

    assert run(["apply", "-q", "plan.json"] if saved else ["apply", "-q", "--auto-approve"]) == 0

    labels = Portal.open(STATE).state["pipelines"]["0-1"]["contacts-lifecycle-pipeline"]["stages"]
    number = next((one["id"] for one in labels if one["label"] == "Fan"), None)
    assert [name for name in stages() if name in (*order, number)] == [number if one == "fan" else one for one in order]
    assert all(change["action"] in ("update", "create", "adopt") for change in document["changes"])
    assert planned(extra=lifecycle(*order))["changes"] == []


@pytest.mark.parametrize("order", [["customer", "lead"], ["customer", "fan"]])
def test_a_stage_whose_neighbour_was_deleted_meanwhile_is_not_written(order, capsys):
    """It would have to stand somewhere else, and nobody has reviewed where."""
    planned(extra=lifecycle(*order))
    edit(Portal.open(STATE), "delete-stage", stage="customer")
    then = stages()

    assert run(["apply", "-q", "plan.json"]) == 5

    assert "the stage 'Customer' that it was to stand after is gone" in capsys.readouterr().err
    assert stages() == then


def test_a_restore_is_undone_by_an_archive():
    """Whatever options the property has now, it has those that the restore gave it."""
    text = Path("specs/contacts.yaml").read_text("utf-8")
    Path("specs/contacts.yaml").write_text(
        text.partition("    two:")[0] + f"removed: [{{address: {TWO}, reason: x}}]\n"
    )
    assert run(["apply", "-q", "--auto-approve", "--allow", TWO]) == 0
    specs(options="[{value: b, label: Bee}, {value: c, label: C}]")
    assert run(["apply", "-q", "--auto-approve"]) == 0

    assert undone() == {f"archive {TWO}": []}

    assert "two" not in Portal.open(STATE).state["objects"]["0-1"]["properties"]


def test_what_hubspot_never_unsets_stays_and_is_told():
    """A display hint that the apply set stays; the neutral one means none where there is one."""
    specs(one="Uno")
    text = Path("specs/contacts.yaml").read_text("utf-8")
    Path("specs/contacts.yaml").write_text(text.replace("fieldType: text,", "fieldType: text, textDisplayHint: email,"))
    assert run(["apply", "-q", "--auto-approve"]) == 0

    assert undone() == {f"update {ONE}": []}

    told = json.loads(Path("back.json").read_text("utf-8"))
    assert [one["path"] for one in told["changes"][0]["fields"]] == ["label"]
    assert [one["message"] for one in told["findings"] if one["rule"] == "inverse-partial"] == [
        f"{ONE} keeps its textDisplayHint: HubSpot never unsets that"
    ]


def test_a_hint_that_means_none_is_undone_like_any():
    """HubSpot's neutral hint is as good as none, in the plan back as well as in the portal."""
    number = "properties: {{contacts: {{size: {{label: S, type: number, fieldType: number, groupName: g{}}}}}}}\n"
    group = "propertyGroups: {contacts: {g: {label: G}}}\n"
    hints = []
    for hint in ("currency", "formatted"):
        Path("specs/contacts.yaml").write_text(group + number.format(f", numberDisplayHint: {hint}"))
        assert run(["apply", "-q", "--auto-approve"]) == 0
    for _ in range(2):
        assert undone() == {"update properties/contacts/size": []}
        hints.append(live("size").get("numberDisplayHint"))

    assert hints == ["currency", "formatted"]


def test_an_archived_property_is_undone_by_a_restore():
    """The way back from an archive is a restore, with the old record values."""
    specs(extra=f"removed: [{{address: {ONE}, reason: gone}}]")
    text = Path("specs/contacts.yaml").read_text("utf-8")
    Path("specs/contacts.yaml").write_text(
        "\n".join(line for line in text.splitlines() if " one:" not in line), "utf-8"
    )
    portal = Portal.open(STATE)
    portal.add_records("0-1", [{"properties": {"one": "kept"}}])
    portal.save()
    assert run(["apply", "-q", "--auto-approve", "--allow", ONE]) == 0
    receipt = receipts.newest(Path(".reconciler/receipts/demo"))

    assert run(["plan", "-q", "--inverse", str(receipt), "-o", "json:back.json"]) == 0
    document = json.loads(Path("back.json").read_text("utf-8"))
    assert [(change["address"], change["action"]) for change in document["changes"]] == [(ONE, "restore")]
    assert run(["apply", "-q", "back.json"]) == 0

    assert live("one")["label"] == "One"
    (record,) = Portal.open(STATE).state["records"]["0-1"].values()
    assert record["properties"]["one"] == "kept"


def undone(receipt=None):
    """The changes of the way back, which is then gone: what each needs, by action and address."""
    receipt = receipt or receipts.newest(Path(".reconciler/receipts/demo"))
    assert run(["plan", "-q", "--inverse", str(receipt), "-o", "json:back.json"]) == 0
    document = json.loads(Path("back.json").read_text("utf-8"))
    allowed = [word for one in document["changes"] for gone in one["destroys"] for word in ("--allow", gone)]
    assert run(["apply", "-q", "back.json", *allowed]) == 0
    return {f"{one['action']} {one['address']}": one["dependsOn"] for one in document["changes"]}


def test_a_group_and_what_is_in_it_are_undone_in_order():
    """Made together, they go one after the other, the property first; gone together, the group comes first."""
    group, extra = "propertyGroups/contacts/h", "properties/contacts/extra"
    told = {
        "propertyGroups": {"contacts": {"h": {"label": "H"}}},
        "properties": {"contacts": {"extra": {"label": "E", "type": "string", "fieldType": "text", "groupName": "h"}}},
    }
    Path("specs/more.yaml").write_text(json.dumps(told), "utf-8")
    assert run(["apply", "-q", "--auto-approve"]) == 0
    made = receipts.newest(Path(".reconciler/receipts/demo"))
    stones = [{"address": address, "reason": "gone"} for address in (group, extra)]
    Path("specs/more.yaml").write_text(json.dumps({"removed": stones}), "utf-8")
    assert run(["apply", "-q", "--auto-approve", "--allow", group, "--allow", extra]) == 0

    assert undone() == {f"restore {extra}": [group], f"create {group}": []}
    assert undone(made) == {f"archive {extra}": [], f"archive {group}": [extra]}


def test_what_the_apply_made_is_undone_after_the_baseline_is_lost():
    """A label and a stage are known by the ids that the receipt noted, not by what somebody remembers of them."""
    specs(extra=f"lifecycleStages: [{{name: trial, label: Trial}}]\n{PAYER}")
    assert run(["apply", "-q", "--auto-approve"]) == 0
    receipt = receipts.newest(Path(".reconciler/receipts/demo"))
    shutil.rmtree("specs/baselines")

    assert run(["plan", "-q", "--inverse", str(receipt), "-o", "json:back.json"]) == 0

    document = json.loads(Path("back.json").read_text("utf-8"))
    assert [(change["address"], change["action"]) for change in document["changes"]] == [
        ("associationLabels/contacts/companies/payer", "archive"),
        ("lifecycleStages/trial", "archive"),
    ]


def test_what_an_apply_that_was_cut_off_made_is_looked_for_by_hand():
    """Its receipt noted no ids, and without a baseline nobody knows which label it was: it is not passed over."""
    specs(extra=PAYER)
    assert run(["apply", "-q", "--auto-approve"]) == 0
    receipt = receipts.newest(Path(".reconciler/receipts/demo"))
    receipt.write_text("".join(receipt.read_text("utf-8").splitlines(keepends=True)[:-1]), "utf-8")
    shutil.rmtree("specs/baselines")

    assert run(["plan", "-q", "--inverse", str(receipt), "-o", "json:back.json"]) == 0

    document = json.loads(Path("back.json").read_text("utf-8"))
    assert document["changes"] == []
    assert [(one["rule"], one["address"]) for one in document["findings"]] == [
        ("inverse-unknown", "associationLabels/contacts/companies/payer")
    ]


@pytest.mark.parametrize(
    "text",
    ["", "[]\n", '"x"\n', '{"event": "begin"}\n', '{"event": "begin", "portal": {"name": "demo"}, "changes": [{}]}\n'],
)
def test_what_is_no_receipt_cannot_be_undone(text, capsys):
    """Any other file is a usage error that names it, and among the receipts it is left out, and told."""
    odd = Path(".reconciler/receipts/demo/odd.jsonl")
    odd.write_text(text, "utf-8")

    assert run(["plan", "-q", "--inverse", str(odd)]) == 3
    assert f"{odd} is no receipt" in capsys.readouterr().err
    assert run(["plan", "-q", "-o", "json"]) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert [one["rule"] for one in findings] == (["receipt-unreadable"] if text else [])
    assert run(["drift", "-q"]) == 0


def test_a_receipt_of_another_portal_is_not_undone(capsys):
    """A name may be pointed elsewhere: the portal's id tells."""
    specs(one="Uno")
    assert run(["apply", "-q", "--auto-approve"]) == 0
    receipt = receipts.newest(Path(".reconciler/receipts/demo"))
    portal = Portal.open(STATE)
    portal.state["portalId"] = 999
    portal.save()

    assert run(["plan", "-q", "--inverse", str(receipt)]) == 5

    assert "is of portal 12345678, and demo is 999 now" in capsys.readouterr().err


def test_what_was_done_in_part_is_undone_as_far_as_it_was():
    """The label that a stage was given goes back, though its move failed; and that something is in doubt is said."""
    specs(extra="lifecycleStages: [{name: opportunity}, {name: lead, label: Prospect}]\n")
    portal = Portal.open(STATE)
    faults.add(portal, kind="status", status=400, method="PATCH", path="/crm/v3/pipelines/", nth=2)
    portal.save()
    assert run(["apply", "-q", "--auto-approve"]) == 7
    receipt = receipts.newest(Path(".reconciler/receipts/demo"))

    assert run(["plan", "-q", "--inverse", str(receipt), "-o", "json:back.json"]) == 0

    document = json.loads(Path("back.json").read_text("utf-8"))
    (back,) = document["changes"]
    assert back["address"] == "lifecycleStages/lead"
    moved = [(field["path"], field["before"], field["after"]) for field in back["fields"]]
    assert moved == [("label", "Prospect", "Lead")]  # it never came to be moved
    assert [one["rule"] for one in document["findings"]] == ["inverse-specs", "inverse-unknown"]
    portal = Portal.open(STATE)
    portal.state["faults"].clear()
    portal.save()
    assert run(["apply", "-q", "back.json"]) == 0
    listed = Portal.open(STATE).state["pipelines"]["0-1"]["contacts-lifecycle-pipeline"]["stages"]
    assert next(one["label"] for one in listed if one["id"] == "lead") == "Lead"


def test_only_some_of_a_run_is_undone():
    """An undo is asked for some addresses like any plan, and has no conflicts that somebody could win."""
    specs(one="Uno", two="Due")
    assert run(["apply", "-q", "--auto-approve"]) == 0
    back = ["plan", "-q", "--inverse", str(receipts.newest(Path(".reconciler/receipts/demo")))]

    assert run([*back, "--only", TWO, "-o", "json:back.json"]) == 0

    assert [one["address"] for one in json.loads(Path("back.json").read_text("utf-8"))["changes"]] == [TWO]
    assert run([*back, "--on-conflict", "spec"]) == 3


def test_what_moved_since_is_not_undone(capsys):
    """Somebody changed it again: the way back says so and leaves it alone."""
    specs(one="Uno")
    run(["apply", "-q", "--auto-approve"])
    receipt = receipts.newest(Path(".reconciler/receipts/demo"))
    edit(Portal.open(STATE), "relabel", object="contacts", property="one", label="Third")

    assert run(["plan", "-q", "--inverse", str(receipt), "-o", "json:back.json"]) == 0

    document = json.loads(Path("back.json").read_text("utf-8"))
    assert document["changes"] == []
    assert [finding["rule"] for finding in document["findings"]] == ["inverse-moved"]


def test_a_lagging_read_is_no_drift():
    """Right after our own write HubSpot may still show the old value; it is read again before anything is said."""
    specs(one="Uno")
    portal = Portal.open(STATE)
    portal.switches["staleReads"] = 1
    portal.save()
    assert run(["apply", "-q", "--auto-approve"]) == 0

    assert run(["plan", "-q", "--detailed-exitcode"]) == 0


def test_a_baseline_that_did_not_come_back_makes_no_conflict(tmp_path):
    """Where CI applied and its baseline is not committed yet, the receipt knows what was ours."""
    kept = {path: path.read_bytes() for path in Path("specs/baselines/demo").iterdir()}
    specs(one="Uno")
    assert run(["apply", "-q", "--auto-approve"]) == 0
    for path, content in kept.items():
        path.write_bytes(content)

    document = planned(one="Tre")

    assert [field["cause"] for field in document["changes"][0]["fields"]] == ["spec_change"]


@pytest.mark.parametrize("field", [("options/a/label", "A", "Ah"), ("options", ["a", "b"], ["b", "a"])])
def test_an_edit_between_plan_and_option_write_leaves_the_list_alone(field):
    """The list is read again right before its PATCH; an option that moved meanwhile is not overwritten."""
    from reconciler.errors import StaleError
    from reconciler.kinds import properties
    from reconciler.model import Answer
    from reconciler.paths import Api
    from reconciler.plan import Change, PlannedField

    change = Change(TWO, "update", fields=(PlannedField(*field),), remote={"objectType": "contacts"})
    write = properties.write(change, Api())
    assert next(write).method == "GET"

    with pytest.raises(StaleError, match="changed by somebody right before"):
        write.send(Answer(200, {**live("two"), "options": [{"value": "a", "label": "Z", "displayOrder": 0}]}))
