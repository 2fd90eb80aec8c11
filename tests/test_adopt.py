import copy
from difflib import unified_diff

import pytest

from reconciler.adopt import CannotEdit, edited
from reconciler.cli import run
from reconciler.emulator import Portal, edit
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

    def colleague(name, **parameters):
        embedded = Portal.open(tmp_path / ".reconciler/demo.json")
        edit(embedded, name, **parameters)

    return colleague


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
    assert "specs/all.yaml: 2 definitions adopted" in capsys.readouterr().out

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


def test_the_label_of_a_stage_that_is_made_from_a_variable_is_left_alone(tmp_path, portal, capsys):
    """As long as it is right nothing is to be edited; when it moved, it is refused like any other such value."""
    settings = tmp_path / "specs/reconciler.yaml"
    settings.write_text(settings.read_text() + "variables: {word: {type: string, default: Trial}}\n")
    text = SPEC.replace("label: Trial", "label: ${var:word}").replace("label: 'Tier'", "label: ${var:word}")
    (tmp_path / "specs/all.yaml").write_text(text)
    assert run(["apply", "--auto-approve"]) == 0

    assert run(["adopt", "lifecycleStages/trial"]) == 0
    portal("rename-stage", stage=stage_id(tmp_path, "Trial"), label="On trial")
    assert run(["adopt"]) == 3

    assert "lifecycleStages/trial: its label is made from a variable" in capsys.readouterr().err
    assert (tmp_path / "specs/all.yaml").read_text() == text


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


def text_property(name, *lines):
    """A property of a group of HubSpot's, with lines of its own formatting."""
    return "properties:\n  contacts:\n" + "\n".join(lines).replace("NAME", name) + "\n"


