"""Three-way conflicts: what is one, what is none, and what it means that the spec or the portal wins."""

import io
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reconciler import receipts
from reconciler.cli import run
from reconciler.emulator import Portal, edit

STATE = ".reconciler/demo.json"
SETTINGS = f"version: 1\nportals: {{demo: {{emulator: {STATE}}}}}\nwatch: [contacts]\n"
TIER = """
propertyGroups: {{contacts: {{g: {{label: G}}}}}}
properties:
  contacts:
    tier: {{label: Tier, type: enumeration, fieldType: select, groupName: g, options: {options}}}
"""
A, B, C = "{value: a, label: A}", "{value: b, label: B}", "{value: c, label: C}"
TIER_ADDRESS = "properties/contacts/tier"


def specs(text):
    Path("specs").mkdir(exist_ok=True)
    Path("specs/reconciler.yaml").write_text(SETTINGS, "utf-8")
    Path("specs/all.yaml").write_text(text, "utf-8")


def applied(text, *words):
    specs(text)
    assert run(["apply", "-q", "--auto-approve", *words]) == 0


def tier(*options, exact=False):
    listed = f"[{', '.join(options)}]"
    return TIER.format(options=f"{{exact: true, values: {listed}}}" if exact else listed)


def happens(name, **words):
    edit(Portal.open(STATE), name, **words)


def planned(*words):
    """The exit code of a plan, and what its changes are by address and field, with the cause."""
    code = run(["plan", "-q", "-o", "json:plan.json", *words])
    changes = json.loads(Path("plan.json").read_text("utf-8"))["changes"]
    return code, {change["address"]: {one["path"]: one["cause"] for one in change["fields"]} for change in changes}


def options():
    definition = Portal.open(STATE).definitions("0-1")["properties"]["tier"]
    return [(option["value"], option["label"]) for option in definition["options"]]


@pytest.fixture(autouse=True)
def _workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RECONCILER_SPECS", raising=False)


def test_removing_an_option_and_reordering_the_others_is_no_conflict():
    """Nobody but the spec moved; the removed option is in no order any more."""
    applied(tier(A, B, C))
    specs(tier(C, A) + f"removed: [{{address: {TIER_ADDRESS}/options/b, reason: gone}}]")

    assert planned("--allow", f"{TIER_ADDRESS}/options/b") == (
        0,
        {TIER_ADDRESS: {"options": "spec_change", "options/b": "spec_change"}},
    )
    assert run(["apply", "-q", "plan.json"]) == 0
    assert options() == [("c", "C"), ("a", "A")]


def test_the_portal_wins_over_a_stage_position():
    """With `--on-conflict live` a stage that a colleague moved stays where it is, and the others are as declared."""
    stages = "lifecycleStages: [{{name: lead}}, {}]\n".format
    applied(stages("{name: trial, label: Trial}, {name: opportunity}, {name: customer}"))
    (trial,) = (one["id"] for one in lifecycle() if one["label"] == "Trial")
    happens("move-stage", stage=trial, at=6)
    specs("lifecycleStages: [{name: trial, label: Trial}, {name: lead}, {name: opportunity}, {name: customer}]\n")

    assert planned()[0] == 5
    order = [one["id"] for one in lifecycle()]
    assert run(["apply", "-q", "--auto-approve", "--on-conflict", "live"]) == 0
    assert [one["id"] for one in lifecycle()] == order


def test_the_portal_wins_over_an_exact_list():
    """An option that a colleague changed stays, although the exact list would have it removed."""
    applied(tier(A, B))
    happens("relabel-option", object="contacts", property="tier", value="b", label="Better")
    specs(tier(A, exact=True))

    assert planned("--allow", f"{TIER_ADDRESS}/options/b")[0] == 5
    assert planned("--on-conflict", "live", "--allow", f"{TIER_ADDRESS}/options/b") == (0, {})
    assert options() == [("a", "A"), ("b", "Better")]


def test_the_portal_wins_over_a_tombstone():
    """What a colleague changed since is not archived, when the portal is to win."""
    applied(tier(A))
    happens("relabel", object="contacts", property="tier", label="Keep me")
    specs(f"removed: [{{address: {TIER_ADDRESS}, reason: gone}}]")

    assert planned("--allow", TIER_ADDRESS)[0] == 5
    code, changes = planned("--on-conflict", "live", "--allow", TIER_ADDRESS)
    assert (code, changes.get(TIER_ADDRESS, {})) == (0, {})


def test_a_stage_that_somebody_inserts_voids_no_plan_that_moves_another():
    """Positions are numbers, and a new stage shifts them all; what a plan goes by is the order."""
    stages = "lifecycleStages: [{{name: lead}}, {}]\n".format
    applied(stages("{name: trial, label: Trial}, {name: opportunity}, {name: customer}"))
    specs(stages("{name: opportunity}, {name: trial, label: Trial}, {name: customer}"))
    assert planned()[0] == 0
    happens("add-stage", label="Theirs", at=0)

    assert run(["apply", "-q", "plan.json"]) == 0
    labels = [one["label"] for one in lifecycle()]
    assert labels.index("Opportunity") < labels.index("Trial") < labels.index("Customer")
    assert labels[0] == "Theirs"


