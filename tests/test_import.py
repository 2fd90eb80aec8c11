"""Imports through the command line: piece by piece, with filters that match nothing, and ones that end half-way."""

import json
import os
from pathlib import Path
from socket import socket

import pytest
from small_portal import STATE, settle_in

from reconciler.cli import run
from reconciler.emulator import Portal, edit
from reconciler.importer import Choice
from reconciler.model import Resource

CONTACTS = Path("specs/contacts.yaml")
TEXTS = {"type": "string", "fieldType": "text", "groupName": "contactinformation"}
FLAT = ", ".join(f"{name}: {value}" for name, value in TEXTS.items())


@pytest.fixture(autouse=True)
def _workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settle_in()
    Path("specs/spec.yaml").unlink()


def happens(name, **words):
    edit(Portal.open(STATE), name, **words)


def made(*names):
    for name in names:
        happens("create", object="contacts", definition={"name": name, "label": name.title(), **TEXTS})


def imported(*words):
    assert run(["import", "-q", *words]) == 0


def test_a_second_import_leaves_what_its_filter_does_not_cover(capsys):
    """Piece by piece: what an earlier import wrote stays as it is, and a plan is empty after each."""
    made("abacus", "beaker", "candle")
    imported("--name", "b*")
    imported("--name", "a*")

    text = CONTACTS.read_text("utf-8")
    assert [line for line in text.splitlines() if line[:4] == "    " and line[4] != " "] == [
        "    abacus:",
        "    beaker:",
    ]
    capsys.readouterr()
    assert run(["plan", "-q", "--detailed-exitcode"]) == 0
    assert "No changes. 2 definitions match the specs." in capsys.readouterr().out


def test_a_second_import_brings_only_what_it_covers_up_to_date():
    """What moved or went under the filter is as it is live; the same for another name is left for drift."""
    made("abacus", "apron", "beaker")
    imported()
    for name in ("abacus", "beaker"):
        happens("relabel", object="contacts", property=name, label="New")
    happens("archive", object="contacts", property="apron")
    imported("--name", "a*")

    text = CONTACTS.read_text("utf-8")
    assert [line.strip() for line in text.splitlines() if "label:" in line] == ["label: New", "label: Beaker"]
    imported("--kind", "propertyGroups")
    assert CONTACTS.read_text("utf-8") == text


def test_stages_stay_in_their_list():
    """A list of stages that grows by a second import is in the order of the portal."""
    imported("--name", "l*")
    imported("--name", "customer")

    text = Path("specs/lifecycle.yaml").read_text("utf-8")
    assert [line.strip() for line in text.splitlines() if "name:" in line] == [
        "- {name: lead, label: Lead}",
        "- {name: customer, label: Customer}",
    ]


@pytest.mark.parametrize(
    ("words", "why", "hint"),
    [
        (["--object-type", "contcts"], "the portal has no object type contcts", "did you mean contacts?"),
        (["--group", "contactinfo"], "no property group is called contactinfo", "did you mean contactinformation?"),
        (["--name", "zz*"], "nothing in the portal is called zz*", "the name is HubSpot's internal one"),
        (["--name", "hs_lead_status"], "nothing to import is called hs_lead_status", "--include-defaults"),
    ],
)
def test_a_filter_that_matches_nothing_is_refused(words, why, hint, capsys):
    """It is a slip of the pen; nothing is written, no baseline either."""
    assert run(["import", "-q", *words]) == 3

    said = capsys.readouterr().err
    assert why in said
    assert hint in said
    assert [path.name for path in sorted(Path("specs").rglob("*"))] == ["reconciler.yaml"]


def test_an_object_type_that_a_recorded_read_does_not_hold_is_refused(capsys):
    """Nothing can be imported from a list that is not there, and it may be misspelt."""
    assert run(["snapshot", "-q", "s.json"]) == 0
    assert run(["import", "-q", "--from-snapshot", "s.json", "--object-type", "contcts"]) == 3

    said = capsys.readouterr().err
    assert "the recorded read holds nothing of contcts" in said
    assert "did you mean contacts?" in said
    assert not Path("specs/baselines").exists()
    imported("--from-snapshot", "s.json", "--object-type", "contacts")


