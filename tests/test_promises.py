"""What was promised of requests, of twenty mistakes at once, and of bad input, through the command line."""

import json
from collections import Counter
from pathlib import Path

import pytest

from reconciler.cli import run
from reconciler.emulator import Portal, serve

TYPES = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "tickets": "0-5"}
SETTINGS = (
    "version: 1\nportals: {here: {portalId: 12345678, baseUrl: '%s'}}\nwatch: [contacts, companies, deals, tickets]\n"
)
TOKEN = "pat-na1-11111111-2222-3333-4444-555555555555"
HEAD = "propertyGroups: {contacts: {g: {label: G}}}\nproperties:\n  contacts:\n"
ENTRY = "    p_{}: {{label: P {}, type: string, fieldType: text, groupName: g}}\n"


@pytest.fixture
def portal(tmp_path, monkeypatch):
    """A portal over loopback, and settings for it in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", TOKEN)
    portal = Portal.seeded("empty")
    Path("specs").mkdir()
    with serve(portal) as server:
        Path("specs/reconciler.yaml").write_text(SETTINGS % server.url, "utf-8")
        yield portal


def with_properties(portal, count):
    """Gives each object type that many custom properties."""
    for type_id in TYPES.values():
        definitions = portal.definitions(type_id)
        group = next(iter(definitions["groups"]))
        for number in range(count):
            name = f"custom_{number:04}"
            definitions["properties"][name] = {
                "name": name,
                "label": f"Custom {number}",
                "type": "string",
                "fieldType": "text",
                "groupName": group,
                "description": "",
                "options": [],
                "displayOrder": -1,
                "hidden": False,
                "createdAt": "2026-01-01T00:00:00.000Z",
                "updatedAt": "2026-01-01T00:00:00.000Z",
                "archived": False,
                "hasUniqueValue": False,
                "formField": False,
                "calculated": False,
                "modificationMetadata": {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False},
            }


def asked(portal):
    return Counter(f"{entry['method']} {entry['path']}" for entry in portal.log)


@pytest.mark.parametrize("count", [1, 500])
def test_a_plan_without_changes_costs_the_same_for_any_number_of_properties(portal, capsys, count):
    """At most two requests for each watched object type and 14 others, each of them once."""
    with_properties(portal, count)
    assert run(["import", "-q"]) == 0
    portal.log.clear()

    assert run(["plan", "--detailed-exitcode", "-q"]) == 0

    expected = {
        **{f"GET /crm/v3/properties/{name}": 1 for name in TYPES},
        **{f"GET /crm/v3/properties/{name}/groups": 1 for name in TYPES},
        **{f"GET /crm/v3/pipelines/{name}": 1 for name in ("contacts", "companies")},
        "GET /account-info/v3/details": 1,
    }
    assert asked(portal) == expected
    assert capsys.readouterr().out.endswith(f"No changes. {4 * count + 8:,} definitions match the specs.\n")


def test_five_hundred_properties_are_made_in_five_requests(portal):
    """A hundred go into one request; what else is sent only reads, and the group is made alone."""
    Path("specs/contacts.yaml").write_text(HEAD + "".join(ENTRY.format(n, n) for n in range(500)), "utf-8")

    assert run(["apply", "--auto-approve", "-q"]) == 0

    posts = {what: many for what, many in asked(portal).items() if not what.startswith("GET")}
    assert posts == {
        "POST /oauth/v2/private-apps/get/access-token-info": 1,
        "POST /crm/v3/properties/contacts/groups": 1,
        "POST /crm/v3/properties/contacts/batch/create": 5,
    }
    assert sum(asked(portal).values()) <= 30


MISTAKES = """\
propertyGroup: {}
properties:
  contacts:
    Upper: {label: A, type: string, fieldType: text, groupName: g}
    hs_mine: {label: A, type: string, fieldType: text, groupName: g}
    no_group: {label: A, type: string, fieldType: text}
    no_label: {type: string, fieldType: text, groupName: g}
    bad_type: {label: A, type: text, fieldType: text, groupName: g}
    bad_field: {label: A, type: string, fieldType: dropdown, groupName: g}
    bad_pair: {label: A, type: number, fieldType: select, groupName: g}
    no_options: {label: A, type: enumeration, fieldType: select, groupName: g}
    typo: {label: A, type: string, fieldType: text, groupName: g, lable: B}
    null_label: {label: null, type: string, fieldType: text, groupName: g}
    semicolon: {options: [{value: a;b, label: A}]}
    blanks: {options: [{value: " a", label: A}]}
    twice: {options: [{value: a, label: A}, {value: a, label: B}]}
    same_label: {options: [{value: a, label: A}, {value: b, label: A}]}
    bool: {label: A, type: bool, fieldType: booleancheckbox, groupName: g}
    order: {displayOrder: first}
    currency: {label: A, type: number, fieldType: number, groupName: g, currencyPropertyName: x}
