"""HubSpot may list what was there before our own write: for five minutes that is waited for, and not reported."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from small_portal import STATE, settle_in

from reconciler import receipts
from reconciler.cli import run
from reconciler.emulator import Portal, create_app, edit

SPEC = {
    "propertyGroups": {"contacts": {"g": {"label": "G"}}},
    "properties": {"contacts": {"memo": {"label": "Memo", "type": "string", "fieldType": "text", "groupName": "g"}}},
}
MEMO = "properties/contacts/memo"


@pytest.fixture(autouse=True)
def _written_a_moment_ago(tmp_path, monkeypatch, capsys):
    """A new label is in the portal, and the next three lists that a process asks for show the old one."""
    monkeypatch.chdir(tmp_path)
    settle_in(spec=json.dumps(SPEC))
    assert run(["apply", "-q", "--auto-approve"]) == 0
    portal = Portal.open(STATE)
    portal.switches["staleReads"] = 3
    portal.save()
    relabelled = SPEC["properties"]["contacts"]["memo"] | {"label": "Minutes"}
    Path("specs/spec.yaml").write_text(json.dumps({**SPEC, "properties": {"contacts": {"memo": relabelled}}}), "utf-8")
    assert run(["apply", "-q", "--auto-approve"]) == 0
    capsys.readouterr()


def document(capsys, *words):
    """The exit code of a command and what it says."""
    code = run([*words, "-q", "-o", "json"])
    return code, json.loads(capsys.readouterr().out)


def label_of(answer):
    return next(one["label"] for one in answer["results"] if one["name"] == "memo")


def minutes_pass(number):
    """The receipt's times, as they would be after so long."""
    receipt = receipts.newest(Path(".reconciler/receipts/demo"))
    told = receipts.events(receipt)
    then = (datetime.now(UTC) - timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    aged = [{**event, "at": then} if "at" in event else event for event in told]
    receipt.write_text("".join(json.dumps(event) + "\n" for event in aged), "utf-8")


def test_each_process_is_shown_the_old_list_three_times():
    """The portal really does what is waited for here, whoever wrote."""
    app = create_app(Portal.open(STATE))
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://portal") as client:
        headers = {"Authorization": "Bearer pat-na1-reader"}
        answers = [client.get("/crm/v3/properties/contacts", headers=headers).json() for _ in range(4)]

    assert [label_of(answer) for answer in answers] == ["Memo", "Memo", "Memo", "Minutes"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["plan", "--detailed-exitcode"], 0),
        (["drift"], 0),
        (["apply", "--auto-approve"], 0),
        (["explain", MEMO], 0),
    ],
)
def test_our_own_write_is_no_difference(capsys, words, code):
    """Plan and apply find nothing to do, and drift nothing that moved."""
    found, said = document(capsys, *words)

    assert found == code
    assert said.get("changes", []) == []
    assert said.get("items", []) == []


def test_our_own_write_is_what_is_accepted():
    """The baseline takes the new label, not the old one that HubSpot still shows."""
    assert run(["accept", "--all", "-q", "--reason", "as it is"]) == 0

    text = Path("specs/baselines/demo/properties.contacts.json").read_text("utf-8")
    assert json.loads(text)["definitions"]["memo"]["label"] == "Minutes"


def test_our_own_write_is_not_adopted_back():
    """The spec keeps the new label."""
    before = Path("specs/spec.yaml").read_bytes()

    assert run(["adopt", "-q"]) == 0

    assert Path("specs/spec.yaml").read_bytes() == before


def test_our_own_write_is_undone():
    """The way back sees what the apply wrote, though HubSpot does not list it yet."""
    receipt = receipts.newest(Path(".reconciler/receipts/demo"))

    assert run(["plan", "-q", "--inverse", str(receipt), "-o", "json:back.json"]) == 0

    plan = json.loads(Path("back.json").read_text("utf-8"))
    assert [(one["address"], one["fields"][0]["after"]) for one in plan["changes"]] == [(MEMO, "Memo")]


def test_a_plan_that_was_applied_a_moment_ago_is_not_applied_again(capsys):
    """Nothing is written twice because a list lags."""
    Path("specs/spec.yaml").write_text(json.dumps(SPEC).replace('"Memo"', '"Third"'), "utf-8")
    assert run(["plan", "-q", "-o", "json:plan.json"]) == 0
    assert run(["apply", "-q", "plan.json"]) == 0
    before = STATE.read_bytes()
    capsys.readouterr()

    code, said = document(capsys, "apply", "plan.json")

    assert (code, [one["outcome"] for one in said["changes"]]) == (0, ["satisfied"])
    assert STATE.read_bytes() == before


def test_after_five_minutes_what_is_read_counts(capsys):
    """No list lags for so long: somebody has put the label back."""
    minutes_pass(6)

    code, said = document(capsys, "drift")

    assert code == 2
    assert [(one["address"], [field["path"] for field in one["fields"]]) for one in said["items"]] == [
        (MEMO, ["label"])
    ]


def test_a_third_value_is_somebodys_edit(capsys):
    """It is told at once, within the five minutes too."""
    portal = Portal.open(STATE)
    portal.switches["staleReads"] = 0
    portal.save()
    edit(Portal.open(STATE), "relabel", object="contacts", property="memo", label="Theirs")

    code, said = document(capsys, "drift")

    assert code == 2
    assert [field["after"] for one in said["items"] for field in one["fields"]] == ["Theirs"]
