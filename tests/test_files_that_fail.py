"""Files that cannot be written or read, and readers that go away: the exit code says what became of the portal."""

import io
import json
import os
import resource
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.apply import Tools, carry_out
from reconciler.baseline import Baseline, save
from reconciler.cli import run
from reconciler.client import Client
from reconciler.deploy import ended
from reconciler.emulator import Portal, create_app
from reconciler.errors import UsageError
from reconciler.kinds import Scope
from reconciler.model import Resource, Snapshot
from reconciler.paths import Api
from reconciler.receipts import Receipt
from reconciler.report import apply_document, change_from_json

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")


@pytest.fixture(autouse=True)
def _directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["-q", "init"]) == 0


@pytest.mark.parametrize("file", ["nowhere/apply.json", "specs"])
def test_an_output_that_cannot_be_written_stops_the_run_before_it_begins(file, capsys):
    """Exit 3 means that nothing was written to the portal, so it is known before the first write."""
    assert run(["apply", "-q", "--auto-approve", "-o", f"json:{file}"]) == 3
    assert f"cannot write {file}" in capsys.readouterr().err
    assert run(["plan", "-q", "--detailed-exitcode"]) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("words", [["-o", "json:/dev/full"], ["-o", "json:/dev/full", "-o", "json:there.json"]])
def test_an_output_that_fails_after_an_apply_does_not_say_that_nothing_was_written(words, capsys):
    """A disk that fills up costs that file: exit code 7 wherever it is told, and the portal is applied."""
    assert run(["apply", "-q", "--auto-approve", *words]) == 7

    told = capsys.readouterr().out
    assert "cannot write /dev/full: No space left on device" in told
    assert "Applied: 15 created" in told
    if "json:there.json" in words:
        assert json.loads(Path("there.json").read_text("utf-8"))["exit"]["code"] == 7
    assert run(["plan", "-q", "--detailed-exitcode"]) == 0


class Terminal(io.StringIO):
    """Somebody who has typed an answer."""

    def isatty(self):
        return True


def test_whoever_says_no_gets_the_document_of_a_cancelled_run(monkeypatch, capsys):
    """Exit 130, the same number in the document, and nothing written."""
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))

    assert run(["apply", "-o", "json:no.json"]) == 130

    assert "cancelled" in capsys.readouterr().err
    assert json.loads(Path("no.json").read_text("utf-8"))["exit"] == {"code": 130, "name": "cancelled"}
    assert "| 130, 143 | cancelled | interrupt (or a no to the question of `apply`)" in README
    assert run(["plan", "-q", "--detailed-exitcode"]) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["snapshot", "nowhere/s.json"], "nowhere/s.json: there is no directory nowhere"),
        (["init", "--specs", "specs/contacts.yaml/specs"], "specs/contacts.yaml/specs: Not a directory"),
        (["apply", "--auto-approve"], "and it cannot be begun: Not a directory"),
        (["emulator", "--state", "specs/contacts.yaml"], "specs/contacts.yaml is no embedded portal"),
    ],
)
def test_a_file_that_fails_is_named_and_is_no_bug(words, told, capsys):
    """What the machine refuses is said with the file's name, as a usage error."""
    Path(".reconciler").mkdir()
    Path(".reconciler/receipts").write_text("", "utf-8")

    assert run(["-q", *words]) == 3
    assert told in capsys.readouterr().err


def test_a_port_that_is_taken_is_no_bug(capsys):
    """Somebody else's port is a usage error that names it, and how to get another."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(["emulator", "--seed", "empty", "--port", str(port)]) == 3

    told = f"port {port} cannot be listened on: Address already in use\n  choose another --port, or leave it out"
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\r\ncaf\xe9\r\n", b"a\r\ncaf\xe9\r\n.reconciler/\n"),
        (b"a", b"a\n.reconciler/\n"),
        (b"a\r\n.reconciler/\r\n", b"a\r\n.reconciler/\r\n"),
    ],
)
def test_a_gitignore_gains_a_line_and_keeps_the_rest(before, after):
    """Whatever its encoding and line ends, a .gitignore that is there is only added to."""
    Path("other").mkdir()
    Path("other/.gitignore").write_bytes(before)

    assert run(["-q", "init", "--specs", "other/specs"]) == 0
    assert Path("other/.gitignore").read_bytes() == after


def test_a_shown_document_with_a_word_for_a_number_is_no_bug(capsys):
    """A document that somebody edited is not whole, whatever is wrong with it."""
    assert run(["plan", "-q", "-o", "json:plan.json"]) == 0
    document = json.loads(Path("plan.json").read_text("utf-8"))
    document["summary"]["unchanged"] = "x"
    Path("plan.json").write_text(json.dumps(document), "utf-8")

    assert run(["show", "plan.json"]) == 3
    assert "plan.json is not a whole document" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "closed", "code"),
    [
        (["plan", "--detailed-exitcode"], "stdout", 2),
        (["apply", "--auto-approve"], "stdout", 0),
        (["apply", "--auto-approve"], "stderr", 130),
    ],
)
def test_a_reader_that_goes_away_does_not_change_what_was_done(words, closed, code):
    """With nobody reading, the code is the document's; a run that was cut off before it wrote is cancelled."""
    read, write = os.pipe()
    os.close(read)
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, closed: write}
    try:
        done = subprocess.run([sys.executable, "-m", "reconciler", *words], check=False, **streams)
    finally:
        os.close(write)

    assert done.returncode == code
    assert run(["plan", "-q", "--detailed-exitcode"]) == (0 if code == 0 else 2)