def test_what_is_declared_already_matches_a_filter():
    """There is nothing more to write, and that is no mistake."""
    Path("specs/mine.yaml").write_text("properties: {contacts: {email: {hidden: false}, mine: {label: M}}}\n", "utf-8")
    made("mine")
    imported("--name", "mine")


def test_an_import_that_cannot_write_its_baseline_leaves_nothing_half(capsys):
    """Spec files without their baseline would be adopted by the next plan, and the message names the real file."""
    imported("--name", "lead")
    before = {path: path.read_bytes() for path in Path("specs").rglob("*") if path.is_file()}
    made("abacus")
    Path(f"specs/baselines/demo/.properties.contacts.json.{os.getpid()}").mkdir()  # where the draft would be
    capsys.readouterr()

    assert run(["import", "-q"]) == 3

    assert "cannot write specs/baselines/demo/properties.contacts.json: Is a directory" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in Path("specs").rglob("*") if path.is_file()} == before


def test_a_first_baseline_names_the_portal():
    """The settings name it, so the next command has nothing to write over."""
    settings = Path("specs/reconciler.yaml")
    with_id = settings.read_text("utf-8").replace("{emulator:", "{portalId: 12345678, emulator:")
    settings.write_text(with_id, "utf-8")
    imported()

    files = sorted(Path("specs/baselines/demo").glob("*.json"))
    assert {json.loads(file.read_text("utf-8"))["portalId"] for file in files} == {12345678}
    for file in files:
        file.unlink()
    Path("specs/mine.yaml").write_text(f"properties: {{contacts: {{mine: {{label: M, {FLAT}}}}}}}\n", "utf-8")
    assert run(["apply", "-q", "--auto-approve"]) == 0
    files = sorted(Path("specs/baselines/demo").glob("*.json"))
    assert {json.loads(file.read_text("utf-8"))["portalId"] for file in files} == {12345678}


def test_an_import_that_can_read_nothing_imports_nothing(capsys):
    """Nobody is there: exit 8, the way out, and not so much as an empty baseline."""
    with socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens there
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        settings = f"version: 1\nretries: {{tries: 1}}\nportals: {{p: {{baseUrl: '{url}'}}}}\nwatch: [contacts]\n"
        Path("elsewhere").mkdir()
        Path("elsewhere/reconciler.yaml").write_text(settings, "utf-8")
        assert run(["import", "--specs", "elsewhere"]) == 8

    said = " ".join(capsys.readouterr().err.split())
    assert "no list of the portal could be read" in said
    assert "check network and baseUrl" in said
    assert [path.name for path in Path("elsewhere").iterdir()] == ["reconciler.yaml"]


def test_what_is_listed_for_removal_is_not_declared_again():
    """Neither a property nor an option: the specs would say two things at once."""
    options = [{"value": value, "label": value.upper(), "displayOrder": at} for at, value in enumerate("abc")]
    made("old")
    select = {"name": "tier", "label": "Tier", **TEXTS, "type": "enumeration", "fieldType": "select"}
    happens("create", object="contacts", definition={**select, "options": options})
    stones = "properties/contacts/old", "properties/contacts/tier/options/b"
    lines = "".join(f"  - {{address: {stone}, reason: gone}}\n" for stone in stones)
    Path("specs/mine.yaml").write_text(f"removed:\n{lines}", "utf-8")

    imported()

    assert run(["validate", "-q"]) == 0
    text = CONTACTS.read_text("utf-8")
    assert "old:" not in text
    assert "value: a," in text
    assert "value: b," not in text


def test_an_import_beside_specs_that_cannot_be_read_writes_nothing(capsys):
    """Nobody knows what they declare, so it could be declared twice."""
    Path("specs/mine.yaml").write_text("properties: {contacts: {mine: {label: M\n", "utf-8")
    made("mine")
    capsys.readouterr()

    assert run(["import", "-q"]) == 3

    told = capsys.readouterr().err
    assert "error: the specs have errors\nspecs/mine.yaml:1:" in told
    assert "mend them first: `reconciler validate`" in told
    assert not CONTACTS.exists()


