"""In what order an apply writes: what destroys nothing first, and everything after what it needs."""

import json
from pathlib import Path

import pytest
from small_portal import STATE, settle_in

from reconciler.apply import Tools, carry_out, waves
from reconciler.cli import run
from reconciler.client import Client
from reconciler.emulator import Portal, create_app, faults
from reconciler.kinds import Scope
from reconciler.paths import Api
from reconciler.plan import Change, PlannedField

GROUP = {"contacts": {"g": {"label": "G"}}}
TEXT = {"type": "string", "fieldType": "text", "groupName": "g"}
LIST = {"label": "List", "type": "enumeration", "fieldType": "select", "groupName": "g"}


def change(name, *needs, destroys=False, action="update"):
    """A change of a property, by its name and the names of what it needs."""
    address = "properties/contacts/{}".format
    lost = (address(name),) if destroys else ()
    needed = tuple(map(address, needs))
    return Change(address(name), action, destroys=lost, depends_on=needed, remote={"objectType": "contacts"})


def order(*changes):
    """The names in each wave."""
    return [[one.name for task in wave for one in task.changes] for wave in waves(changes)]


def test_what_destroys_nothing_comes_first():
    """A removed option and a changed type wait for the safe changes, archives for both, and all for what they need."""
    assert order(
        change("gone", action="archive"),
        change("retyped", destroys=True),
        change("uses_retyped", "retyped"),
        change("relabelled"),
        change("uses_relabelled", "relabelled"),
    ) == [["relabelled"], ["uses_relabelled"], ["retyped"], ["uses_retyped"], ["gone"]]


def test_sixty_diamonds_on_each_other_are_ordered_at_once():
    """A forged plan whose needs can be walked in 2^60 ways: each change comes once, in 121 waves."""
    changes = [change("top0")]
    for level in range(60):
        changes += [change(f"{side}{level}", f"top{level}") for side in ("left", "right")]
        changes.append(change(f"top{level + 1}", f"left{level}", f"right{level}"))

    found = order(*changes)

    assert len(found) == 121
    assert found[:4] == [["top0"], ["left0", "right0"], ["top1"], ["left1", "right1"]]


def test_a_chain_of_thousands_is_no_recursion():
    """The last of 3,000 formulas, each of which uses the one before it, comes last."""
    changes = [change("f0"), *(change(f"f{one}", f"f{one - 1}") for one in range(1, 3000))]

    assert order(*reversed(changes)) == [[f"f{one}"] for one in range(3000)]


def test_what_needs_itself_comes_last_and_together():
    """Two formulas that use each other are HubSpot's to refuse; whatever else there is to do is done before."""
    assert order(change("a", "b"), change("b", "a"), change("c"), change("d", "d")) == [["c"], ["a", "b", "d"]]


@pytest.fixture
def _in_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settle_in("retries: {tries: 1, waitSeconds: 1}\n")


def declare(label, values):
    options = {"exact": True, "values": [{"value": value, "label": value} for value in values]}
    listed = {**LIST, "options": options}
    entries = {"listed": listed, "text": {**TEXT, "label": label}}
    Path("specs/spec.yaml").write_text(json.dumps({"propertyGroups": GROUP, "properties": {"contacts": entries}}))


@pytest.mark.usefixtures("_in_place")
def test_a_failure_in_what_is_safe_keeps_an_option():
    """The label's PATCH fails, so the option that the same plan removes is not begun to be removed."""
    declare("Text", ["a", "b"])
    assert run(["apply", "-q", "--auto-approve"]) == 0
    declare("Other", ["a"])
    portal = Portal.open(STATE)
    faults.add(portal, kind="status", status=400, method="PATCH", path="/text", count=0)
    portal.save()

    option = "properties/contacts/listed/options/b"
    code = run(["apply", "-q", "--auto-approve", "--allow", option, "-o", "json:done.json"])

    document = json.loads(Path("done.json").read_text("utf-8"))
    assert {one["address"]: (one["outcome"], one["message"]) for one in document["changes"]} == {
        "properties/contacts/listed": ("skipped", "nothing destructive is begun after a failure"),
        "properties/contacts/text": ("failed", "HubSpot refused it (400): internal error"),
    }
    assert code == 6
    assert [one["value"] for one in Portal.open(STATE).state["objects"]["0-1"]["properties"]["listed"]["options"]] == [
        "a",
        "b",
    ]


@pytest.mark.usefixtures("_in_place")
def test_what_was_written_in_part_is_told(capsys):
    """A stage that has its new label and could not be moved is neither done nor untouched, and nobody says so."""
    Path("specs/spec.yaml").write_text("lifecycleStages: [{name: opportunity}, {name: lead, label: Prospect}]")
    portal = Portal.open(STATE)
    faults.add(portal, kind="status", status=400, method="PATCH", path="/crm/v3/pipelines/", nth=2, count=0)
    portal.save()

    assert run(["-q", "apply", "--auto-approve", "-o", "json:done.json"]) == 7

    told = json.loads(Path("done.json").read_text("utf-8"))["changes"][0]
    assert (told["outcome"], told["partly"]) == ("failed", True)
    assert told["message"].startswith("some of it was carried out, and then: HubSpot refused it (400)")
    assert capsys.readouterr().out.endswith("\nApplied: 1 adopted, 1 in part. 1 failed.\n")


def forgetful(portal):
    """A portal whose lists lack a name once something was written to it."""
    app = create_app(portal)

    def answer(environ, start_response):
        body = b"".join(app(environ, start_response))
        wrote = any(entry["method"] == "POST" for entry in portal.log)
        return [body.replace(b'"name"', b'"nome"') if wrote and environ["REQUEST_METHOD"] == "GET" else body]

    return answer


def test_an_odd_list_hides_no_write():
    """Whatever goes wrong in the look at what was written, it was written, and the run goes on to say so."""
    client = Client.for_app(forgetful(Portal.seeded("empty")), "pat-na1-x")
    group = change("g", action="create")._replace(
        address="propertyGroups/contacts/g",
        fields=(PlannedField("label", None, "G", "added"),),
        expects="absent",
        remote={"objectType": "contacts"},
    )

    (told,) = carry_out([group], Tools(client.reader(), client.writer(), Scope(Api("v3")))).outcomes.values()

    assert told.word == "done"
    assert told.message == (
        "HubSpot accepted it, but reading it back failed: /crm/v3/properties/contacts/groups: an entry has no name"
    )
