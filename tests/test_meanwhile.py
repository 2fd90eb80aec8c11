"""What somebody does, or HubSpot answers, in the middle of an apply: seen before anything is written over it."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from processes import TOKEN, listening
from small_portal import STATE, settle_in

from reconciler.apply import Tools, carry_out
from reconciler.cli import run
from reconciler.client import Client
from reconciler.emulator import Portal, create_app, edit
from reconciler.emulator.faults import DroppedError
from reconciler.errors import AccessError
from reconciler.kinds import Scope
from reconciler.model import Answer
from reconciler.pace import IdleClock
from reconciler.paths import Api
from reconciler.plan import Change, PlannedField
from reconciler.settings import load
from reconciler.workspace import Workspace

SETTINGS = 'version: 1\nportals: {{production: {{portalId: 12345678, baseUrl: "{url}"}}}}\nwatch: [contacts]\n'
MEMO = "{{label: {}, type: string, fieldType: text, groupName: contactinformation}}"
ADDRESS = "properties/contacts/memo"


@pytest.fixture
def line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", TOKEN)
    Path("specs").mkdir()
    with listening() as (url, line):
        Path("specs/reconciler.yaml").write_text(SETTINGS.format(url=url), "utf-8")
        line.reset(Portal.seeded("empty").state)
        yield line


def applied(label, *words):
    """The exit code, outcome and message of an apply that wants this label."""
    Path("specs/all.yaml").write_text(f"properties: {{contacts: {{memo: {MEMO.format(label)}}}}}", "utf-8")
    code = run(["apply", "-q", "--auto-approve", "-o", "json:applied.json", *words], IdleClock())
    (change,) = json.loads(Path("applied.json").read_text("utf-8"))["changes"]
    return code, change["outcome"], change.get("message", "")


def test_a_lost_write_is_not_repeated_over_what_somebody_made_of_it_meanwhile(line):
    """The PATCH is lost and a colleague writes something else: that was looked at, so it is not written over."""
    assert applied("Memo")[0] == 0
    line.open()
    line.counts_reads = False

    def lose():
        edit(line.portal, "relabel", object="contacts", property="memo", label="Notes")
        raise DroppedError

    line.before_write = lose
    code, outcome, message = applied("Minutes")

    assert (code, outcome) == (7, "unknown")
    assert message.endswith(
        "not known, and somebody else stepped in: label was 'Memo' when the plan was made and is 'Notes' now,"
        f" changed by user 2002 at {updated(line)}"
    )
    assert line.written == 1
    assert memo(line)["label"] == "Notes"


def test_a_repeated_write_is_looked_for_as_patiently_as_any(line):
    """The first PATCH is lost; lists lag behind the second one, so the first look after it shows nothing yet."""
    assert applied("Memo")[0] == 0
    line.open()
    line.portal.switches["staleReads"] = 2

    def lose():
        raise DroppedError

    line.before_write = lose

    assert applied("Minutes") == (0, "verified", "")
    assert memo(line)["label"] == "Minutes"


def memo(line):
    return line.portal.definitions("0-1")["properties"]["memo"]


def updated(line):
    return memo(line)["updatedAt"]


def answering(portal, told):
    """A portal that answers a batch in its own way."""
    app = create_app(portal)

    def answer(environ, start_response):
        body = b"".join(app(environ, start_response))
        return [json.dumps(told).encode() if environ["PATH_INFO"].endswith("/batch/create") else body]

    return answer


@pytest.mark.parametrize(
    "told",
    [
        {"results": [None, {"name": ["a"]}], "errors": [None, "a", {"context": ["name"]}, {"context": {"name": 5}}]},
        {"results": {"name": "a"}, "errors": {"context": {"name": "a"}}},
        {"results": 5, "errors": 5},
        {"results": [{"name": "a"}, {"name": "b"}], "errors": [{"message": "in place of 'a', 'b'"}]},
        {"errors": [{"context": {"name": "ab"}, "message": "none of these two"}]},
    ],
)
def test_an_odd_answer_to_a_batch_hides_nothing_that_it_made(told):
    """Whatever else stands in it, the answer is of a write that was taken: reading back tells what it made."""
    client = Client.for_app(answering(Portal.seeded("empty"), told), "pat-na1-x", clock=IdleClock())
    tools = Tools(client.reader(), client.writer(), Scope(Api("v3")), wait=client.clock.wait)

    run = carry_out([new("a"), new("b")], tools)

    assert {outcome.change.name: outcome.word for outcome in run.outcomes.values()} == {
        "a": "verified",
        "b": "verified",
    }


def new(name):
    """A property that is created."""
    wanted = {"label": name, "type": "string", "fieldType": "text", "groupName": "contactinformation"}
    fields = tuple(PlannedField(path, None, value, "added") for path, value in wanted.items())
    return Change(
        f"properties/contacts/{name}", "create", fields=fields, expects="absent", remote={"objectType": "contacts"}
    )


def test_records_that_came_while_somebody_thought_it_over_are_counted(line):
    """The plan that was shown said that no record held a value; by the time of the yes one does, and nothing goes."""
    assert applied("Memo")[0] == 0
    Path("specs/all.yaml").write_text(f"removed: [{{address: {ADDRESS}, reason: gone}}]\n", "utf-8")
    line.open()

    code, told = agreed(lambda: line.portal.add_records("0-1", [{"id": "1", "properties": {"memo": "kept"}}]))

    assert code == 6
    assert "No record holds a value." in told
    assert f"1 record holds a value of {ADDRESS}; the reviewed plan said 0: plan again and have it reviewed" in told
    assert "memo" in line.portal.definitions("0-1")["properties"]


def test_records_that_nobody_may_count_stop_no_apply_that_was_asked_for(line):
    """The question was asked without a count, so the answer to it stands; a saved plan says which scope counts them."""
    assert applied("Memo")[0] == 0
    Path("specs/all.yaml").write_text(f"removed: [{{address: {ADDRESS}, reason: gone}}]\n", "utf-8")
    line.open()
    scopes = [f"crm.schemas.{name}" for name in ("contacts.read", "contacts.write", "companies.read")]
    line.portal.state["tokens"] = {TOKEN: {"userId": "1", "scopes": ["oauth", *scopes]}}
    assert run(["plan", "-q", "--allow", ADDRESS, "-o", "json:plan.json"], IdleClock()) == 0

    assert run(["apply", "-q", "plan.json", "-o", "json:applied.json"], IdleClock()) == 6
    (error,) = json.loads(Path("applied.json").read_text("utf-8"))["errors"]
    assert "could not be counted: HubSpot answered 403, needs crm.objects.contacts.read" in error["message"]
    code, told = agreed()

    assert (code, "1 archived" in told) == (0, True)


def agreed(meanwhile=lambda: None):
    """The exit code of an apply on a terminal, with consent and a yes, and what it said."""
    keyboard, terminal = pty.openpty()
    command = [sys.executable, "-m", "reconciler", "apply", "--allow", ADDRESS]
    with subprocess.Popen(command, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        said = b""
        while b"[y/N]" not in said and (sign := process.stderr.read(1)):
            said += sign
        meanwhile()
        os.write(keyboard, b"y\n")
        said += process.stderr.read() + process.stdout.read()
    os.close(keyboard)
    os.close(terminal)
    return process.returncode, " ".join(said.decode().split())


class Told:
    """Somebody who answers every read alike."""

    def __init__(self, body):
        self.body = body

    def get_all(self, paths):
        return {path: Answer(200, self.body) for path in paths}


@pytest.mark.parametrize("account", [{}, {"portalId": None}])
@pytest.mark.usefixtures("line")
def test_account_details_that_name_no_portal_are_none(account):
    """Whoever answers in HubSpot's place, nothing is planned for it."""
    settings = load(Path("specs"))

    with pytest.raises(AccessError, match="cannot be told: the account details name none"):
        Workspace(Path("specs"), settings, settings.portal()).check_identity(Told(account))