def test_what_other_portals_have_too_stays_as_it_is_declared(capsys):
    """The files are shared: what one portal has otherwise would change the specs of the others without a word."""
    settings = Path("specs/reconciler.yaml")
    both = settings.read_text("utf-8").replace("portals: {", "defaultPortal: demo\nportals: {us: {emulator: us.json}, ")
    settings.write_text(both, "utf-8")
    made("abc", "efg")
    imported()
    shared = CONTACTS.read_text("utf-8")
    Path("us.json").write_bytes(Path(STATE).read_bytes())
    us = Portal.open("us.json")
    edit(us, "relabel", object="contacts", property="abc", label="Abc US")
    edit(us, "archive", object="contacts", property="efg")
    capsys.readouterr()

    assert run(["import", "-p", "us"]) == 0

    told = " ".join(capsys.readouterr().out.split())
    assert "definitions are declared for other portals or by an overlay, and left so: lifecycleStages/" in told
    assert "`reconciler plan -p us` tells where this portal differs" in told
    assert CONTACTS.read_text("utf-8") == shared


def test_what_an_overlay_gives_stays_in_the_overlay():
    """An import of the portal that it is for does not take it into the shared specs."""
    made("abc", "efg")
    imported()
    shared = CONTACTS.read_text("utf-8")
    Path("specs/overlays/demo").mkdir(parents=True)
    Path("specs/overlays/demo/a.yaml").write_text("properties: {contacts: {abc: {label: Ours}}}\n", "utf-8")
    happens("relabel", object="contacts", property="abc", label="Ours")
    happens("relabel", object="contacts", property="efg", label="Other")

    imported()

    assert CONTACTS.read_text("utf-8").splitlines()[2:] == shared.replace("Efg", "Other").splitlines()[2:]
    assert run(["plan", "-q", "--detailed-exitcode"]) == 0


def test_stages_belong_to_the_two_object_types_that_have_them():
    """An import of another type leaves the lifecycle alone."""
    stage = Resource("lifecycleStages", "lifecycleStages/lead", {})

    covered = {one: Choice(object_types=(one,)).covers(stage) for one in ("contacts", "companies", "deals")}

    assert covered == {"contacts": True, "companies": True, "deals": False}


def test_a_file_that_stays_as_it_is_is_not_called_written(capsys):
    """A second import says so, in the text and in the document."""
    made("abc")
    capsys.readouterr()
    imported()
    assert "  written    contacts.yaml   1 definition\n" in capsys.readouterr().out
    imported()
    assert "  unchanged  contacts.yaml   1 definition\n" in capsys.readouterr().out


def test_what_left_the_portal_leaves_the_specs_and_the_baseline(capsys):
    """Also the last one of a file: a plan right after an import is empty, and restores nothing."""
    made("abc")
    imported()
    happens("archive", object="contacts", property="abc")
    capsys.readouterr()

    assert run(["import"]) == 0

    told = capsys.readouterr().out
    assert "1 definition is gone from the portal, and so from the specs: properties/contacts/abc" in told
    assert "  written    contacts.yaml   0 definitions\n" in told
    assert run(["validate", "-q"]) == 0
    capsys.readouterr()
    assert run(["plan"]) == 0
    assert "No changes." in capsys.readouterr().out
    assert run(["drift", "-q"]) == 0
    (line,) = Path("specs/baselines/demo/acceptances.jsonl").read_text("utf-8").splitlines()
    assert json.loads(line)["address"] == "properties/contacts/abc"
    imported("--kind", "properties", "--include-defaults", "--name", "hs_lead_status")


def test_what_the_specs_cannot_say_any_more_leaves_them_and_stays_in_the_baseline(capsys):
    """It is nobody's from then on, as if the first import had met it so: a plan is empty, and nothing drifts."""
    happens("create", object="contacts", definition={"name": "abc", "label": "Abc", **TEXTS})
    imported()
    happens("create", object="contacts", definition={"name": "abd", "label": "Abd", **TEXTS})
    state = json.loads(STATE.read_text("utf-8"))
    state["objects"]["0-1"]["properties"]["abc"]["type"] = "json"
    STATE.write_text(json.dumps(state), "utf-8")

    imported()

    assert "abc" not in CONTACTS.read_text("utf-8")
    capsys.readouterr()
    assert run(["plan", "-q"]) == 0
    assert "No changes. " in capsys.readouterr().out
    assert run(["drift", "-q"]) == 0