def test_a_group_that_somebody_fills_is_not_begun_to_be_emptied():
    """HubSpot would refuse to archive it after everything else was written; so nothing is written at all."""
    group = "propertyGroups: {contacts: {old: {label: Old}, g: {label: G}}}\n"
    one = "properties: {contacts: {one: {label: %s, type: string, fieldType: text, groupName: g}}}\n"
    applied(group + one % "One")
    gone = "removed: [{address: propertyGroups/contacts/old, reason: gone}]\n"
    specs(group.replace("old: {label: Old}, ", "") + one % "Uno" + gone)
    assert planned("--allow", "propertyGroups/contacts/old")[0] == 0
    theirs = {"name": "theirs", "label": "Theirs", "type": "string", "fieldType": "text", "groupName": "old"}
    happens("create", object="contacts", definition=theirs)

    assert run(["apply", "-q", "plan.json"]) == 5
    assert Portal.open(STATE).definitions("0-1")["properties"]["one"]["label"] == "One"
    # A plan that is made now refuses it by itself.
    assert run(["apply", "-q", "--auto-approve", "--allow", "propertyGroups/contacts/old"]) == 3


def lifecycle():
    stages = Portal.open(STATE).state["pipelines"]["0-1"]["contacts-lifecycle-pipeline"]["stages"]
    return sorted(stages, key=lambda stage: stage["displayOrder"])


@pytest.mark.parametrize(
    ("kind", "happening"),
    [
        ("stage", ("rename-stage", {"stage": "lead", "label": "SIGNED"})),
        ("label", ("rename-label", {"start": "contacts", "end": "companies", "label": "Billing", "text": "Partner"})),
    ],
)
def test_a_new_text_that_somebody_gives_to_another_one_voids_the_plan(kind, happening):
    """HubSpot would refuse it after other things were written; so nothing is written at all."""
    before = "associationLabels: {contacts: {companies: {billing: {label: Billing, inverseLabel: Billed by}%s}}}\n"
    stages = "lifecycleStages: [{name: lead}, {name: customer}%s]\n"
    group = "propertyGroups: {contacts: {g: {label: %s}}}\n"
    applied(before % "" + stages % "" + group % "G")
    new_label = ", partner: {label: Partner, inverseLabel: Partner of}" if kind == "label" else ""
    new_stage = ", {name: signed, label: Signed}" if kind == "stage" else ""
    specs(before % new_label + stages % new_stage + group % "Great")
    assert planned()[0] == 0
    name, words = happening
    happens(name, **words)

    assert run(["apply", "-q", "plan.json"]) == 5
    assert Portal.open(STATE).definitions("0-1")["groups"]["g"]["label"] == "G"


def test_a_stage_that_goes_by_a_guess_is_deleted_only_after_somebody_accepted_it(capsys):
    """Without a baseline its label is all there is: a tombstone of that name waits, whatever is applied meanwhile."""
    applied("lifecycleStages: [{name: trial, label: Pilot}]\n")
    shutil.rmtree("specs/baselines")
    stone = "removed: [{address: lifecycleStages/pilot, reason: gone}]\n"
    applied(stone)
    applied(stone)
    capsys.readouterr()

    assert planned("--detailed-exitcode") == (0, {})
    (finding,) = json.loads(Path("plan.json").read_text("utf-8"))["findings"]
    assert (finding["rule"], finding["address"]) == ("guessed-name", "lifecycleStages/pilot")
    assert "reconciler accept --all" in finding["fix"]

    assert run(["accept", "--all", "-q", "--reason", "it is this one"]) == 0
    code, changes = planned("--detailed-exitcode")
    assert (code, list(changes)) == (2, ["lifecycleStages/pilot"])


ONE = "properties/contacts/one"
GROUP = "propertyGroups: {contacts: {g: {label: G}}}\n"


def one(label):
    return (
        GROUP + f"properties: {{contacts: {{one: {{label: {label}, type: string, fieldType: text, groupName: g}}}}}}\n"
    )


def hour_passes():
    """The receipts' times, as they would be after an hour."""
    for receipt in Path(".reconciler/receipts/demo").glob("*.jsonl"):
        told = receipts.events(receipt)
        then = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        aged = [{**event, "at": then} if "at" in event else event for event in told]
        receipt.write_text("".join(json.dumps(event) + "\n" for event in aged), "utf-8")


def accepted():
    assert run(["-q", "accept", "--all", "--reason", "agreed"]) == 0


def blamed():
    """Who moved what, as a drift check tells."""
    code = run(["drift", "-q", "-o", "json:drift.json"])
    items = json.loads(Path("drift.json").read_text("utf-8"))["items"]
    return code, [(item["class"], item["actor"]["type"], item["actor"]["confidence"]) for item in items]