FULL = "type: string, fieldType: text, groupName: contactinformation"
ODD = {  # file: its text, what a colleague does, and the lines that may differ
    "a01-flow.yaml": (
        f"properties: {{contacts: {{a01: {{label: Old, {FULL}}}}}}}   # all in one\n",
        ["relabel a01 New"],
        [
            f"-properties: {{contacts: {{a01: {{label: Old, {FULL}}}}}}}   # all in one",
            f"+properties: {{contacts: {{a01: {{label: New, {FULL}}}}}}}   # all in one",
        ],
    ),
    "a02-crlf.yaml": (
        text_property("a02", "    a02:", "      label: Old", "      type: string", "      fieldType: text")
        .replace("fieldType: text", "fieldType: text\n      groupName: contactinformation  # g")
        .replace("\n", "\r\n"),
        ["relabel a02 New"],
        ["-      label: Old\r", "+      label: New\r"],
    ),
    "a03-bom.yaml": (
        "\ufeff# head\n" + text_property("a03", f"    a03: {{ label: 'Old' , {FULL} }}"),
        ["relabel a03 It's"],
        [f"-    a03: {{ label: 'Old' , {FULL} }}", f"+    a03: {{ label: 'It''s' , {FULL} }}"],
    ),
    "a04-no-final-newline.yaml": (
        text_property("a04", "    a04:", f"      {{{FULL},", "       label: Old}").rstrip("\n"),
        ["relabel a04 New"],
        ["-       label: Old}", "+       label: New}"],
    ),
    "a05-indented-by-one.yaml": (
        "properties:\n contacts:\n  a05:\n   label: Old # l\n   type: string\n   fieldType: text\n"
        "   groupName: contactinformation\n",
        ["relabel a05 New", "change a05 description=Why"],
        ["-   label: Old # l", "+   label: New # l", "+   description: Why"],
    ),
    "a06-indented-by-eight.yaml": (
        "properties:\n        contacts:\n                a06:\n                        label:   Old\n"
        "                        type: string\n                        fieldType: text\n"
        "                        groupName: contactinformation\n\n\n# the end\n",
        ["relabel a06 New", "hide a06"],
        [
            "-                        label:   Old",
            "+                        label:   New",
            "+                        hidden: true",
        ],
    ),
    "a07-quoted-keys.yaml": (
        text_property("a07", '    "a07" :', f'      {{"label" : "Old", {FULL}}}'),
        ["relabel a07 New"],
        [f'-      {{"label" : "Old", {FULL}}}', f'+      {{"label" : "New", {FULL}}}'],
    ),
    "a08-folded.yaml": (
        text_property("a08", "    a08:", "      description: >-", "        one", "        two", "      label: Old")
        + "      type: string\n      fieldType: text\n      groupName: contactinformation\n",
        ["change a08 description=three"],
        ["-        one", "-        two", "+        three"],
    ),
    "a09-literal.yaml": (
        text_property("a09", "    a09:", "      description: |", "        one", "        two")
        + "      label: Old\n      type: string\n      fieldType: text\n      groupName: contactinformation\n",
        ["relabel a09 NO"],
        ["-      label: Old", '+      label: "NO"'],
    ),
    "a10-document-marks.yaml": (
        "%YAML 1.2\n--- # begins\n"
        + text_property("a10", "    a10:", f"      {{label: Old, {FULL}}}")
        + "...\n# over\n",
        ["relabel a10 New"],
        [f"-      {{label: Old, {FULL}}}", f"+      {{label: New, {FULL}}}"],
    ),
    "a11-list-at-the-key.yaml": (
        text_property("a11", "    a11:", "      options:   # two", "      - {value: x, label: X}  # x", "")
        + "      # about y\n      - value: y\n        label: Why\n"
        "      label: Old\n      type: enumeration\n      fieldType: select\n      groupName: contactinformation\n",
        ["add-option a11 value=z label=Z at=1", "relabel-option a11 value=x label=Ex"],
        ["-      - {value: x, label: X}  # x", "+      - {value: x, label: Ex}  # x", "+      - {value: z, label: Z}"],
    ),
    "a12-list-far-in.yaml": (
        text_property("a12", "    a12:", "      type: enumeration", "      options:", "            -   value: x")
        + "                label: X\n            -   {value: y, label: Y}\n            # the last\n"
        "      label: Old\n      fieldType: select\n      groupName: contactinformation\n",
        ["remove-option a12 value=y"],
        ["-            -   {value: y, label: Y}"],
    ),
    "a13-exact-in-flow.yaml": (
        text_property("a13", "    a13:", "      options: {exact: true, values: [{value: x, label: X},")
        + "        {value: y, label: Y}]}\n"
        "      label: Old\n      type: enumeration\n      fieldType: select\n      groupName: contactinformation\n",
        ["reorder-options a13 values=y,x"],
        [
            "-      options: {exact: true, values: [{value: x, label: X},",
            "-        {value: y, label: Y}]}",
            "+      options: {exact: true, values: [{value: y, label: Y},",
            "+        {value: x, label: X}]}",
        ],
    ),
    "a14-hubspots-own.yaml": (
        "properties:\n  contacts:\n    hs_lead_status:   # HubSpot's\n      options:\n"
        "        - {value: NEW, label: New}\n",
        ["relabel-option hs_lead_status value=NEW label=Fresh", "add-option hs_lead_status value=WARM label=Warm at=1"],
        [
            "-        - {value: NEW, label: New}",
            "+        - {value: NEW, label: Fresh}",
            "+        - {value: WARM, label: Warm}",
        ],
    ),
    "a15-groups.yml": (
        "propertyGroups: # groups\n  contacts: { g15: { label: Old } } # g\n",
        ["relabel-group g15 New"],
        ["-  contacts: { g15: { label: Old } } # g", "+  contacts: { g15: { label: New } } # g"],
    ),
    "a16-anchors.yaml": (
        "x-common: &common {owner: revops}\n"
        + text_property("a16", "    a16:", "      meta: *common", "      label: Old")
        + "      type: string\n      fieldType: text\n      groupName: contactinformation\n",
        ["relabel a16 New"],
        ["-      label: Old", "+      label: New"],
    ),
    "a17-stages.yaml": (
        "lifecycleStages:\n-   name: lead   # HubSpot's\n    label: Lead\n\n# ours\n-   {name: trial, label: 'Trial'}\n"
        "-   {name: pilot, label: Pilot}\n",
        ["rename-stage Trial Proof", "move-stage Pilot 0"],
        [
            "--   {name: trial, label: 'Trial'}",
            "+-   {name: trial, label: 'Proof'}",
            "--   {name: pilot, label: Pilot}",
            "+-   {name: pilot, label: Pilot}",
        ],
    ),
    "a18-labels.yaml": (
        "associationLabels:\n  contacts:\n    companies:\n      payer: {label: Payer,   inverseLabel: Paid by}\n"
        "      both:\n        label: Both  # one text\n"
        "    contacts:\n      boss: {inverseLabel: Report, label: Boss}\n",
        [
            "rename-label contacts companies Payer Payor Billed",
            "rename-label contacts companies Both Either",
            "rename-label contacts contacts Boss Chief Report",
        ],
        [
            "-      payer: {label: Payer,   inverseLabel: Paid by}",
            "+      payer: {label: Payor,   inverseLabel: Billed}",
            "-        label: Both  # one text",
            "+        label: Either  # one text",
            "-      boss: {inverseLabel: Report, label: Boss}",
            "+      boss: {inverseLabel: Report, label: Chief}",
        ],
    ),
    "deep/er/a19-unicode.yaml": (
        text_property(
            "a19", "    a19:", "      label: Größe 🙂 Ü   # ü", "      description: 'x'", "      type: string"
        )
        + "      fieldType: text\n      groupName: contactinformation\n",
        ["relabel a19 Maß: 🙃", "change a19 description="],
        [
            "-      label: Größe 🙂 Ü   # ü",
            '+      label: "Maß: 🙃"   # ü',
            "-      description: 'x'",
            "+      description: ''",
        ],
    ),
    "a20-two-of-them.yaml": (
        "# one goes, one stays\n"
        + text_property(
            "a20",
            "    # stays",
            f"    a20: {{label: Stays, {FULL}}}",
            "    # goes",
            f"    b20: {{label: Goes, {FULL}}}",
        )
        + "    # after all\n",
        ["archive b20"],
        ["-    # goes", f"-    b20: {{label: Goes, {FULL}}}"],
    ),
    "a21-nothing-moved.yaml": (
        f"properties :   {{ contacts : {{ 'a21' : {{ label : 'Same' , {FULL} , }} , }} , }}\t# odd\n\n\n",
        [],
        [],
    ),
}


