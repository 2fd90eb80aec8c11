"""Small words that a reader stumbles over: one change is no changes, HubSpot has a capital, YAML knows no False."""

import io
import json
from pathlib import Path

import pytest

from reconciler.cli import run

SETTINGS = "version: 1\nportals: {demo: {emulator: demo.json}}\nwatch: [contacts]\n"
ENTRY = "{label: M, type: string, fieldType: text, groupName: contactinformation%s}"


@pytest.fixture(autouse=True)
def _directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/reconciler.yaml").write_text(SETTINGS, "utf-8")


class Terminal(io.StringIO):
    """Somebody who has typed an answer."""

    def isatty(self):
        return True


def findings(capsys):
    capsys.readouterr()
    run(["validate", "-o", "json"])
    return [(one["rule"], one["message"], one["fix"]) for one in json.loads(capsys.readouterr().out)["findings"]]


def test_a_name_at_the_start_of_a_hover_text_keeps_its_capital(capsys):
    """The text of a field goes into the middle of a sentence, and HubSpot stays HubSpot."""
    Path("specs/a.yaml").write_text('lifecycleStages: [{name: "", label: X}]\n', "utf-8")
    fix = "what belongs there: HubSpot's internal name of a default stage, or a name of yours"
    assert findings(capsys) == [("bad-format", "`name` is '', which has not the right form", fix)]

    Path("specs/a.yaml").write_text(f"properties: {{contacts: {{m: {ENTRY % ', displayOrder: -7'}}}}}\n", "utf-8")
    fix = "what belongs there: position in its group; -1 leaves the place to HubSpot and is never compared"
    assert findings(capsys) == [("bad-format", "`displayOrder` is -7; the least is -1", fix)]


def test_a_merge_key_is_one_fault(capsys):
    """What the reading of a file refused, the schema does not refuse again."""
    Path("specs/a.yaml").write_text(
        f"x-base: &base {ENTRY % ''}\nproperties: {{contacts: {{m: {{<<: *base, label: M}}}}}}\n", "utf-8"
    )

    assert [rule for rule, _, _ in findings(capsys)] == ["yaml-merge-key"]


def test_a_switch_is_written_as_yaml_has_it(capsys):
    """What cannot be changed is told in the words of the specs, and so is the way out."""
    Path("specs/a.yaml").write_text(f"properties: {{contacts: {{m: {ENTRY % ', hasUniqueValue: false'}}}}}\n", "utf-8")
    assert run(["apply", "-q", "--auto-approve"]) == 0
    Path("specs/a.yaml").write_text(f"properties: {{contacts: {{m: {ENTRY % ', hasUniqueValue: true'}}}}}\n", "utf-8")
    capsys.readouterr()

    assert run(["plan"]) == 3

    said = capsys.readouterr().out
    assert "hasUniqueValue is false and HubSpot never changes it" in said
    assert "create a new property with hasUniqueValue: true, copy" in said


@pytest.mark.parametrize(
    ("names", "question"), [(["a"], "Apply this change to demo?"), (["a", "b"], "Apply these 2 changes to demo?")]
)
def test_the_question_counts(names, question, monkeypatch, capsys):
    """One change is asked about as one."""
    entries = ", ".join(f"{name}: {ENTRY % ''}" for name in names)
    Path("specs/a.yaml").write_text(f"properties: {{contacts: {{{entries}}}}}\n", "utf-8")
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))

    run(["apply"])

    assert question in capsys.readouterr().err


def test_a_fleet_of_one_is_one_portal(capsys):
    """The line about progress counts, too."""
    Path("specs/a.yaml").write_text(f"properties: {{contacts: {{m: {ENTRY % ''}}}}}\n", "utf-8")

    assert run(["fleet", "plan"]) == 0

    assert "plan: 1 portal, " in capsys.readouterr().err


LONG = "Annual recurring revenue of all contracts, in the currency of the account, without one-off services"


def test_no_title_is_cut(monkeypatch, capsys):
    """A label that does not fit beside its name stands whole below it, where it is made and where it is destroyed."""
    monkeypatch.setenv("COLUMNS", "100")
    entry = f"label: '{LONG}', type: string, fieldType: text, groupName: contactinformation, description: Who pays"
    Path("specs/a.yaml").write_text(f"properties:\n  contacts:\n    arr: {{{entry}}}\n    b: {ENTRY % ''}\n", "utf-8")
    assert run(["plan"]) == 0
    made = capsys.readouterr().out
    assert run(["apply", "-q", "--auto-approve"]) == 0
    Path("specs/a.yaml").write_text("removed: [{address: properties/contacts/arr, reason: gone}]\n", "utf-8")
    capsys.readouterr()
    assert run(["plan"]) == 0

    assert made.split("Properties of contacts\n")[1].split("\n\n")[0] == (
        "  + create   property arr       specs/a.yaml:3\n"
        '      "Annual recurring revenue of all contracts, in the currency of the account, without one-off\n'
        '      services"\n'
        "      string/text, group contactinformation\n"
        '      description  "Who pays"\n'
        '  + create   property b    "M"  specs/a.yaml:4\n'
        "      string/text, group contactinformation"
    )
    destroyed = " ".join(capsys.readouterr().out.split())
    assert f'- archive property arr of contacts specs/a.yaml:1 "{LONG}"' in destroyed