@pytest.mark.parametrize("first", ["Theirs", "One"])
def test_a_receipt_that_the_baseline_has_passed_is_no_baseline(first):
    """What a person sets to a value that an older apply of ours wrote is that person's, and a conflict."""
    applied(one("One"))
    applied(one("Ours"))
    hour_passes()
    happens("relabel", object="contacts", property="one", label=first)
    accepted()
    happens("relabel", object="contacts", property="one", label="Ours")

    specs(one(first))
    assert planned() == (0, {ONE: {"label": "revert_drift"}})
    assert blamed() == (2, [("managed.modified", "user", "likely")])
    specs(one("Third"))
    assert planned() == (5, {ONE: {"label": "conflict"}})


def test_a_receipt_stands_in_for_a_baseline_that_has_not_come_back():
    """Where CI applied twice and neither baseline is here yet, what the applies wrote is no conflict."""
    applied(one("One"))
    kept = Path("specs/baselines/demo/properties.contacts.json").read_bytes()
    applied(one("Ours"))
    applied(one("Ours too"))
    Path("specs/baselines/demo/properties.contacts.json").write_bytes(kept)

    specs(one("Third"))
    assert planned() == (0, {ONE: {"label": "spec_change"}})
    assert blamed() == (2, [("managed.conflict", "tool", "certain")])


def test_who_restores_what_an_apply_archived_is_not_that_apply():
    """Nor is who archives it again: the receipts tell of other times, and nothing is certain."""
    applied(one("One"))
    applied(GROUP + f"removed: [{{address: {ONE}, reason: gone}}]\n", "--allow", ONE)
    hour_passes()
    specs(GROUP)
    happens("restore", object="contacts", property="one")

    assert blamed() == (2, [("unmanaged.added", "tool", "likely")])  # HubSpot still names the user of our key
    accepted()
    happens("archive", object="contacts", property="one")
    assert blamed() == (2, [("unmanaged.removed", "unknown", "unknown")])


class Hesitating(io.StringIO):
    """A terminal at which somebody does something before answering."""

    def __init__(self, meanwhile):
        super().__init__("y\n")
        self.meanwhile = meanwhile

    def isatty(self):
        return True

    def readline(self, *size):
        self.meanwhile()
        return super().readline(*size)


def test_what_is_accepted_while_an_apply_asks_stays_accepted(monkeypatch):
    """On this machine it waits for its turn; whoever else moves the baseline is written over in nothing."""

    def both(label):
        return one("One").replace(
            "g}}}", f"g}}, two: {{label: {label}, type: string, fieldType: text, groupName: g}}}}}}"
        )

    applied(both("Two"))
    happens("relabel", object="contacts", property="one", label="Theirs")
    specs(both("Second"))
    agreed = ["-q", "accept", ONE, "--reason", "agreed"]
    codes = []

    def accepted_here_and_there():
        codes.append(run(agreed))
        monkeypatch.setenv("XDG_STATE_HOME", str(Path("another-machine").resolve()))
        codes.append(run(agreed))

    monkeypatch.setattr("sys.stdin", Hesitating(accepted_here_and_there))

    assert run(["apply", "--only", "properties/contacts/two"]) == 0

    assert codes == [6, 0]
    held = json.loads(Path("specs/baselines/demo/properties.contacts.json").read_text("utf-8"))["definitions"]
    assert (held["one"]["label"], held["two"]["label"]) == ("Theirs", "Second")


@pytest.fixture
def _contested(capsys):
    """A label that the spec and a colleague both changed."""
    applied(tier(A))
    happens("relabel", object="contacts", property="tier", label="Theirs")
    specs(tier(A).replace("label: Tier,", "label: Ours,"))
    capsys.readouterr()


@pytest.mark.usefixtures("_contested")
@pytest.mark.parametrize(
    ("words", "code", "last"),
    [
        ([], 5, "No changes in HubSpot: 1 unchanged. 1 conflict needs a decision."),
        (["--only", TIER_ADDRESS], 5, "No changes in HubSpot. 1 conflict needs a decision."),
        (["--on-conflict", "spec"], 0, "Plan: 1 to update, 1 unchanged."),
        (
            ["--on-conflict", "live"],
            0,
            "No changes. 1 definition matches the specs. 1 conflict is left as HubSpot has it.",
        ),
    ],
)
def test_a_plan_sums_up_what_becomes_of_a_conflict(capsys, words, code, last):
    """Undecided it stops the plan; the spec's win is an update; the portal's win matches no spec."""
    assert run(["plan", *words]) == code

    assert capsys.readouterr().out.splitlines()[-1] == last


@pytest.mark.usefixtures("_contested")
def test_a_decided_conflict_is_told_as_what_is_done(capsys):
    """The spec's win reads as the update that apply writes, the portal's win as a warning that names the field."""
    assert run(["plan", "--on-conflict", "spec"]) == 0
    text = capsys.readouterr().out
    assert "~ update   property tier" in text
    assert "conflict" not in text

    assert run(["plan", "--on-conflict", "live"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    told = (
        f"warning [left-to-hubspot] {TIER_ADDRESS}: label stays as HubSpot has it, though the specs want it otherwise"
    )
    assert told in text