def play(embedded, words, ids):
    """One edit of a colleague, from a line of words."""
    name, *rest = words.split()
    one = {"object": "contacts"}
    match name:
        case "relabel":
            edit(embedded, name, **one, property=rest[0], label=" ".join(rest[1:]))
        case "hide" | "archive":
            edit(embedded, name, **one, property=rest[0])
        case "change":
            edit(embedded, name, **one, property=rest[0], fields=dict([rest[1].split("=")]))
        case "reorder-options":
            edit(embedded, name, **one, property=rest[0], values=rest[1].removeprefix("values=").split(","))
        case "relabel-group":
            edit(embedded, name, **one, group=rest[0], label=rest[1])
        case "rename-stage":
            edit(embedded, name, stage=ids[rest[0]], label=rest[1])
        case "move-stage":
            edit(embedded, name, stage=ids[rest[0]], at=int(rest[1]))
        case "rename-label":
            texts = {"label": rest[2], "text": rest[3], "inverse": rest[4] if len(rest) > 4 else ""}
            edit(embedded, name, start=rest[0], end=rest[1], **texts)
        case _:
            values = dict(part.split("=") for part in rest[1:])
            edit(embedded, name, **one, property=rest[0], **{k: int(v) if k == "at" else v for k, v in values.items()})


def edited_lines(before, after):
    lines = unified_diff(before.split("\n"), after.split("\n"), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def test_twenty_odd_files_are_adopted_in_their_own_lines(tmp_path, monkeypatch, capsys):
    """Specs of every formatting follow what a colleague did, only in the lines that it is about; nothing is left."""
    monkeypatch.chdir(tmp_path)
    specs = tmp_path / "specs"
    (specs / "deep/er").mkdir(parents=True)
    (specs / "reconciler.yaml").write_text(
        "version: 1\nportals: {demo: {emulator: .reconciler/demo.json}}\nwatch: [contacts]\n"
    )
    for name, (text, _, _) in ODD.items():
        (specs / name).write_bytes(text.encode())
    assert run(["apply", "--auto-approve"]) == 0
    embedded = Portal.open(tmp_path / ".reconciler/demo.json")
    ids = {label: stage_id(tmp_path, label) for label in ("Trial", "Pilot")}
    for _, edits, _ in ODD.values():
        for words in edits:
            play(embedded, words, ids)
    assert run(["drift"]) == 2
    capsys.readouterr()

    assert run(["adopt"]) == 0, capsys.readouterr().err

    for name, (text, _, expected) in ODD.items():
        assert sorted(edited_lines(text, (specs / name).read_bytes().decode())) == sorted(expected), name
    assert run(["validate"]) == 0
    assert run(["plan", "--detailed-exitcode"]) == 0, capsys.readouterr().out
    assert run(["drift"]) == 0, capsys.readouterr().out
