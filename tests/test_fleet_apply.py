"""An apply over many portals: what was seen is what is written, and nothing that fails beside it ends it untold."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from queue import SimpleQueue

import pytest
from processes import TOKEN, listening, started

from reconciler import receipts
from reconciler.cli import run
from reconciler.emulator import Portal, faults

SETTINGS = "version: 1\nportals: {a: {emulator: .reconciler/a.json}, b: {emulator: .reconciler/b.json}}\n"
SPEC = """\
propertyGroups: {contacts: {cs: {label: Success}}}
properties: {contacts: {cs_score: {label: Score, type: number, fieldType: number, groupName: cs}}}
"""
APPLY = ("fleet", "apply", "-q", "--auto-approve", "--in-flight", "1")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Two embedded portals that lack what the specs declare."""
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path(".reconciler").mkdir()
    Path("specs/reconciler.yaml").write_text(SETTINGS + "watch: [contacts]\n", "utf-8")
    Path("specs/contacts.yaml").write_text(SPEC, "utf-8")
    return tmp_path


def asked(words, answer, meanwhile=lambda: None):
    """A run on a terminal whose question is answered, once something else has happened: its code and its report."""
    keyboard, terminal = pty.openpty()
    command = [sys.executable, "-m", "reconciler", *words, "-o", "json:report.json"]
    with subprocess.Popen(command, stdin=terminal, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        said = b""
        while b"[y/N]" not in said and (sign := process.stderr.read(1)):
            said += sign
        meanwhile()
        os.write(keyboard, answer + b"\n")
        process.stderr.read()
    os.close(keyboard)
    os.close(terminal)
    return process.returncode, json.loads(Path("report.json").read_text("utf-8"))


def verdicts(document):
    return {one["name"]: one["verdict"] for one in document["portals"]}


def created(name):
    file = Path(f".reconciler/{name}.json")
    return file.exists() and "cs_score" in file.read_text("utf-8")


def journals(command):
    return sorted(Path(".reconciler/fleet").glob(f"{command}-*.jsonl"))


def test_a_portal_whose_plan_nobody_saw_is_not_written_to(place):
    """It failed while the plans were made and answers by the time the others are applied."""
    broken = Path(".reconciler/b.json")
    broken.write_text("broken", "utf-8")

    code, document = asked(("fleet", "apply"), b"y", broken.unlink)

    assert verdicts(document) == {"a": "applied", "b": "failed"}
    assert (code, created("a"), created("b")) == (7, True, False)


def test_a_review_is_no_apply_for_a_resume(place):
    """Whoever said no has a journal of plans; a resume by it begins nothing, and names what it is."""
    code, _ = asked(("fleet", "apply"), b"n")
    assert code == 130
    assert journals("apply") == []

    assert run([*APPLY, "--resume", str(journals("plan")[-1]), "-o", "json:resumed.json"]) == 0

    assert verdicts(json.loads(Path("resumed.json").read_text("utf-8"))) == {"a": "applied", "b": "applied"}


def test_a_canary_that_is_done_may_be_named_again(place):
    """A resume leaves it out, and the others go on."""
    assert run([*APPLY, "--portals", "a", "--canary", "a"]) == 0

    assert run([*APPLY, "--canary", "a", "--resume", str(journals("apply")[-1]), "-o", "json:report.json"]) == 0

    assert verdicts(json.loads(Path("report.json").read_text("utf-8"))) == {"a": "applied", "b": "applied"}


def test_a_resume_by_other_specs_leaves_nothing_out(place):
    """What was mended after the run had stopped is for the portals that it had done as well."""
    assert run([*APPLY, "--portals", "a"]) == 0
    journal = str(journals("apply")[-1])
    Path("specs/contacts.yaml").write_text(SPEC.replace("Score", "Warmth"), "utf-8")

    assert run([*APPLY, "--resume", journal]) == 0

    assert ["Warmth" in Path(f".reconciler/{name}.json").read_text("utf-8") for name in "ab"] == [True, True]


def test_a_resume_of_more_than_a_part_leaves_nothing_out(place):
    """What the first run did not look at is still to be done; a resume of the same part goes on."""
    part = ["--only", "propertyGroups/*/*"]
    assert run([*APPLY, *part, "--portals", "a"]) == 0
    journal = str(journals("apply")[-1])
    assert run([*APPLY, *part, "--resume", journal, "-o", "json:same.json"]) == 0
    assert verdicts(json.loads(Path("same.json").read_text("utf-8"))) == {"a": "applied", "b": "applied"}

    assert run([*APPLY, "--resume", journal]) == 0

    assert (created("a"), created("b")) == (True, True)


def test_a_resume_by_other_plans_leaves_nothing_out(place):
    """The plans that were made anew are applied, and one that was applied already is not."""
    assert run(["fleet", "plan", "-q", "--plans", "plans"]) == 0
    assert run([*APPLY, "--plans", "plans"]) == 0
    journal = str(journals("apply")[-1])
    assert run([*APPLY, "--plans", "plans", "--resume", journal, "-o", "json:again.json"]) == 0
    assert verdicts(json.loads(Path("again.json").read_text("utf-8"))) == {"a": "applied", "b": "applied"}
    Path("specs/contacts.yaml").write_text(SPEC.replace("Score", "Warmth"), "utf-8")
    assert run(["fleet", "plan", "-q", "--portals", "a", "--plans", "plans"]) == 0

    assert run([*APPLY, "--plans", "plans", "--resume", journal]) == 0

    assert ["Warmth" in Path(f".reconciler/{name}.json").read_text("utf-8") for name in "ab"] == [True, False]


def test_a_portal_is_no_canary_because_the_canaries_are_done(place):
    """The first wave of a resume is one like any other: what fails in it counts, and ends nothing by itself."""
    Path("specs/reconciler.yaml").write_text(
        f"{SETTINGS.rstrip()[:-1]}, c: {{emulator: .reconciler/c.json}}}}\n", "utf-8"
    )
    assert run([*APPLY, "--portals", "a", "--canary", "a"]) == 0
    Path(".reconciler/b.json").write_text("no portal", "utf-8")
    words = ["--canary", "a", "--max-failures", "1", "--resume", str(journals("apply")[-1])]

    assert run([*APPLY, *words, "-o", "json:report.json"]) == 7

    found = verdicts(json.loads(Path("report.json").read_text("utf-8")))
    assert found == {"a": "applied", "b": "failed", "c": "applied"}


@pytest.mark.parametrize("file", ["no journal\n", '{"name": "a"}\n', "\xff\n", ""])
def test_a_file_that_is_no_journal_is_refused(place, capsys, file):
    """Nothing is done twice because of it."""
    Path("journal.jsonl").write_bytes(file.encode("latin-1"))

    assert run([*APPLY, "--resume", "journal.jsonl"]) == 3

    assert "journal.jsonl" in capsys.readouterr().err
    assert not created("a")


@pytest.mark.parametrize("output", ["jsonl:/dev/full", "json:/dev/full"])
def test_a_line_that_cannot_be_written_ends_no_apply(place, capsys, output):
    """Both portals are written, stdout has the report, and the exit code says that something failed."""
    assert run([*APPLY, "-o", output, "-o", "json"]) == 7

    document = json.loads(capsys.readouterr().out)
    assert verdicts(document) == {"a": "applied", "b": "applied"}
    assert [(one["code"], one["where"]) for one in document["errors"]] == [("partial", "/dev/full")]


def test_a_plan_that_could_not_be_made_leaves_no_older_one(place):
    """What an earlier run saved for a portal is not carried out once the portal failed to be planned."""
    assert run(["fleet", "plan", "-q", "--plans", "plans"]) == 0
    Path(".reconciler/b.json").write_text("broken", "utf-8")

    assert run(["fleet", "plan", "-q", "--plans", "plans"]) == 3

    assert sorted(file.name for file in Path("plans").iterdir()) == ["a.json"]


def test_a_portal_whose_files_are_not_as_they_should_be_is_no_bug(place, capsys):
    """A file where the receipts should lie fails its own portal; the run, in which another was written, ends with 7."""
    Path(".reconciler/receipts").mkdir()
    Path(".reconciler/receipts/b").write_text("", "utf-8")

    assert run([*APPLY, "-o", "json"]) == 7

    document = json.loads(capsys.readouterr().out)
    assert verdicts(document) == {"a": "applied", "b": "failed"}
    assert document["portals"][1]["exit"]["code"] == 3
    (told,) = document["portals"][1]["errors"]
    assert (told["code"], told["where"]) == ("usage", str(Path(".reconciler/receipts/b").resolve()))


def test_a_shard_that_never_began_is_named_by_a_merge(place, capsys):
    """The report of a run that failed before its portals can be shown, and is no part of another report."""
    assert run(["fleet", "plan", "-q", "--portals", "nosuch", "--shard", "1/2", "-o", "json:1.json"]) == 3
    assert run(["fleet", "plan", "-q", "--shard", "2/2", "-o", "json:2.json"]) == 0
    capsys.readouterr()

    assert run(["show", "1.json"]) == 0
    assert "no portal is called nosuch" in capsys.readouterr().out
    assert run(["fleet", "merge", "1.json", "2.json"]) == 3
    assert "the run of 1.json ended before its portals: no portal is called nosuch" in capsys.readouterr().err
    Path("3.json").write_text(Path("2.json").read_text("utf-8").replace('"2/2"', '"x"'), "utf-8")
    assert run(["fleet", "merge", "3.json"]) == 3
    assert "3.json is no report of a fleet" in capsys.readouterr().err


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Two portals of the settings that are one and the same on loopback, and the line to it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", TOKEN)
    Path("specs").mkdir()
    Path("specs/contacts.yaml").write_text(SPEC, "utf-8")
    with listening() as (url, line):
        portals = "".join(f"  {name}: {{portalId: 12345678, baseUrl: '{url}'}}\n" for name in "ab")
        Path("specs/reconciler.yaml").write_text(f"version: 1\nportals:\n{portals}watch: [contacts]\n", "utf-8")
        line.reset(Portal.seeded("empty").state)
        yield line


def stopped(line, number, code):
    """The report of an apply that is told to end as it writes for the first time."""
    pids = SimpleQueue()
    line.before_write = lambda: os.kill(pids.get(), number)
    process = started(Path.cwd(), [*APPLY, "-o", "json:report.json"])
    pids.put(process.pid)
    assert process.wait() == code
    return json.loads(Path("report.json").read_text("utf-8"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_lets_the_portal_that_is_written_end(served, number, code):
    """What is in flight is finished and told, no other portal is begun, and a merged report keeps the exit code."""
    document = stopped(served, number, code)

    assert verdicts(document) == {"a": "stopped", "b": "not-started"}
    last = receipts.events(receipts.newest(Path(".reconciler/receipts/a")))[-1]
    assert (last["event"], last["exit"]["code"]) == ("end", code)
    assert last["outcomes"]["propertyGroups/contacts/cs"] == "verified"
    assert run(["fleet", "merge", "report.json"]) == code


def test_a_signal_ends_the_waiting_for_a_busy_portal(served):
    """While HubSpot asks for a pause nothing is in flight, so the portal ends with what it has."""
    faults.add(served.portal, method="POST", path="/groups$", status=429, retryAfter=15, count=0)

    document = stopped(served, signal.SIGTERM, 143)

    assert verdicts(document) == {"a": "stopped", "b": "not-started"}
    sent = [entry["method"] for entry in served.portal.log if entry["path"].endswith("/groups")]
    assert sent == ["GET", "POST"]
