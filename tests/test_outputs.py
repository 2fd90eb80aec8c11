"""Where documents go: what takes nothing costs its own output, and never the truth of the exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_hostile_strings import settle_in

from reconciler.cli import run

SPEC = "properties: {contacts: {one: {label: One, type: string, fieldType: text, groupName: contactinformation}}}\n"
FULL = Path("/dev/full")

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settle_in(spec=SPEC)


@pytest.mark.parametrize("words", ["plan", "plan -p nosuch", "validate", "coverage", "drift", "fleet plan"])
def test_a_file_that_takes_nothing_is_a_usage_error_of_a_run_that_only_reads(place, capsys, words):
    """One line says which file, and the exit code is that of bad input."""
    assert run([*words.split(), "-q", "-o", f"json:{FULL}"]) == 3

    said = capsys.readouterr()
    assert "cannot write /dev/full" in said.err
    assert "Traceback" not in said.err
    assert "internal error" not in said.err


def test_the_other_outputs_tell_of_the_file_that_takes_nothing(place, capsys):
    """JSON on stdout holds the plan, the error about the file, and the exit code that the process has."""
    assert run(["plan", "-q", "-o", f"markdown:{FULL}", "-o", "json:plan.json", "-o", "json"]) == 3

    document = json.loads(capsys.readouterr().out)
    assert [change["action"] for change in document["changes"]] == ["create"]
    assert [(error["code"], error["where"]) for error in document["errors"]] == [("usage", "/dev/full")]
    assert document["exit"] == {"code": 3, "name": "usage"}
    assert json.loads(Path("plan.json").read_text("utf-8")) == document


def reconciler(words, **streams):
    return subprocess.run([sys.executable, "-m", "reconciler", *words], stdin=subprocess.DEVNULL, **streams).returncode


def test_an_apply_whose_report_cannot_be_printed_says_that_it_wrote(place):
    """7 and not 3: the portal was written, and the report that said so is lost; a file beside it is whole."""
    with FULL.open("w") as full:
        code = reconciler(["apply", "--auto-approve", "-q", "-o", "json:a.json", "-o", "text"], stdout=full)

    assert code == 7
    assert json.loads(Path("a.json").read_text("utf-8"))["exit"]["code"] == 0


def test_a_stderr_that_takes_nothing_ends_no_run(place):
    """There is nowhere to say it, and the plan is on stdout."""
    with FULL.open("w") as full, open(os.devnull, "w") as nowhere:
        assert reconciler(["plan"], stdout=nowhere, stderr=full) == 0
        assert reconciler(["plan", "-p", "nosuch"], stdout=nowhere, stderr=full) == 3


def test_show_says_that_a_file_could_not_be_written(place):
    """It ends well whatever the document says, but not when the document got nowhere."""
    run(["plan", "-q", "-o", "json:plan.json"])

    assert run(["show", "-q", "plan.json", "-o", f"html:{FULL}"]) == 3
