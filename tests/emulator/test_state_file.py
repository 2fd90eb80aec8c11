"""The file that a portal lives in: shared, broken, not to be written."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler.cli import run
from reconciler.emulator import Portal, SeedError, edit

PROPERTIES = "/crm/v3/properties/contacts"
NOTE = {"name": "note", "label": "Note", "type": "string", "fieldType": "text", "groupName": "contactinformation"}
LEAST = {"portalId": 7, "objects": {}, "pipelines": {}, "switches": {}}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "portal.json"


def test_who_shares_a_file_sees_what_the_other_wrote(file, connect):
    """A served portal and a command work on one state file side by side, and neither undoes the other."""
    served, command = Portal.open(file, seed="empty"), Portal.open(file, seed="empty")
    connect(command).post(PROPERTIES, json=NOTE)
    assert connect(served).get(f"{PROPERTIES}/note").json()["label"] == "Note"
    edit(served, "relabel", object="contacts", property="note", label="Notiz")
    connect(command).post(PROPERTIES, json={**NOTE, "name": "other"})

    listed = connect(Portal.open(file)).get(PROPERTIES).json()["results"]
    assert {"Notiz", "Note"} <= {one["label"] for one in listed}
    assert listed == connect(served).get(PROPERTIES).json()["results"]


def test_no_write_gets_lost_among_many_writers(file, connect):
    """Two portals on one file, each with many requests at once, keep all that was answered with a 201."""
    clients = [connect(Portal.open(file, seed="empty")) for _ in range(2)]

    def create(number):
        answer = clients[number % 2].post(PROPERTIES, json={**NOTE, "name": f"note_{number}"})
        return answer.status_code, answer.json()["createdAt"]

    with ThreadPoolExecutor(8) as pool:
        answers = [*pool.map(create, range(24))]

    kept = json.loads(file.read_text())["objects"]["0-1"]["properties"]
    assert {status for status, _ in answers} == {201}
    assert len({time for _, time in answers}) == 24
    assert len([name for name in kept if name.startswith("note_")]) == 24


STAGES = "/crm/v3/pipelines/contacts/contacts-lifecycle-pipeline/stages"
CAR = {"name": "car", "labels": {"singular": "Car", "plural": "Cars"}, "primaryDisplayProperty": "hs_object_id"}
WRITES = [
    ("POST", PROPERTIES, NOTE),
    ("PATCH", f"{PROPERTIES}/note", {"label": "Notiz"}),
    ("DELETE", f"{PROPERTIES}/note", None),
    ("POST", PROPERTIES, {**NOTE, "label": "Again"}),
    ("POST", f"{PROPERTIES}/batch/create", {"inputs": [NOTE, {**NOTE, "name": "two"}]}),
    ("PATCH", f"{PROPERTIES}/two", {"label": "Zwei"}),
    ("POST", f"{PROPERTIES}/batch/archive", {"inputs": [{"name": "two"}, {"name": "never"}]}),
    ("PATCH", f"{PROPERTIES}/groups/contactinformation", {"label": "Person"}),
    ("POST", STAGES, {"label": "Trial", "displayOrder": 2, "metadata": {}}),
    ("PATCH", f"{STAGES}/lead", {"label": "Leads"}),
    ("POST", "/crm-object-schemas/v3/schemas", CAR),
    ("POST", "/_emulator/edit", {"name": "relabel", "object": "contacts", "property": "note", "label": "Memo"}),
    ("POST", "/_emulator/edit", {"name": "purge", "object": "contacts", "property": "note"}),
    ("POST", PROPERTIES, {**NOTE, "label": "Anew"}),
]


def test_after_each_write_the_file_is_the_portal(file, connect):
    """However little of it a write touched, and whatever is encoded already."""
    portal = Portal.open(file, seed="empty")
    client = connect(portal)

    for method, path, body in WRITES:
        answer = client.request(method, path, json=body)
        assert answer.is_success, answer.text
        assert json.loads(file.read_text()) == json.loads(json.dumps(portal.state)), path


def test_what_cannot_be_kept_was_not_done(tmp_path, connect):
    """A write that does not reach the file is refused with the reason, and no read shows it."""
    Path(tmp_path, "file").write_text("")
    client = connect(Portal.open(tmp_path / "file/portal.json", seed="empty"))
    refused = client.post(PROPERTIES, json=NOTE)

    assert refused.status_code == 400
    assert refused.json()["message"].endswith("file/portal.json cannot be kept: Not a directory")
    assert client.get(f"{PROPERTIES}/note").status_code == 404


def test_an_apply_to_a_portal_that_cannot_be_kept_says_so(tmp_path, monkeypatch, capsys):
    """Nothing was written, the exit code says so too, and the reason is there."""
    monkeypatch.chdir(tmp_path)
    assert run(["-q", "init"]) == 0
    settings = Path("specs/reconciler.yaml")
    settings.write_text(settings.read_text().replace(".reconciler/demo.json", "specs/contacts.yaml/demo.json"))
    capsys.readouterr()

    assert run(["apply", "--auto-approve"]) == 6
    told = capsys.readouterr().out
    assert "cannot be kept: Not a directory" in " ".join(told.split())
    assert "8 failed, 8 blocked." in told


def test_the_server_begins_with_a_file_it_can_write(tmp_path, monkeypatch, capsys):
    """A state file that cannot be written is refused before anybody is told an address."""
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")

    assert run(["emulator", "--state", "file/portal.json"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert "the emulated portal in file/portal.json cannot be kept: Not a directory" in said.err


def test_nobody_is_told_to_delete_what_was_no_portal(tmp_path, monkeypatch, capsys):
    """The file may be somebody's notes, named by mistake."""
    monkeypatch.chdir(tmp_path)
    Path("notes.json").write_text("[]")

    assert run(["emulator", "--state", "notes.json"]) == 3
    told = capsys.readouterr().err
    assert "if it was one, delete the file and the next run begins a new portal; else name another file" in told