def test_a_receipt_that_cannot_be_ended_leaves_an_apply_partial():
    """On a full disk what was done in the portal is done, and the run does not claim that nothing was written."""
    change = {"address": "properties/contacts/one", "action": "create", "outcome": "verified"}
    document = {"kind": "apply", "changes": [change], "errors": [], "exit": {"code": 0, "name": "ok"}}
    full = open("/dev/full", "w", encoding="utf-8")  # noqa: SIM115

    told = ended(Receipt(Path("r.jsonl"), full), document, {}, datetime(2026, 11, 26, tzinfo=UTC))

    with pytest.raises(OSError, match="No space left"):
        full.close()
    assert told["exit"] == {"code": 7, "name": "partial"}
    assert told["errors"][0]["message"] == "the receipt could not be ended: No space left on device"


CHANGE = {
    "address": "propertyGroups/contacts/g",
    "action": "create",
    "reason": "spec_change",
    "severity": "safe",
    "fields": [{"path": "label", "after": "G", "cause": "spec_change"}],
    "preconditions": {"object": "absent", "fields": []},
    "remote": {"objectType": "contacts"},
}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_what_cannot_be_written_down_is_not_sent():
    """A receipt that takes no line costs the change, is told as what it is, and leaves a run that wrote nothing."""
    portal, change = Portal.seeded("empty"), change_from_json(CHANGE)
    full = open("/dev/full", "w", encoding="utf-8")  # noqa: SIM115
    receipt = Receipt(Path("r.jsonl"), full)
    client = Client.for_app(create_app(portal), "pat-na1-x")
    run_ = carry_out([change], Tools(client.reader(), client.writer(), Scope(Api("v3")), receipt.record))
    plan = {"portal": None, "digest": "sha256:0", "summary": {}}
    document = apply_document(plan, [change], run_.outcomes, datetime(2026, 11, 26, tzinfo=UTC))
    document = ended(receipt, document, {}, datetime(2026, 11, 26, tzinfo=UTC))

    with pytest.raises(OSError, match="No space left"):
        full.close()
    (told,) = document["changes"]
    assert portal.log == []
    assert (told["outcome"], told["message"]) == (
        "failed",
        "the receipt could not be written: No space left on device",
    )
    assert document["exit"] == {"code": 3, "name": "usage"}


def test_a_baseline_that_cannot_be_written_leaves_nothing_beside_it():
    """A draft for which there was no room is taken away."""
    known = Baseline(Snapshot([Resource("propertyGroups", "propertyGroups/contacts/g", {"label": "G"}, {})]))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(UsageError, match="File too large"):
            save(Path("baseline"), known)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    assert list(Path("baseline").iterdir()) == []


@pytest.mark.parametrize(
    "words", [["drift"], ["import"], ["validate"], ["doctor"], ["fleet", "apply", "--auto-approve"], ["fleet", "plan"]]
)
def test_a_format_of_changes_is_refused_where_there_will_be_none(words, capsys):
    """What cannot be shown is known before anything is read or written, and so it is said then."""
    assert run([*words, "-q", "-o", "gitlab-terraform:counts.json"]) == 3

    told = capsys.readouterr().err
    assert "gitlab-terraform shows what a plan or an apply changes; use gitlab-codequality or junit" in told
    assert sorted(path.name for path in Path().iterdir()) == [".gitignore", "specs"]


def test_specs_with_errors_are_told_though_only_changes_were_asked_for(capsys):
    """Where the specs are wrong there are no changes to count: the findings are told, and other files are written."""
    Path("specs/wrong.yaml").write_text("properties: {contacts: {one: {labl: One}}}\n", "utf-8")
    words = ["plan", "-q", "-o", "gitlab-terraform", "-o", "json:plan.json"]

    assert run(words) == 3
    out, err = capsys.readouterr()
    assert (out, "did you mean label?" in err) == ("", True)
    assert json.loads(Path("plan.json").read_text("utf-8"))["kind"] == "validate"

    assert run(["plan", "-q", "-o", "gitlab-terraform:counts.json"]) == 3
    assert "did you mean label?" in capsys.readouterr().out
    assert not Path("counts.json").exists()