def test_a_file_of_an_import_stays_where_somebody_puts_it():
    """What is in it is brought up to date there, and declared nowhere else."""
    made("abc", "efg")
    imported()
    moved = Path("specs/crm/people.yaml")
    moved.parent.mkdir()
    CONTACTS.rename(moved)
    happens("relabel", object="contacts", property="abc", label="Level")

    imported()

    assert "label: Level" in moved.read_text("utf-8")
    assert not CONTACTS.exists()
    assert run(["plan", "-q", "--detailed-exitcode"]) == 0


def test_an_import_of_nothing_changes_nothing():
    """What a recorded read does not hold keeps its file, and stages their order."""
    made("abc")
    imported()
    before = {path: path.read_bytes() for path in Path("specs").rglob("*") if path.is_file()}
    Path("read.json").write_text('{"formatVersion": "1.0", "responses": {}}', "utf-8")

    imported("--from-snapshot", "read.json")

    assert {path: path.read_bytes() for path in Path("specs").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(("watch", "called"), [("contacts", "pet"), ("contacts, Pet", "Pet"), ("contacts, 2-1", "2-1")])
def test_a_custom_object_of_a_recorded_read_goes_by_one_name(watch, called):
    """Its name, as the settings spell it, and not its id beside it: everything of it would be declared twice."""
    settings = Path("specs/reconciler.yaml")
    settings.write_text(settings.read_text("utf-8").replace("[contacts]", f"[{watch}]"), "utf-8")
    breed = {"name": "breed", "label": "Breed", **TEXTS, "groupName": "pets", "options": [], "archived": False}
    half = {"category": "USER_DEFINED", "typeId": 3, "label": "Owner"}
    lists = {
        "/crm-object-schemas/v3/schemas": [{"name": "pet", "objectTypeId": "2-1", "fullyQualifiedName": "p5_pet"}],
        "/crm/v3/properties/2-1": [breed],
        "/crm/v3/properties/2-1/groups": [{"name": "pets", "label": "Pets", "displayOrder": 0}],
        "/crm/v4/associations/contacts/2-1/labels": [half],
        "/crm/v4/associations/2-1/contacts/labels": [{**half, "typeId": 4}],
    }
    responses = {path: {"results": results} for path, results in lists.items()}
    Path("read.json").write_text(json.dumps({"formatVersion": "1.0", "responses": responses}), "utf-8")

    imported("--from-snapshot", "read.json")

    files = {path.name for path in Path("specs").glob("*.yaml")}
    assert files == {"reconciler.yaml", "associations.yaml", f"{called}.yaml"}
    assert run(["plan", "-q", "--from-snapshot", "read.json", "--detailed-exitcode"]) == 0


def test_an_import_of_a_recorded_read_is_followed_by_a_plan_of_it(capsys):
    """Without the file the next command would ask the portal itself, and perhaps for a token."""
    assert run(["snapshot", "-q", "my read.json"]) == 0
    assert run(["import", "--from-snapshot", "my read.json"]) == 0

    assert "\nNext: reconciler plan --from-snapshot 'my read.json'   (" in capsys.readouterr().out


def test_an_import_from_a_portal_that_has_next_to_nothing_of_it_is_refused(capsys):
    """It is rather the wrong portal than one that lost more than half; a few may go, and do."""
    made(*(f"cs_{letter}" for letter in "abcdefghijklm"))
    imported("--name", "cs_*")
    before = CONTACTS.read_bytes()
    for letter in "abcdefghijk":
        happens("archive", object="contacts", property=f"cs_{letter}")
    capsys.readouterr()

    assert run(["import", "-q", "--kind", "properties"]) == 3

    told = capsys.readouterr().err
    assert "error: 11 of 13 imported definitions are not in this portal" in told
    assert "is it the right one? `-p` and the token choose it" in told
    assert CONTACTS.read_bytes() == before
