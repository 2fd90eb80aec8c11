"""Recorded reads: what ``snapshot`` writes is read again, and what is no whole answer is refused, not believed."""

import json
from pathlib import Path

import pytest

from reconciler.cli import run

SETTINGS = "version: 1\nportals: {demo: {emulator: demo.json}}\nwatch: [contacts, companies]\n"
LABEL = "associationLabels: {contacts: {companies: {billing_contact: {label: %s}}}}\n"
CONTACTS = "/crm/v3/properties/contacts"


@pytest.fixture(autouse=True)
def _directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/reconciler.yaml").write_text(SETTINGS, "utf-8")
    Path("specs/labels.yaml").write_text(LABEL % "Billing", "utf-8")
    assert run(["apply", "-q", "--auto-approve"]) == 0


def recorded(path, body):
    Path("s.json").write_text(json.dumps({"formatVersion": "1.0", "responses": {path: body}}), "utf-8")


def test_a_snapshot_with_a_schema_in_it_is_read_again(capsys):
    """The one answer that is no list, an object's schema that names a label, is recorded and believed."""
    for file in Path("specs/baselines/demo").glob("*"):
        file.unlink()
    Path("specs/labels.yaml").write_text(LABEL % "Invoices", "utf-8")
    assert run(["snapshot", "-q", "s.json"]) == 0
    assert "/crm-object-schemas/v3/schemas/contacts" in json.loads(Path("s.json").read_text("utf-8"))["responses"]

    assert run(["plan", "-q", "--from-snapshot", "s.json", "--detailed-exitcode"]) == 2
    assert "update   association label billing_contact" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        (CONTACTS, {"results": [], "paging": {"next": {"after": "100"}}}, "only a part of the list"),
        (CONTACTS, {"results": [1]}, "a list of things that are no objects"),
        (CONTACTS, {"status": "error", "message": "no"}, "something that is no list"),
        (CONTACTS, [], "something that is no list"),
        ("/account-info/v3/details", [], "something that is no object"),
        ("/account-info/v3/details", {}, "something without a portalId"),
    ],
)
def test_what_is_no_whole_answer_is_refused(path, body, wrong, capsys):
    """A recorded answer has to be as whole as a live one: what is missing in a part of a list is not absent."""
    recorded(path, body)

    assert run(["drift", "-q", "--from-snapshot", "s.json"]) == 3
    assert f"s.json: {path} is not an answer of HubSpot, but {wrong}" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["plan"], ["drift"], ["coverage"]], ids=lambda words: words[0])
def test_a_read_of_another_portal_is_told_as_one(words, capsys):
    """No token is used, so none is blamed: it is the recorded read that is of another portal."""
    assert run(["snapshot", "-q", "s.json"]) == 0
    settings = SETTINGS.replace("{emulator: demo.json}", "{portalId: 7, tokenEnv: NO_SUCH_TOKEN}")
    Path("specs/reconciler.yaml").write_text(settings, "utf-8")
    capsys.readouterr()

    assert run([*words, "--from-snapshot", "s.json"]) == 4

    assert capsys.readouterr().err == (
        "error: portal demo should be 7, but the recorded read is of 12345678\n"
        "  choose its portal with -p, or record this one anew\n"
    )


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('{"responses": {}}', "is not a document of this tool"),
        ('{"formatVersion": "2.0", "responses": {}}', "has format 2.0; this version reads 1.0"),
        ('{"formatVersion": "1.0"}', "has no `responses`"),
        ("nothing", "is not JSON (line 1, column 1)"),
    ],
)
def test_what_is_no_recorded_read_names_the_command_that_makes_one(text, wrong, capsys):
    """Of another version, or of something else: it was no plan."""
    Path("s.json").write_text(text, "utf-8")
    assert run(["plan", "-q", "--from-snapshot", "s.json"]) == 3

    told = capsys.readouterr().err
    assert f"s.json {wrong}" in told
    assert "`reconciler snapshot FILE`" in told