propertyGroups: {contacts: {g: {label: G}}}
lifecycleStages: [{name: Bad Name, label: A}]
associationLabels: {contacts: {companies: {1st: {label: A}}}}
removed: [{address: properties/contacts/typo, reason: r}, {address: nonsense/x, reason: r}]
"""


def test_twenty_mistakes_are_twenty_findings_and_no_request(portal, capsys):
    """Each is named at its line, and nobody asks the portal anything."""
    Path("specs/contacts.yaml").write_text(MISTAKES, "utf-8")

    assert run(["plan", "-o", "json"]) == 3

    found = json.loads(capsys.readouterr().out)["findings"]
    lines = sorted({one["source"]["line"] for one in found if one["severity"] == "error"})
    assert lines == [1, *range(4, 21), 22, 23, 24]
    assert len(found) >= 20
    assert all(one["source"]["file"] == "specs/contacts.yaml" and one["frame"] for one in found)
    assert portal.log == []


def test_a_plan_without_a_token_names_the_variable(portal, monkeypatch, capsys):
    """Exit 4, and no request."""
    monkeypatch.delenv("HUBSPOT_ACCESS_TOKEN")
    Path("specs/contacts.yaml").write_text(HEAD + ENTRY.format(1, 1), "utf-8")

    assert run(["plan"]) == 4

    assert "HUBSPOT_ACCESS_TOKEN is not set" in capsys.readouterr().err
    assert portal.log == []


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["plan", "--detailed-exit-code"], "--detailed-exitcode"),
        (["paln"], "plan"),
        (["apply", "--auto-aprove"], "--auto-approve"),
        (["plan", "-o", "jsn"], "json"),
    ],
)
def test_a_wrong_word_is_answered_with_the_right_one(portal, capsys, words, hint):
    """Exit 3, not the 2 that stands for differences."""
    assert run(words) == 3

    assert hint in capsys.readouterr().err


BAD = {
    "specs in Latin-1": ("specs/a.yaml", "x-note: caf\xe9\n".encode("latin-1"), ["plan"], 3),
    "specs in UTF-16": ("specs/a.yaml", "x-note: a\n".encode("utf-16"), ["plan"], 3),
    "specs that are no mapping": ("specs/a.yaml", b"- a\n- b\n", ["validate"], 3),
    "specs with a NUL": ("specs/a.yaml", b"a: \0\n", ["validate"], 3),
    "specs of deep brackets": ("specs/a.yaml", b"a: " + b"[" * 5000, ["validate"], 3),
    "no specs": ("specs/a.txt", b"", ["plan"], 3),
    "settings that are no YAML": ("specs/reconciler.yaml", b"a: [", ["plan"], 3),
    "settings of another version": ("specs/reconciler.yaml", b"version: 2\n", ["plan"], 3),
    "a baseline that is no JSON": ("specs/baselines/here/properties.contacts.json", b"{", ["drift"], 3),
    "a baseline that is a list": ("specs/baselines/here/properties.contacts.json", b"[]", ["plan"], 3),
    "a baseline of the future": ("specs/baselines/here/a.json", b'{"formatVersion": "2.0"}', ["plan"], 3),
    "a plan that is no JSON": ("plan.json", b"\xff\xfe", ["apply", "plan.json"], 3),
    "a plan that is a number": ("plan.json", b"7", ["apply", "plan.json"], 3),
    "a plan of the future": ("plan.json", b'{"formatVersion": "2.0", "kind": "plan"}', ["apply", "plan.json"], 3),
    "a plan to show that is none": ("plan.json", b"{}", ["show", "plan.json"], 3),
    "a snapshot that is none": ("snap.json", b"[1]", ["plan", "--from-snapshot", "snap.json"], 3),
    "a snapshot of the future": (
        "snap.json",
        b'{"formatVersion": "2.0", "responses": {}}',
        ["plan", "--from-snapshot", "snap.json"],
        3,
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_explained(portal, capsys, name):
    """Never a traceback, nothing asked or written, and the file is named."""
    file, content, words, code = BAD[name]
    if name != "no specs" and not file.startswith("specs/a"):
        Path("specs/contacts.yaml").write_text(HEAD + ENTRY.format(1, 1), "utf-8")
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    Path(file).write_bytes(content)

    assert run([*words, "--color", "never"]) == code

    told = capsys.readouterr()
    assert Path(file).name in told.out + told.err or "specs" in told.err
    assert "Traceback" not in told.out + told.err
    assert "internal error" not in told.err
    assert not [entry for entry in portal.log if entry["method"] != "GET"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["apply", "--inverse", "x"], "No such option '--inverse' here; `reconciler plan` takes it."),
        (
            ["accept", "--only", "x"],
            "No such option '--only' here; `reconciler plan`, `reconciler apply` and `reconciler drift` take it.",
        ),
        (["plan", "--alow", "x"], "Did you mean one of: '--allow'"),
    ],
)
def test_an_option_of_another_command_is_no_misspelling(words, told, capsys):
    """Who gives apply what plan takes is told so, and not of an option that begins with the same letter."""
    assert run(words) == 3
    assert told in capsys.readouterr().err
