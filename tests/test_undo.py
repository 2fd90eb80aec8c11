"""The way back from an apply: it is printed, it can be pasted, and it works."""

import json
import shlex
from pathlib import Path

import pytest

from reconciler.cli import run
from reconciler.emulator import Portal, edit, faults

TIER = "label: Tier, type: string, fieldType: text, groupName: contactinformation"
SPEC = f"properties: {{contacts: {{tier: {{{TIER}}}}}}}\n"


@pytest.fixture(autouse=True)
def _portals(tmp_path, monkeypatch):
    """Two embedded portals, their specs in a directory of another name."""
    monkeypatch.chdir(tmp_path)
    for variable in ("RECONCILER_SPECS", "RECONCILER_PORTAL"):
        monkeypatch.delenv(variable, raising=False)
    Path("hub spot").mkdir()
    portals = "portals: {demo: {emulator: demo.json}, prod: {emulator: prod.json}}\n"
    Path("hub spot/reconciler.yaml").write_text(f"version: 1\ndefaultPortal: demo\nwatch: [contacts]\n{portals}")
    Path("hub spot/contacts.yaml").write_text(SPEC)


def label(portal):
    return Portal.open(f"{portal}.json").definitions("0-1")["properties"]["tier"]["label"]


def test_an_apply_ends_with_its_receipt_and_the_command_that_plans_it_back(capsys):
    """The printed command, pasted, makes a plan for the same portal that puts back what the apply did."""
    words = ["--specs", "hub spot", "-p", "prod"]
    assert run(["apply", "--auto-approve", *words]) == 0
    Path("hub spot/contacts.yaml").write_text(SPEC.replace("Tier", "Level"))
    capsys.readouterr()
    assert run(["apply", "--auto-approve", *words]) == 0
    receipt, undo = capsys.readouterr().err.splitlines()[-2:]

    (written,) = sorted(Path(".reconciler/receipts/prod").glob("*.jsonl"))[1:]
    assert receipt == f"Receipt: {written}"
    assert undo == f"Undo:    reconciler plan --inverse {written} -o json:undo.json -p prod --specs 'hub spot'"
    assert label("prod") == "Level"
    assert run(shlex.split(undo)[2:]) == 0
    assert run(["apply", "undo.json", *words]) == 0
    assert label("prod") == "Tier"


def test_the_undo_holds_in_another_shell_too(capsys, monkeypatch):
    """What only the environment says is in the command; a run that wrote nothing has nothing to undo."""
    monkeypatch.setenv("RECONCILER_SPECS", "hub spot")
    monkeypatch.setenv("RECONCILER_PORTAL", "prod")
    assert run(["apply", "--auto-approve"]) == 0
    first = capsys.readouterr().err
    assert run(["apply", "--auto-approve"]) == 0
    second = capsys.readouterr().err

    (written,) = Path(".reconciler/receipts/prod").glob("*.jsonl")
    undo = f"reconciler plan --inverse {written} -o json:undo.json -p prod --specs 'hub spot'"
    assert first.endswith(f"Undo:    {undo}\n")
    assert "Undo" not in second
    monkeypatch.delenv("RECONCILER_SPECS")
    monkeypatch.delenv("RECONCILER_PORTAL")
    assert run(shlex.split(undo)[1:]) == 0


def test_what_wrote_nothing_has_nothing_to_undo(capsys):
    """HubSpot refused the only change: there is a receipt of that, and no way back from it."""
    portal = Portal.open("demo.json")
    faults.add(portal, method="POST", status=400, count=0)
    portal.save()

    assert run(["apply", "--auto-approve", "--specs", "hub spot"]) == 6

    (written,) = Path(".reconciler/receipts/demo").glob("*.jsonl")
    assert capsys.readouterr().err.endswith(f"\nReceipt: {written}\n")


def test_without_a_place_for_a_receipt_nothing_is_written(capsys):
    """The message says which directory it is about, and that nothing happened."""
    Path(".reconciler").write_text("a file", "utf-8")

    assert run(["apply", "-q", "--auto-approve", "--specs", "hub spot"]) == 3

    told = capsys.readouterr().err
    assert told.startswith("error: without a receipt nothing is applied, and it cannot be begun: Not a directory\n")
    assert f"give the right to write into {Path('.reconciler/receipts/demo').resolve()}, then apply again" in told
    assert "tier" not in Portal.open("demo.json").definitions("0-1")["properties"]


def test_the_usual_portal_and_specs_are_not_named(capsys):
    """What any command takes without a word needs none."""
    Path("specs").symlink_to("hub spot")
    assert run(["apply", "--auto-approve"]) == 0

    (written,) = Path(".reconciler/receipts/demo").glob("*.jsonl")
    assert capsys.readouterr().err.endswith(f"Undo:    reconciler plan --inverse {written} -o json:undo.json\n")