def test_what_somebody_wrote_over_ours_at_once_is_no_accepted_state(line, capsys):
    """HubSpot took the write and a colleague's came right after it: the text says so, and the next plan a conflict."""
    assert applied("Memo")[0] == 0
    line.open()
    line.counts_reads = False

    def interfere(number):
        if line.portal.log[-1]["method"] == "PATCH":
            edit(line.portal, "relabel", object="contacts", property="memo", label="Notes")

    line.after = interfere
    capsys.readouterr()

    code, outcome, message = applied("Minutes")

    assert (code, outcome) == (7, "done")
    assert message.startswith("HubSpot accepted it, and somebody else stepped in: label was 'Memo'")
    told = " ".join(capsys.readouterr().out.split())
    assert f'✓ done ~ update property memo of contacts "Minutes" {message}' in told
    assert told.endswith("Applied: 1 updated. 1 not verified.")
    line.open()
    assert run(["drift", "-q"], IdleClock()) == 2
    assert 'label  "Memo" → "Notes"' in capsys.readouterr().out
    assert run(["plan", "-q"], IdleClock()) == 5


def test_an_embedded_portal_that_cannot_be_kept_shows_no_write(tmp_path, monkeypatch, capsys):
    """A full disk, as it were: what its file does not hold is not shown to the look that follows, and was not done."""
    monkeypatch.chdir(tmp_path)
    settle_in(spec="propertyGroups: {contacts: {g: {label: G}}}\n")
    in_the_way = STATE.with_name(f"{STATE.name}.{os.getpid()}.tmp")
    in_the_way.mkdir()

    assert run(["apply", "-q", "--auto-approve"]) == 6

    assert "failed + create property group g" in " ".join(capsys.readouterr().out.split())
    in_the_way.rmdir()
    assert run(["plan", "-q", "--detailed-exitcode"]) == 2
