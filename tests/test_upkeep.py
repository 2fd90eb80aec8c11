"""What in a directory wants attention is told by every command that looks at the portal, in the same words."""

import json
from pathlib import Path

import pytest
from small_portal import settle_in

from reconciler.cli import run

SETTINGS = """ignore:
  - {address: properties/contacts/size, reason: a trial, expires: 2020-01-01}
  - {address: properties/contacts/shoe, reason: mine}
"""


@pytest.fixture(autouse=True)
def _workplace(tmp_path, monkeypatch):
    """A portal with a baseline, settings that hold for nothing, and a receipt that somebody edited."""
    monkeypatch.chdir(tmp_path)
    settle_in(SETTINGS, "propertyGroups: {contacts: {g: {label: G}}}\n")
    assert run(["apply", "-q", "--auto-approve"]) == 0
    settings = Path("specs/reconciler.yaml")
    settings.write_text(settings.read_text("utf-8").replace("watch: [contacts]", "watch: [contacts, contcts]"), "utf-8")
    (receipt,) = Path(".reconciler/receipts/demo").iterdir()
    receipt.write_text("{\n" + receipt.read_text("utf-8"), "utf-8")


RECEIPT, EXPIRED, UNUSED, UNSEEN = (
    ("receipt-unreadable", "warning"),
    ("ignore-expired", "warning"),
    ("ignore-unused", "info"),
    ("unknown-object-type", "warning"),
)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("plan", [RECEIPT, EXPIRED, UNUSED, UNSEEN]),
        ("drift", [RECEIPT, EXPIRED, UNUSED, UNSEEN]),
        ("coverage", [RECEIPT, EXPIRED, UNUSED, UNSEEN]),
        ("import", [EXPIRED, UNUSED, UNSEEN]),  # which asks no receipt
    ],
)
def test_every_command_that_looks_tells_it(command, told, capsys):
    """A watched type that is not there is never seen as covered, at rest or imported without a word."""
    capsys.readouterr()
    assert run([command, "-o", "json"]) == 0

    found = json.loads(capsys.readouterr().out)["findings"]
    assert [(one["rule"], one["severity"]) for one in found] == told
    assert found[-1]["message"] == "watch: the portal has no object type contcts, so nothing of it is seen"
    assert found[-1]["fix"] == "did you mean contacts?"


def test_an_import_counts_only_what_the_specs_cannot_say(capsys):
    """A warning about the settings leaves no definition out."""
    capsys.readouterr()
    assert run(["import"]) == 0
    assert "left out of the specs" not in capsys.readouterr().out


def test_doctor_warns_of_them(capsys):
    """As far as it looks: what an ignore rule covers only a plan knows."""
    capsys.readouterr()
    assert run(["doctor", "-o", "json"]) == 0

    checks = json.loads(capsys.readouterr().out)["checks"]
    warned = [(one["name"], one["message"].partition(" ")[0]) for one in checks if one["status"] == "warning"]
    places = ["specs/reconciler.yaml:5:5:", "specs/reconciler.yaml:3:19:"]
    assert warned == [("receipts", "line"), *(("settings", place) for place in places)]


def test_a_list_that_the_portal_does_not_have_is_in_no_baseline(capsys):
    """An object type that is made later begins with all that it has, and none of that is drift."""
    assert run(["accept", "-q", "--all", "--reason", "R"]) == 0
    assert run(["apply", "-q", "--auto-approve"]) == 0
    assert list(Path("specs/baselines/demo").glob("*contcts*")) == []