@pytest.mark.parametrize("words", [["show"], ["apply"]], ids=lambda words: words[0])
def test_a_receipt_is_told_as_one(words, capsys):
    """Who takes a receipt for a document is told what it is, and what it is good for."""
    assert run(["apply", "-q", "--auto-approve", "--specs", "hub spot"]) == 0
    (written,) = Path(".reconciler/receipts/demo").glob("*.jsonl")
    for text in (written.read_text("utf-8"), written.read_text("utf-8").splitlines()[0]):
        written.write_text(text, "utf-8")
        capsys.readouterr()

        assert run([*words, str(written), "--specs", "hub spot"]) == 3

        told = capsys.readouterr().err
        assert told.startswith(f"error: {written} is the receipt of an apply to demo at 20")
        assert told.endswith(f", and no document\n  `reconciler plan --inverse {written}` plans back what it did\n")


ODD = {
    "an action it does not name": ("action", None),
    "a reason it does not name": ("reason", None),
    "fields of no kind": ("fields", [{"path": "a/b/c/d", "before": 1, "after": 2, "cause": "spec_change"}]),
    "no preconditions": ("preconditions", None),
    "a source of another form": ("source", "specs/contacts.yaml"),
    "a value of another form": ("fields", [{"path": "label", "before": {"en": "Tier"}, "after": "A", "cause": "x"}]),
}


@pytest.mark.parametrize("odd", ODD)
def test_a_receipt_of_another_version_stops_nothing_but_its_undo(odd, capsys):
    """What a receipt tells is evidence that plan and drift can do without; only the undo of it needs every word."""
    words = ["--specs", "hub spot", "-q"]
    assert run(["apply", "--auto-approve", *words]) == 0
    (receipt,) = Path(".reconciler/receipts/demo").glob("*.jsonl")
    begin, *rest = receipt.read_text("utf-8").splitlines()
    told = json.loads(begin)
    key, value = ODD[odd]
    told["changes"][0] = {one: v for one, v in {**told["changes"][0], key: value}.items() if v is not None}
    receipt.write_text("\n".join([json.dumps(told), *rest, ""]), "utf-8")

    assert [run([command, *words]) for command in ("plan", "drift")] == [0, 0]
    capsys.readouterr()
    assert run(["plan", "--inverse", str(receipt), *words]) == 3
    assert capsys.readouterr().err.startswith(f"error: {receipt} is no")


@pytest.mark.parametrize("text", ["{}\n" * 2, "[" * 100_000 + "]" * 100_000 + "\n", '{"event": "begin", "at": 1}\n'])
def test_a_file_among_the_receipts_that_is_none_stops_nothing(text, capsys):
    """Whatever lies there, a plan names it and goes on, and whoever shows it is told what it is not."""
    words = ["--specs", "hub spot", "-q"]
    assert run(["apply", "--auto-approve", *words]) == 0
    other = Path(".reconciler/receipts/demo/other.jsonl")
    other.write_text(text, "utf-8")
    capsys.readouterr()

    assert run(["plan", *words]) == 0
    assert "receipt-unreadable" in capsys.readouterr().out
    assert [run([*command, str(other), *words]) for command in (["plan", "--inverse"], ["show"], ["apply"])] == [3] * 3


def tier(*values):
    """The specs with these options, and the rest of three tombstones."""
    listed = ", ".join(f"{{value: {value}, label: {value}}}" for value in values)
    entry = f"label: Tier, type: enumeration, fieldType: select, groupName: contactinformation, options: [{listed}]"
    gone = [f"properties/contacts/tier/options/{value}" for value in "abcd" if value not in values]
    stones = ", ".join(f"{{address: {address}, reason: gone}}" for address in gone)
    text = f"properties: {{contacts: {{tier: {{{entry}}}}}}}\nremoved: [{stones}]\n"
    Path("hub spot/contacts.yaml").write_text(text, "utf-8")
    return [word for address in gone for word in ("--allow", address)]


@pytest.mark.parametrize("left", ["bcd", "acd", "db", "xc"])
def test_an_option_comes_back_where_it_stood(left):
    """Its place was seen by the apply that removed it; the specs of before find everything as they have it."""
    words = ["--specs", "hub spot", "-q"]
    tier(*"abcd")
    assert run(["apply", "--auto-approve", *words]) == 0
    allowed = tier(*left)
    assert run(["apply", "--auto-approve", *words, *allowed]) == 0
    receipt = max(Path(".reconciler/receipts/demo").glob("*.jsonl"))

    assert run(["plan", "--inverse", str(receipt), "-o", "json:undo.json", *words]) == 0
    assert run(["apply", "undo.json", *words, "--allow", "properties/contacts/tier/options/x"]) == 0

    options = Portal.open("demo.json").definitions("0-1")["properties"]["tier"]["options"]
    assert [option["value"] for option in options] == ["a", "b", "c", "d"]
    tier(*"abcd")
    assert run(["plan", "--detailed-exitcode", *words]) == 0


def test_what_somebody_archived_already_needs_no_way_back(capsys):
    """The property that an apply made is gone: the undo of it has nothing left to do, and says so."""
    words = ["--specs", "hub spot"]
    assert run(["apply", "--auto-approve", "-q", *words]) == 0
    portal = Portal.open("demo.json")
    edit(portal, "archive", object="contacts", property="tier")
    (receipt,) = Path(".reconciler/receipts/demo").glob("*.jsonl")
    capsys.readouterr()

    assert run(["plan", "--inverse", str(receipt), *words]) == 0
    assert "\nNo changes." in capsys.readouterr().out