def test_the_next_write_clears_up_after_a_killed_one(file, connect):
    """A half-written file of a process that is gone does not stay for ever."""
    file.with_name("portal.json.4711.tmp").write_text("{")
    connect(Portal.open(file, seed="empty")).post(PROPERTIES, json=NOTE)

    assert [one.name for one in file.parent.iterdir()] == ["portal.json"]


def test_a_file_that_somebody_breaks_meanwhile_is_named(file, connect):
    """A served portal whose file is no portal any more says that, and works again with the next good one."""
    client = connect(Portal.open(file, seed="empty"))
    client.post(PROPERTIES, json=NOTE)
    good = file.read_text()
    file.write_text("{")
    broken = client.get(PROPERTIES)
    file.write_text(good)

    assert (broken.status_code, broken.json()["message"].rpartition(": ")[2]) == (400, "it is not JSON")
    assert client.get(f"{PROPERTIES}/note").status_code == 200


def test_a_state_of_little_is_filled_up(file, connect):
    """What a file does not say is as in an empty portal; an object type that it does not have is not known."""
    file.write_text(json.dumps({**LEAST, "objects": {"0-1": {"name": "contacts"}}}))
    client = connect(Portal.open(file))

    assert client.get(PROPERTIES).json() == {"results": []}
    assert client.get("/crm/v3/properties/deals").status_code == 400
    assert client.get("/account-info/v3/details").json()["portalId"] == 7


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is not JSON"),
        ("[]", "it is no mapping"),
        ('{"portalId": 1}', "it lacks objects, pipelines, switches"),
        (json.dumps({**LEAST, "objects": {"0-1": []}}), "objects/0-1 is no mapping"),
        (json.dumps({**LEAST, "objects": {"0-1": {"properties": []}}}), "properties of objects/0-1 is no mapping"),
        (json.dumps({**LEAST, "tokens": ["a"]}), "tokens of it is no mapping"),
    ],
)
def test_a_file_that_is_no_portal_says_why(file, text, reason):
    """As the state of a portal and as a seed, with the same reason."""
    file.write_text(text)

    with pytest.raises(SeedError, match=f"^{reason}$"):
        Portal.open(file)
    with pytest.raises(SeedError):
        Portal.seeded(file)


def test_names_with_any_sign_can_be_changed_in_an_embedded_portal(tmp_path, monkeypatch, capsys):
    """A slash, a percent sign or letters of any script in a name reach the portal as they were written."""
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/reconciler.yaml").write_text("version: 1\nwatch: [contacts]\nportals: {demo: {emulator: demo.json}}\n")
    for label in ("One", "Two"):
        groups = "".join(f'    "{name}": {{label: {label}}}\n' for name in ("a/b", "50%", "é", "группа"))
        Path("specs/groups.yaml").write_text(f"propertyGroups:\n  contacts:\n{groups}", "utf-8")
        assert run(["-q", "apply", "--auto-approve"]) == 0, capsys.readouterr().out

    assert run(["plan", "--detailed-exitcode"]) == 0
