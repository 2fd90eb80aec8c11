"""Sensitive properties lie in lists of their own, which are read as long as anybody knows of one."""

import json
import shutil
from pathlib import Path

import pytest
from small_portal import STATE, settle_in

from reconciler.cli import run
from reconciler.emulator import Portal

SPEC = """
properties:
  contacts:
    secret:
      label: {label}
      type: enumeration
      fieldType: select
      groupName: contactinformation
      dataSensitivity: sensitive
      options: [{{value: a, label: {option}}}]
"""
REMOVED = "removed: [{address: properties/contacts/secret, reason: gone}]\n"


def declare(label="Secret", option="A"):
    Path("specs/spec.yaml").write_text(SPEC.format(label=label, option=option), "utf-8")


def live():
    return Portal.open(STATE).definitions("0-1")["properties"].get("secret")


@pytest.fixture(autouse=True)
def _made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settle_in()
    portal = Portal.open(STATE)
    portal.state["switches"]["sensitiveData"] = True
    portal.save()
    declare()
    assert run(["apply", "-q", "--auto-approve"]) == 0


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize("baseline", [True, False])
def test_its_options_are_changed_like_any(saved, baseline):
    """Its list is read again right before the write, and its own last state is found without a baseline, too."""
    if not baseline:
        shutil.rmtree("specs/baselines")
    declare("Secrets", "AA")
    if saved:
        assert run(["plan", "-q", "-o", "json:plan.json"]) == 0
    assert run(["apply", "-q", "plan.json"] if saved else ["apply", "-q", "--auto-approve"]) == 0

    assert (live()["label"], live()["options"][0]["label"]) == ("Secrets", "AA")


def test_it_is_removed_though_no_spec_declares_it_any_more(capsys):
    """The baseline knows of it, so drift does not call it gone before it is."""
    Path("specs/spec.yaml").write_text(REMOVED, "utf-8")
    assert run(["drift", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["items"] == []

    assert run(["apply", "-q", "--auto-approve", "--allow", "properties/contacts/secret"]) == 0

    assert live() is None
