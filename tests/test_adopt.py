import copy
from difflib import unified_diff

import pytest

from reconciler.adopt import CannotEdit, edited
from reconciler.cli import run
from reconciler.emulator import Portal
from reconciler.yaml_loader import load

P = "properties: {contacts: {"


def field(name, value, entry="a"):
    def change(spec):
        spec["properties"]["contacts"][entry][name] = value

    return change


def options(change):
    return lambda spec: change(spec["properties"]["contacts"]["a"]["options"])


def block(*lines, head=""):
    return head + "properties:\n  contacts:\n    a:\n" + "".join(f"      {line}\n" for line in lines)


TWO = ("options:  # two of them", "- {value: x, label: X}   # the x", "", "# about y", "- value: y", "  label: Why")
CASES = {
    "comment behind": (
        block("label: Old   # keep\tme"),
        field("label", "New"),
        ["-      label: Old   # keep\tme", "+      label: New   # keep\tme"],
    ),
    "single quotes": (block("label: 'Old'"), field("label", "It's"), ["-      label: 'Old'", "+      label: 'It''s'"]),
    "double quotes": (block('label: "Old"'), field("label", "New"), ['-      label: "Old"', '+      label: "New"']),
    "plain that needs quotes": (block("label: Old"), field("label", "NO"), ["-      label: Old", '+      label: "NO"']),
    "flow": (
        "properties: {contacts: {a: {label: Old, type: x}}}  # c\n",
        field("label", "A, b"),
        [
            "-properties: {contacts: {a: {label: Old, type: x}}}  # c",
            '+properties: {contacts: {a: {label: "A, b", type: x}}}  # c',
        ],
    ),
    "flow on many lines": (
        "properties: {contacts: {\n  a: {label: Old,  # l\n      type: x},\n}}\n",
        field("label", "New"),
        ["-  a: {label: Old,  # l", "+  a: {label: New,  # l"],
    ),
    "windows line ends": (
        block("label: Old", "type: x").replace("\n", "\r\n"),
        field("label", "New"),
        ["-      label: Old\r", "+      label: New\r"],
    ),
    "byte order mark": (
        "\ufeff" + block("label: Old"),
        field("label", "New"),
        ["-      label: Old", "+      label: New"],
    ),
    "no final newline": (
        block("type: x", "label: Old").rstrip("\n"),
        field("label", "New"),
        ["-      label: Old", "+      label: New"],
    ),
    "document start": (
        block("label: Old", head="%YAML 1.2\n---   # here\n\n"[10:]),
        field("label", "New"),
        ["-      label: Old", "+      label: New"],
    ),
    "quoted keys": (
        block('"label" : Old', "'type': x"),
        field("label", "New"),
        ['-      "label" : Old', '+      "label" : New'],
    ),
    "unicode": (
        block("label: Größe 🙂  # ü", "type: x"),
        field("label", "Maß"),
        ["-      label: Größe 🙂  # ü", "+      label: Maß  # ü"],
    ),
    "trailing blanks": (
        block("label: Old   ", "type: x  "),
        field("type", "z"),
        ["-      type: x  ", "+      type: z  "],
    ),
    "folded text": (
        block("description: >-", "  one", "  two", "", "type: x"),
        field("description", "three"),
        ["-        one", "-        two", "+        three"],
    ),
    "literal text": (
        block("description: |", "  one", "  two", "type: x"),
        field("description", "one\nthree\n"),
        ["-        two", "+        three"],
    ),
    "long quoted text": (
        block('description: "one', '  two"', "type: x"),
        field("description", "three"),
        ['-      description: "one', '-        two"', '+      description: "three"'],
    ),
    "anchor elsewhere": (
        block("label: Old", "meta: &m {o: x}", "x: *m"),
        field("label", "New"),
        ["-      label: Old", "+      label: New"],
    ),
    "list not indented": (
        block(*TWO),
        options(lambda o: o.insert(1, {"value": "z", "label": "Z"})),
        ["+      - {value: z, label: Z}"],
    ),
    "list indented": (
        block("options:", "    -   value: x", "        label: X", "type: e"),
        options(lambda o: o.append({"value": "z", "label": "Z"})),
        ["+          -   {value: z, label: Z}"],
    ),
    "entry of a list removed": (
        block(*TWO),
        options(lambda o: o.pop(1)),
        ["-      ", "-      # about y", "-      - value: y", "-        label: Why"],
    ),
    "label in a list": (
        block(*TWO),
        options(lambda o: o[0].update(label="Ex")),
        ["-      - {value: x, label: X}   # the x", "+      - {value: x, label: Ex}   # the x"],
    ),
    "list reordered": (
        block("options:", "- {value: x}  # x", "- {value: y}", "type: e"),
        options(lambda o: o.reverse()),
        ["-      - {value: y}", "+      - {value: y}"],
    ),
    "flow list reordered": (
        block("options: [{value: x},  {value: y}] # c"),
        options(lambda o: o.reverse()),
        ["-      options: [{value: x},  {value: y}] # c", "+      options: [{value: y},  {value: x}] # c"],
    ),
    "key removed": (
        block("label: A", "# why", "description: x", "type: x"),
        lambda spec: spec["properties"]["contacts"]["a"].pop("description"),
        ["-      # why", "-      description: x"],
    ),
    "entry added": (
        block("label: A", "", "# end"),
        lambda spec: spec["properties"]["contacts"].update(b={"label": "B", "type": "x", "hidden": True}),
        ["+    b:", "+      label: B", "+      type: x", "+      hidden: true"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_only_the_intended_lines_differ(name):
    """However oddly a spec is formatted, one change touches the lines of its own place."""
    text, change, expected = CASES[name]
    wanted = copy.deepcopy(load(text, "").value)
    change(wanted)

    after = edited(text, wanted)

    lines = unified_diff(text.split("\n"), after.split("\n"), n=0, lineterm="")
    changed = [line for line in lines if not line.startswith(("---", "+++", "@@"))]
    assert sorted(changed) == sorted(expected)
    assert load(after, "").value == wanted


def test_a_shared_value_is_not_edited():
    """An edit behind an anchor would reach every alias of it, so it is refused."""
    text = block("options: &o", "- {value: x, label: X}") + "    b:\n      options: *o\n"
    wanted = load(text.replace("label: X", "label: Y"), "").value

    with pytest.raises(CannotEdit, match="anchor"):
        edited(text, wanted)


def test_an_unchanged_file_stays_as_it_is():
    """Nothing to say, nothing to write."""
    text = "\ufeffproperties:\r\n   contacts: { }   # odd\r\n"

    assert edited(text, load(text, "").value) == text


SPEC = """# ours
propertyGroups:
  contacts: {cs: {label: Customer success}}   # the group
properties:
  contacts:
    cs_tier:
      label: 'Tier'      # shown to sales
      type: enumeration
      fieldType: select
      groupName: cs
      options:
      - {value: free, label: Free}     # never sold
      - {value: gold, label: Gold}
lifecycleStages:
  - {name: lead, label: Lead}
  - name: trial        # ours
    label: Trial
"""


@pytest.fixture
def portal(tmp_path, monkeypatch, capsys):
    """A directory whose spec is applied, and the edits of a colleague."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/reconciler.yaml").write_text(
        "version: 1\nportals: {demo: {emulator: .reconciler/demo.json}}\nwatch: [contacts]\n"
    )
    (tmp_path / "specs/all.yaml").write_bytes(SPEC.encode())
    assert run(["apply", "--auto-approve"]) == 0
    capsys.readouterr()

    def edit(name, **parameters):
        embedded = Portal.open(tmp_path / ".reconciler/demo.json")
        EDIT(embedded, name, parameters)

    return edit


def EDIT(embedded, name, parameters):
    from httpx import Client, WSGITransport

    from reconciler.emulator import create_app

    with Client(transport=WSGITransport(create_app(embedded)), base_url="http://portal") as client:
        client.post("/_emulator/edit", json={"name": name, **parameters}).raise_for_status()


def changed_lines(tmp_path):
    after = (tmp_path / "specs/all.yaml").read_text()
    lines = unified_diff(SPEC.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def test_what_a_colleague_did_moves_into_the_spec(tmp_path, portal, capsys):
    """Relabelled, reordered, added, renamed: adopted in place, and then neither a change nor drift is left."""
    where = {"object": "contacts", "property": "cs_tier"}
    portal("relabel", **where, label="Plan tier")
    portal("add-option", **where, value="team", label="Team", at=1)
    portal("reorder-options", **where, values=["gold", "free"])
    trial = next(one for one in SPEC.splitlines() if "Trial" in one)
    assert trial
    portal("rename-stage", stage=stage_id(tmp_path, "Trial"), label="On trial")

    assert run(["adopt", "--dry-run"]) == 0
    assert "+      label: 'Plan tier'      # shown to sales" in capsys.readouterr().out
    assert changed_lines(tmp_path) == []
    assert run(["adopt"]) == 0
    assert "specs/all.yaml: 3 definitions adopted" in capsys.readouterr().out

    assert sorted(changed_lines(tmp_path)) == [
        "+      - {value: gold, label: Gold}",
        "+      - {value: team, label: Team}",
        "+      label: 'Plan tier'      # shown to sales",
        "+    label: On trial",
        "-      - {value: gold, label: Gold}",
        "-      label: 'Tier'      # shown to sales",
        "-    label: Trial",
    ]
    assert run(["plan", "--detailed-exitcode"]) == 0
    assert run(["drift"]) == 0


def stage_id(tmp_path, label):
    import json

    state = json.loads((tmp_path / ".reconciler/demo.json").read_text())
    found = []

    def walk(value):
        if isinstance(value, dict):
            if value.get("label") == label and "id" in value:
                found.append(value["id"])
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk(state)
    return found[0]


def test_what_is_gone_is_taken_out_and_what_is_named_is_put_in(tmp_path, portal, capsys):
    """An archived property leaves the spec; a live one that is named comes into the file of its neighbours."""
    definition = {"name": "cs_size", "label": "Size", "type": "number", "fieldType": "number", "groupName": "cs"}
    portal("create", object="contacts", definition=definition)
    assert run(["adopt", "properties/contacts/cs_size"]) == 0
    assert changed_lines(tmp_path) == [
        "+    cs_size:",
        "+      label: Size",
        "+      type: number",
        "+      fieldType: number",
        "+      groupName: cs",
    ]
    portal("archive", object="contacts", property="cs_size")

    assert run(["adopt"]) == 0

    assert "properties/contacts/cs_size is gone" in capsys.readouterr().err
    assert changed_lines(tmp_path) == []
    assert run(["plan", "--detailed-exitcode"]) == 0
    assert run(["drift"]) == 0


def test_an_unknown_address_is_an_error(tmp_path, portal, capsys):
    """A misspelt address is said, and nothing is written."""
    assert run(["adopt", "properties/contacts/cs_teir"]) == 3
    assert "nothing in the portal or the specs is called" in capsys.readouterr().err


def test_what_only_the_spec_changed_stays(tmp_path, portal):
    """Without addresses only drift is adopted: an edit that waits for its apply is kept."""
    text = SPEC.replace("'Tier'", "'Level'").replace("label: Gold}", "label: Gold}\n      - {value: team, label: Team}")
    (tmp_path / "specs/all.yaml").write_text(text)

    assert run(["adopt"]) == 0

    assert (tmp_path / "specs/all.yaml").read_text() == text
