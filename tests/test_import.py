"""Imports through the command line: piece by piece, with filters that match nothing, and ones that end half-way."""

from pathlib import Path

import pytest
from small_portal import STATE, settle_in

from reconciler.cli import run
from reconciler.emulator import Portal, edit

CONTACTS = Path("specs/contacts.yaml")
TEXTS = {"type": "string", "fieldType": "text", "groupName": "contactinformation"}


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
