"""Commands that reports print: pasted where the report was made, they are about the same portal and the same specs."""

import json
import re
import shlex

import pytest

from reconciler.cli import run
from reconciler.emulator import Portal, edit

SETTINGS = """version: 1
defaultPortal: demo
portals:
  demo: {emulator: .reconciler/demo.json}
  prod: {emulator: .reconciler/prod.json}
watch: [contacts]
"""
SPEC = """properties:
  contacts:
    tier: {label: Tier, type: string, fieldType: text, groupName: contactinformation}
"""
TIER = {"object": "contacts", "property": "tier"}
WHERE = ["-p", "prod", "--specs", "hs/specs"]


@pytest.fixture
def place(tmp_path, monkeypatch, capsys):
    """A directory elsewhere than usual, whose spec is applied to both portals and was relabelled in both."""
    monkeypatch.chdir(tmp_path)
    for name in ("RECONCILER_SPECS", "RECONCILER_PORTAL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "hs/specs").mkdir(parents=True)
    (tmp_path / "hs/specs/reconciler.yaml").write_text(SETTINGS)
    (tmp_path / "hs/specs/all.yaml").write_text(SPEC)
    for portal in ("demo", "prod"):
        assert run(["apply", "--auto-approve", "-q", "-p", portal, "--specs", "hs/specs"]) == 0
        edit(Portal.open(tmp_path / f"hs/.reconciler/{portal}.json"), "relabel", **TIER, label="Level")
    capsys.readouterr()
    return Place(tmp_path, capsys)


class Place:
    """The directory, its portals, and what commands say."""

    def __init__(self, path, capsys):
        self.path, self.capsys = path, capsys

    def says(self, *words, code=0):
        self.capsys.readouterr()
        assert run(list(words)) == code, self.capsys.readouterr()
        out, err = self.capsys.readouterr()
        return out + err

    def labels(self):
        """The label in each of the portals."""
        found = {}
        for portal in ("demo", "prod"):
            definitions = Portal.open(self.path / f"hs/.reconciler/{portal}.json").definitions("0-1")
            found[portal] = definitions["properties"]["tier"]["label"]
        return found


def commands(text):
    """The commands in a report, as somebody would copy them."""
    return re.findall(r"reconciler (?:accept|adopt|apply|plan|drift)\b[^\n`<]*", text)


def test_a_pasted_command_works_on_the_portal_that_was_checked(place):
    """Put back what moved in one portal: that one is as the specs say, and the other is as it was."""
    (way,) = [one for one in commands(place.says("drift", *WHERE, code=2)) if one.startswith("reconciler apply")]

    place.says(*shlex.split(way)[1:], "--auto-approve")

    assert place.labels() == {"demo": "Level", "prod": "Tier"}


@pytest.mark.parametrize("words", [["drift"], ["explain", "properties/contacts/tier"]])
@pytest.mark.parametrize("form", ["text", "json", "markdown", "html", "junit", "github"])
def test_every_format_names_portal_and_specs(place, words, form):
    """Whatever the format, each command of a way out leads to the portal and the specs of the report."""
    text = place.says(*words, *WHERE, "-o", form, code=2 if words == ["drift"] else 0)

    ways = [one for one in commands(text) if "properties/contacts/tier" in one]
    assert ways or (words[0], form) in {("explain", "junit"), ("explain", "github")}
    assert [one for one in ways if "-p prod --specs hs/specs" not in one] == []


def test_the_next_and_the_same_command_name_them_too(place):
    """How to run it again, what to run next and where more is told lead to the same portal and specs."""
    assert "again: `reconciler plan -p prod --specs hs/specs`" in place.says("plan", *WHERE, "-o", "markdown")
    assert "again: `reconciler drift -p prod --specs hs/specs`" in place.says("drift", *WHERE, "-o", "markdown", code=2)
    assert "Next: reconciler plan -p prod --specs hs/specs " in place.says("import", *WHERE)
    (place.path / "hs/specs/all.yaml").write_text(SPEC.replace("label: Tier", "description: ours, label: Level"))
    release = {"object": "contacts", "definition": {**FULL, "name": "size", "label": "Size"}}
    edit(Portal.open(place.path / "hs/.reconciler/prod.json"), "create", **release)
    told = "`reconciler drift -p prod --specs hs/specs` tells more"
    assert told in place.says("plan", *WHERE)


FULL = {"type": "string", "fieldType": "text", "groupName": "contactinformation"}


def test_what_is_the_default_is_left_out(place, monkeypatch):
    """The settings' own portal and the usual directory need no words, unless the environment names others."""
    monkeypatch.chdir(place.path / "hs")
    assert json.loads(place.says("plan", "-o", "json"))["portal"] == {
        "name": "demo",
        "portalId": 12345678,
        "apiVersion": "v3",
    }
    monkeypatch.setenv("RECONCILER_PORTAL", "prod")
    assert json.loads(place.says("plan", "-o", "json"))["portal"]["flags"] == "-p prod"
    assert json.loads(place.says("plan", "-o", "json", "-p", "demo"))["portal"]["flags"] == "-p demo"
