import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.errors import UsageError
from reconciler.model import Source, Tombstone
from reconciler.spec import has_specs, load, problems

ROOT = Path(__file__).parent.parent
GROUP = "groupName: contactinformation"
FULL = f"label: A, type: string, fieldType: text, {GROUP}"


@pytest.fixture
def specs(tmp_path):
    """Writes spec files and loads the directory."""

    def written(*texts, **named):
        files = {f"{index}.yaml": text for index, text in enumerate(texts)}
        for name, content in {**files, **named}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load(tmp_path)

    return written


def said(spec):
    """Rule and place of each finding."""
    return [(one.rule, one.source.line, one.source.column) for one in spec.findings]


def test_the_address_of_an_entry_is_its_path(specs):
    """Entries become resources with the fields that are written, and nothing else."""
    spec = specs(
        "propertyGroups:\n  contacts:\n    team: {label: Team}\n"
        "properties:\n  contacts:\n    a:\n      label: A\n      meta: {owner: me}\n"
        "      options: [{value: x, label: X}]\n    hs_b: {options: {exact: true, values: []}}\n"
    )

    assert spec.findings == ()
    assert {address: one.attributes for address, one in spec.desired.items()} == {
        "propertyGroups/contacts/team": {"label": "Team"},
        "properties/contacts/a": {"label": "A", "options": {"x": {"label": "X"}}},
        "properties/contacts/hs_b": {"options": {}},
    }
    assert spec.desired["properties/contacts/a"].facts["meta"] == {"owner": "me"}
    assert spec.desired["properties/contacts/hs_b"].facts["exact"] is True
    assert spec.desired["properties/contacts/a"].source[1:] == (6, 5)


def test_removals_are_tombstones(specs, tmp_path):
    """A line under ``removed:`` carries its reason and its place."""
    spec = specs("removed:\n  - {address: properties/contacts/old, reason: replaced, requireNoValues: true}\n")

    source = Source((tmp_path / "0.yaml").as_posix(), 2, 5)
    assert spec.findings == ()
    assert spec.removed == {"properties/contacts/old": Tombstone("properties/contacts/old", "replaced", source, True)}


def test_an_address_of_a_removal_has_one_spelling(specs):
    """What is percent-encoded otherwise is the same, or a removal would not meet what it names, or be there twice."""
    spec = specs(
        "propertyGroups: {contacts: {50%: {label: Half}}}\n"
        "removed:\n"
        "  - {address: propertyGroups/contacts/50%, reason: r}\n"
        "  - {address: properties/contacts/a/options/x%2fy, reason: r}\n"
        "  - {address: properties/contacts/a/options/x%2Fy, reason: r}\n"
    )

    assert said(spec) == [("declared-and-removed", 3, 5), ("removed-twice", 5, 5)]
    assert list(spec.removed) == ["propertyGroups/contacts/50%25", "properties/contacts/a/options/x%2Fy"]


def test_files_are_read_at_any_depth_but_no_others(specs, tmp_path):
    """Baselines, overlays, settings, hidden files and other suffixes are no specs; a loop of links ends."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "loop").symlink_to(tmp_path, target_is_directory=True)
    entry = "properties: {{contacts: {{{}: {{label: A}}}}}}"
    spec = specs(
        **{
            "reconciler.yaml": "version: 1\nportals: {demo: {}}\n",
            "a.yaml": entry.format("a"),
            "deep/er/b.yml": entry.format("b"),
            "deep/D.YAML": entry.format("d"),
            "overlays/.cache/no.yaml": entry.format("no"),
            "deep/baselines/c.yaml": entry.format("c"),
            "baselines/demo/no.yaml": entry.format("no"),
            "overlays/demo/no.yaml": entry.format("no"),
            ".hidden.yaml": entry.format("no"),
            ".git/no.yaml": entry.format("no"),
            "no.yaml.orig": entry.format("no"),
            "no.json": "{}",
        }
    )

    assert spec.findings == ()
    assert sorted(spec.desired) == [f"properties/contacts/{name}" for name in "abcd"]
    assert [path for path, _ in spec.files] == ["a.yaml", "deep/D.YAML", "deep/baselines/c.yaml", "deep/er/b.yml"]
    assert spec.settings.portal().name == "demo"
    assert has_specs(tmp_path)
    assert not has_specs(tmp_path / "nowhere")


def test_a_directory_without_specs_is_a_usage_error(tmp_path):
    """Whoever points at nothing is told how to begin."""
    with pytest.raises(UsageError, match="no directory") as missing:
        load(tmp_path / "specs")
    (tmp_path / "reconciler.yaml").write_text("version: 1\n")
    with pytest.raises(UsageError, match="no spec files") as empty:
        load(tmp_path)
    assert "reconciler init" in missing.value.hint
    assert "reconciler import" in empty.value.hint


def test_the_digest_is_of_names_and_bytes(specs):
    """Equal files have an equal digest; it is provenance and says nothing of meaning."""
    first = specs("properties: {contacts: {a: {label: A}}}")
    again = specs("properties: {contacts: {a: {label: A}}}")
    other = specs("properties: {contacts: {a: {label:  A}}}")

    assert first.digest == again.digest != other.digest
    assert first.files_json == [{"path": "0.yaml", "digest": first.files[0][1]}]


def test_notes_and_anchors_have_a_place(specs):
    """Keys that begin with ``x-`` are the user's own."""
    spec = specs("x-yes: &yes [{value: x, label: X}]\nproperties: {contacts: {a: {options: *yes}}}\n")

    assert spec.findings == ()
    assert spec.desired["properties/contacts/a"].attributes["options"] == {"x": {"label": "X"}}


MISTAKES = """\
propertyGroups:
  contacts:
    team: {label: Team}
    empty: {label: ""}
    typo: {lable: Typo}
properties:
  contacts:
    one: {labl: One}
    two: {label: 2024}
    three: {type: strng, label: C, fieldType: text, groupName: team}
    four: {label: null}
    five: {hidden: "yes"}
    six: {options: [{value: x}]}
    seven: {options: [{value: 1, label: One}]}
    eight: {options: gold}
    Nine: {label: I}
    hs_ten: {label: J, type: string, fieldType: text, groupName: team}
    eleven: {label: K, type: number, fieldType: text, groupName: team}
    twelve: {label: L, type: enumeration, fieldType: select, groupName: team}
    thirteen: {label: M, type: bool, fieldType: booleancheckbox, groupName: team}
    fourteen: {label: N, type: string, fieldType: text}
    fifteen: {options: [{value: a;b, label: A}]}
    sixteen: {options: [{value: a, label: A}, {value: a, label: B}]}
    seventeen: {label: Q, type: string, fieldType: text, groupName: teem}
    eighteen: {currencyPropertyName: x}
  ticket:
    nineteen: {label: S}
removed:
  - {address: properties/contacts/one, reason: is declared}
  - {address: property/contacts/x, reason: no such section}
  - {address: properties/x, reason: too short}
  - {address: properties/contacts/hs_x, reason: not ours}
  - {address: properties/contacts/y}
"""


def test_more_than_twenty_mistakes_are_as_many_findings(specs):
    """Every mistake is found in one run, once, in its line, whatever else is wrong."""
    spec = specs(MISTAKES)

    assert [(line, rule) for rule, line, _ in said(spec)] == [
        (4, "bad-format"),
        (5, "unknown-key"),
        (8, "unknown-key"),
        (9, "wrong-type"),
        (10, "not-one-of"),
        (11, "not-clearable"),
        (12, "wrong-type"),
        (13, "missing-field"),
        (14, "wrong-type"),
        (15, "wrong-type"),
        (16, "property-name"),
        (17, "property-reserved-prefix"),
        (18, "property-type-pair"),
        (19, "property-no-options"),
        (20, "property-bool-options"),
        (21, "property-incomplete"),
        (22, "option-value"),
        (23, "option-duplicate-value"),
        (24, "unknown-group"),
        (25, "property-currency"),
        (27, "object-type-name"),
        (29, "declared-and-removed"),
        (30, "removed-address"),
        (31, "removed-address"),
        (32, "removed-vendor"),
        (33, "missing-field"),
    ]


def test_findings_of_several_layers_in_one_entry_are_found_together(specs):
    """What the schema refuses in an entry does not hide what the rules refuse in it."""
    spec = specs(
        "properties:\n  contacts:\n    A-b:\n      lable: A\n      type: number\n      fieldType: txt\n"
        "      groupName: contactinformation\n      hidden: no\n      displayOrder: -7\n"
    )

    assert said(spec) == [
        ("property-name", 3, 5),
        ("unknown-key", 4, 7),
        ("not-one-of", 6, 18),
        ("property-type-pair", 6, 18),
        ("wrong-type", 8, 15),
        ("bad-format", 9, 21),
    ]


def test_a_name_is_checked_whatever_its_entry_says(specs):
    """Of an entry that nobody can make sense of, the name is still found wrong in the same run."""
    spec = specs(
        "properties:\n  contacts:\n    CS Health Score: {label: A, type: int, fieldType: number, groupName: g}\n"
        "associationLabels:\n  contacts:\n    companies:\n      Billing-contact: 7\n"
    )

    assert said(spec) == [
        ("property-name", 3, 5),
        ("not-one-of", 3, 39),
        ("label-name", 7, 7),
        ("wrong-type", 7, 24),
    ]


TABLE = [
    ("- 1", ("wrong-type", 1, 1), "the file should be a mapping, but is a list", "not a list"),
    (
        "properties: 1",
        ("wrong-type", 1, 13),
        "`properties` should be a mapping, but is the number 1",
        "write a mapping",
    ),
    ("properties:", ("wrong-type", 1, 1), "`properties` is empty", "drop the key"),
    ("propertys: {}", ("unknown-key", 1, 1), "unknown key 'propertys'", "did you mean properties?"),
    ("workflows: []", ("unknown-key", 1, 1), "unknown key 'workflows'", "known here: "),
    (
        "properties: {contacts: [{name: a}]}",
        ("wrong-type", 1, 24),
        "`contacts` should be a mapping, but is a list",
        "write `name:` and its fields below it, not a list",
    ),
    (
        "properties: {contacts: {a: {field_type: text}}}",
        ("unknown-key", 1, 29),
        "unknown key 'field_type'",
        "did you mean fieldType?",
    ),
    (
        "properties: {contacts: {a: {label: true}}}",
        ("wrong-type", 1, 36),
        "`label` should be text, but is true",
        'quote it: "true"',
    ),
    ("properties: {contacts: {a: {label: 1.10}}}", ("wrong-type", 1, 36), "but is the number 1.1", "put it in quotes"),
    ("properties: {contacts: {a: {hidden: no}}}", ("wrong-type", 1, 37), "but is the text 'no'", "write false"),
    ('properties: {contacts: {a: {displayOrder: "3"}}}', ("wrong-type", 1, 43), "a whole number", "write 3, without"),
    (
        "properties: {contacts: {a: {textDisplayHint: e-mail}}}",
        ("not-one-of", 1, 46),
        "`textDisplayHint` is 'e-mail', not one of domain_name, email, ",
        "did you mean email?",
    ),
    (
        "properties: {contacts: {a: {textDisplayHint: 5}}}",
        ("not-one-of", 1, 46),
        "`textDisplayHint` is the number 5, not one of domain_name,",
        "write one of domain_name,",
    ),
    ("properties: {contacts: {a: *b}}", ("yaml-syntax", 1, 28), "there is no anchor `&b`", "write `&b` before"),
    (
        "properties: {contacts: {a: {displayOrder: 2.0}}}",
        ("bad-format", 1, 43),
        "displayOrder is 2.0, and HubSpot takes whole numbers without a point only",
        "write 2",
    ),
    (
        "propertyGroups: {contacts: {a: {label: A, displayOrder: 1e1}}}",
        ("bad-format", 1, 57),
        "displayOrder is 10.0",
        "write 10",
    ),
    (
        "properties: {contacts: {a: {displayOrder: 2147483648}}}",
        ("bad-format", 1, 43),
        "`displayOrder` is 2147483648; the most is 2147483647",
        "position in its group",
    ),
    ("properties: {contacts: {a: {hidden: null}}}", ("not-clearable", 1, 37), "cannot be cleared", "drop the key"),
    (
        "propertyGroups: {contacts: {a: {label: }}}",
        ("not-clearable", 1, 40),
        "`label` is null, and that cannot be cleared",
        "what belongs there: what people see in HubSpot; drop the key where it may be absent",
    ),
    (
        "properties:\n  contacts:\n    a:\n      label:Size\n",
        ("wrong-type", 4, 7),
        "`a` should be a mapping, but is the text 'label:Size'",
        "put a blank after the colon: `label: Size`",
    ),
    (
        "properties:\n  contacts:\n<<<<<<< HEAD\n    a: {label: A}\n=======\n    a: {label: B}\n>>>>>>> theirs\n",
        ("yaml-syntax", 3, 1),
        "a conflict of a merge begins here",
        "remove the lines that begin with <<<<<<<",
    ),
    (
        "lifecycleStages:\n  - {name: gold, id: '5'}\n  - {name: silver, id: '5'}\n",
        ("stage-id-duplicate", 3, 5),
        "stages gold and silver are both the stage with the id 5",
        "keep one of them",
    ),
    (
        "lifecycleStages:\n  - {name: gold, id: customer}\n  - {name: customer}\n",
        ("stage-id-duplicate", 3, 5),
        "both the stage with the id customer",
        "keep one of them",
    ),
    ("properties: {contacts: {a: null}}", ("wrong-type", 1, 25), "`a` is empty", "add what belongs below it"),
    (
        "properties: {contacts: {a: {options: [{value: x, label: X, displayOrder: 1}]}}}",
        ("unknown-key", 1, 60),
        "unknown key 'displayOrder'",
        "the order of the list is the display order",
    ),
    (
        "properties: {contacts: {a: {hubspotDefined: true}}}",
        ("unknown-key", 1, 29),
        "unknown key 'hubspotDefined'",
        "HubSpot sets it; drop it",
    ),
    (
        "properties: {contacts: {a: {options: {exact: false, values: []}}}}",
        ("not-one-of", 1, 46),
        "`exact` is false, not true",
        "to leave them alone, write the options as a plain list",
    ),
    (
        "properties: {contacts: {a: {options: {values: []}}}}",
        ("missing-field", 1, 29),
        "`options` lacks exact",
        "to leave them alone, write the options as a plain list",
    ),
    (
        "properties: {contacts: {a: {dateDisplayHint: absolute}}}",
        ("unknown-key", 1, 29),
        "unknown key 'dateDisplayHint'",
        "HubSpot ignores it when it is sent; drop it",
    ),
    (
        "properties: {contacts: {a: {options: [{value: x, label: X, name: x}]}}}",
        ("unknown-key", 1, 60),
        "unknown key 'name'",
        "known here: description, hidden, label, value",
    ),
    (
        "properties: {contacts: {a: {options: [gold]}}}",
        ("wrong-type", 1, 39),
        "should be a mapping, but is the text 'gold'",
        "write a mapping: {value: ..., label: ...}",
    ),
    ("removed: [{reason: r}]", ("missing-field", 1, 11), "lacks address", "add `address:`"),
    ("removed: [{address: '', reason: r}]", ("bad-format", 1, 21), "`address` is empty", "path of the entry"),
    (
        "properties: {contacts: {a: {options: {exact: true}}}}",
        ("missing-field", 1, 29),
        "`options` lacks values",
        "add `values:`",
    ),
    ("properties: {contact: {a: {label: A}}}", ("object-type-name", 1, 24), "contact is written contacts", "contacts"),
    (
        "properties: {Contacts: {a: {label: A}}}",
        ("object-type-name", 1, 25),
        "Contacts is written contacts",
        "contacts",
    ),
    ("properties: {0-3: {a: {label: A}}}", ("object-type-name", 1, 20), "0-3 is written deals here", "deals"),
    ("properties: {contcats: {a: {label: A}}}", ("unknown-object-type", 1, 25), "custom object", "contacts?"),
    (
        f"properties: {{contacts: {{a: {{{FULL.replace('contactinformation', 'contactinfomation')}}}}}}}",
        ("unknown-group", 1, 81),
        "group contactinfomation is neither",
        "did you mean contactinformation?",
    ),
    (
        "removed: [{address: propertys/a/b, reason: r}]",
        ("removed-address", 1, 11),
        "no kind",
        "did you mean properties?",
    ),
    (
        "removed: [{address: associationLabels/contacts/x, reason: r}]",
        ("removed-address", 1, 11),
        "names no definition",
        "write associationLabels/OBJECT_TYPE/OBJECT_TYPE/NAME; a / inside a name is written %2F",
    ),
    ("removed: [{address: properties/a/b/label, reason: r}]", ("removed-address", 1, 11), "names no", "/options/VALUE"),
    ("removed: [{address: properties//b, reason: r}]", ("removed-address", 1, 11), "names no", "OBJECT_TYPE/NAME"),
    ("removed: [{address: properties/deal/b, reason: r}]", ("object-type-name", 1, 11), "deal is written", "deals"),
    ("removed: [{address: properties/deals/a12_x, reason: r}]", ("removed-vendor", 1, 11), "never archived", "drop"),
    (
        "removed: [{address: propertyGroups/deals/dealinformation, reason: r}]",
        ("removed-vendor", 1, 11),
        "a group of HubSpot's own",
        "drop the line",
    ),
    (
        "removed: [{address: lifecycleStages/lead, reason: r}]",
        ("removed-vendor", 1, 11),
        "a stage of HubSpot's own",
        "drop the line",
    ),
    ("removed: [{address: properties/deals/x, reason: ''}]", ("bad-format", 1, 49), "`reason` is empty", "why it goes"),
]


@pytest.mark.parametrize(("text", "place", "message", "fix"), TABLE, ids=[row[0][:60] for row in TABLE])
def test_a_mistake_is_said_where_it_is_with_its_way_out(specs, text, place, message, fix):
    """One mistake is one finding, at the exact key or value, with a fix."""
    spec = specs(text)

    assert said(spec) == [place]
    assert message in spec.findings[0].message
    assert fix in spec.findings[0].fix
    assert spec.findings[0].frame.count("\n") == 1


def test_options_of_a_vendor_property_may_be_removed(specs):
    """Options are editable on some of HubSpot's properties, so only whole ones are refused."""
    assert specs("removed: [{address: properties/contacts/hs_lead_status/options/OLD, reason: r}]").findings == ()


def test_the_frame_shows_the_line_and_the_place(specs):
    """Two lines: what stands there, and where in it."""
    frame = specs("properties:\n  contacts:\n    a: {label: 7}\n").findings[0].frame

    assert frame == "3 |     a: {label: 7}\n  |                ^"


def test_a_finding_names_its_entry(specs):
    """The address of a finding is that of the entry it is in, where there is one."""
    spec = specs(f"properties: {{contacts: {{a/b: {{{FULL}, hidden: 1}}}}, deals: []}}")

    assert {(one.rule, one.address) for one in spec.findings} == {
        ("wrong-type", "properties/contacts/a%2Fb"),
        ("property-name", "properties/contacts/a%2Fb"),
        ("wrong-type", ""),
    }


def test_the_same_thing_twice_names_both_places(specs, tmp_path):
    """Two files cannot both declare, or both remove, one thing."""
    text = "properties: {contacts: {a: {label: A}}}\nremoved: [{address: properties/contacts/b, reason: r}]\n"
    spec = specs(text, text)

    first = (tmp_path / "0.yaml").as_posix()
    assert [(one.rule, one.source.file[-6:], one.source.line) for one in spec.findings] == [
        ("declared-twice", "1.yaml", 1),
        ("removed-twice", "1.yaml", 2),
    ]
    assert f"{first}:1:25" in spec.findings[0].message
    assert f"{first}:2:11" in spec.findings[1].message


def test_what_is_declared_in_one_file_cannot_be_removed_in_another(specs):
    """Definitions and single options can be wanted or unwanted, not both."""
    declared = "properties:\n  contacts:\n    a: {options: [{value: x, label: X}]}\n    b: {label: B}\n"
    removed = (
        "removed:\n"
        "  - {address: properties/contacts/a/options/x, reason: r}\n"
        "  - {address: properties/contacts/a/options/y, reason: r}\n"
        "  - {address: properties/contacts/b, reason: r}\n"
    )
    spec = specs(declared, removed)

    assert said(spec) == [("declared-and-removed", 2, 5), ("declared-and-removed", 4, 5)]
    assert "0.yaml:3:5" in spec.findings[0].message


def test_a_group_that_is_declared_anywhere_is_known(specs):
    """Groups and properties may stand in different files."""
    properties = "properties: {contacts: {a: {label: A, groupName: team}, b: {groupName: team}}}"
    groups = "propertyGroups: {contacts: {team: {label: Team}}}"

    assert specs(properties, groups).findings == ()


def test_a_removed_group_is_an_error_for_whoever_uses_it(specs):
    """A property cannot be put into a group that goes away."""
    spec = specs(
        "properties: {contacts: {a: {groupName: team}}}\n"
        "removed: [{address: propertyGroups/contacts/team, reason: r}]\n"
    )

    assert [(one.rule, one.severity, one.source[1:]) for one in spec.findings] == [("unknown-group", "error", (1, 40))]


@pytest.mark.parametrize(
    ("content", "rule", "place"),
    [
        (b"", "empty-file", (1, 1)),
        (b"# nothing\n", "empty-file", (1, 1)),
        (b"a: [1\n", "yaml-syntax", (1, 4)),
        ("properties: {contacts: {a: {label: é}}}".encode("latin-1"), "yaml-encoding", (1, 36)),
        ("properties: {}".encode("utf-16"), "yaml-encoding", (1, 1)),
        (b"properties: {}\nproperties: {}\n", "yaml-duplicate-key", (2, 1)),
    ],
    ids=["empty", "comment", "syntax", "latin-1", "utf-16", "duplicate"],
)
def test_a_file_that_is_no_sound_yaml_is_a_finding(specs, content, rule, place):
    """A broken file is named, and the others are read all the same."""
    spec = specs("properties: {contacts: {a: {label: A}}}", **{"broken.yaml": content})

    assert [(one.rule, one.source[1:]) for one in spec.findings] == [(rule, place)]
    assert list(spec.desired) == ["properties/contacts/a"]


def test_a_file_that_cannot_be_read_is_a_finding(specs, tmp_path):
    """Broken links, pipes and files without end do not stop a run."""
    (tmp_path / "link.yaml").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.yaml")
    with (tmp_path / "huge.yaml").open("wb") as huge:
        huge.truncate(65 * 1024 * 1024)
    spec = specs("properties: {contacts: {a: {label: A}}}")

    assert [(one.rule, Path(one.source.file).name) for one in spec.findings] == [
        ("unreadable-file", "huge.yaml"),
        ("unreadable-file", "link.yaml"),
        ("unreadable-file", "pipe.yaml"),
    ]
    assert "link.yaml cannot be read: it is a link that leads nowhere" in spec.findings[1].message


def test_settings_problems_are_findings_too(specs):
    """``validate`` checks the settings along with the specs."""
    spec = specs("properties: {}", **{"reconciler.yaml": "version: 1\nportals: {demo: {}}\nwatsh: []\n"})

    assert said(spec) == [("unknown-key", 3, 1)]
    assert spec.settings is None


def test_content_that_is_not_written_yet_can_be_checked():
    """An import asks before it writes what no spec could say."""
    assert problems({"properties": {"contacts": {"a": {"label": "A"}}}}) == []
    assert [one.rule for one in problems({"properties": {"contacts": {"a": {"label": ""}, "B": {}}}})] == [
        "bad-format",
        "property-name",
    ]


@pytest.mark.parametrize(("group", "rule"), [("''", "bad-format"), ("[g]", "wrong-type")])
def test_no_group_is_named_that_nobody_wrote(specs, group, rule):
    """What is put in for a text that is missing refers to nothing, so nothing may be said of it."""
    spec = specs(f"properties: {{contacts: {{a: {{label: A, type: string, fieldType: text, groupName: {group}}}}}}}")

    assert said(spec) == [(rule, 1, 81)]


def test_a_refused_list_entry_leaves_the_others_in_place(specs):
    """Entries of a list keep their lines when one before them is refused."""
    spec = specs(
        "removed:\n"
        "  - nonsense\n"
        "  - {address: properties/contacts/hs_a, reason: r}\n"
        "  - {address: properties/contacts/b, reason: r}\n"
    )

    assert said(spec) == [("wrong-type", 2, 5), ("removed-vendor", 3, 5)]
    assert spec.removed["properties/contacts/b"].source.line == 4


def test_lists_of_stages_may_stand_in_several_files(specs):
    """Each list orders the stages it names; what two lists say of one stage is put together."""
    spec = specs(
        "lifecycleStages: [{name: lead, label: Lead}, {name: trial, label: Trial, meta: {owner: me}}]",
        "lifecycleStages: [{name: trial}, {name: customer, label: Customer}]",
    )

    assert spec.findings == ()
    assert {address: one.attributes for address, one in spec.desired.items()} == {
        "lifecycleStages/lead": {"label": "Lead"},
        "lifecycleStages/trial": {"label": "Trial"},
        "lifecycleStages/customer": {"label": "Customer"},
    }
    assert spec.desired["lifecycleStages/trial"].facts == {
        "orders": [["lead", "trial"], ["trial", "customer"]],
        "meta": {"owner": "me"},
    }


@pytest.mark.parametrize(
    ("one", "other", "rules"),
    [
        ("{name: lead}, {name: trial}", "{name: trial}, {name: lead}", ["stage-order", "stage-order"]),
        ("{name: lead, label: Lead}", "{name: lead, label: Hot}", ["declared-twice"]),
        ("{name: lead, label: Lead}, {name: trial}", "{name: lead, label: Lead}, {name: customer}", []),
        ("{name: lead}, {name: trial}, {name: lead}", "{name: customer}", ["stage-twice"]),
        ("{name: trial, label: Trial}", "{name: test, label: TRIAL}", ["stage-label-duplicate"]),
        ("{nam: lead}", "{name: trial, label: ''}", ["unknown-key", "bad-format"]),
    ],
)
def test_lists_of_stages_cannot_contradict(specs, one, other, rules):
    """Places, labels and names of stages have to fit together across files."""
    spec = specs(f"lifecycleStages: [{one}]", f"lifecycleStages: [{other}]")

    assert [finding.rule for finding in spec.findings] == rules


def test_a_refused_stage_does_not_move_the_others(specs):
    """A stage after one that is refused keeps its line."""
    spec = specs("lifecycleStages:\n  - 1\n  - {name: trial, label: Trial}\n  - {name: trial}\n")

    assert said(spec) == [("wrong-type", 2, 5), ("stage-twice", 3, 5)]


def test_a_label_is_declared_in_one_direction(specs):
    """The inverse of a label is part of it."""
    spec = specs(
        "associationLabels:\n"
        "  contacts: {companies: {billing: {label: Billing}}}\n"
        "  companies: {contacts: {billing: {label: Billing}}, companies: {reseller: {label: Reseller}}}\n"
    )

    assert [one.rule for one in spec.findings] == ["label-direction"]


def test_sound_specs_load_no_heavy_library(tmp_path):
    """Reading sound specs needs neither the schema library nor the others that are slow to import."""
    (tmp_path / "a.yaml").write_text(f"properties: {{contacts: {{a: {{{FULL}}}}}}}\n")
    (tmp_path / "reconciler.yaml").write_text("version: 1\nportals: {demo: {}}\n")
    script = (
        "import json, sys, pathlib\nfrom reconciler.spec import load\n"
        f"spec = load(pathlib.Path({str(tmp_path)!r}))\n"
        "heavy = {'httpx', 'jsonschema', 'deepdiff', 'asyncio', 'difflib'} & set(sys.modules)\n"
        "print(json.dumps([len(spec.desired), len(spec.findings), sorted(heavy)]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)

    assert json.loads(done.stdout) == [1, 0, []]


def test_the_specs_of_this_repository_are_sound():
    """What the project shows as an example has no finding."""
    assert load(ROOT / "specs").findings == ()


def test_a_group_that_nobody_knows_is_one_warning(specs):
    """However many properties lie in it; an error, which has to go, stands at each of them."""
    entry = "{label: A, type: number, fieldType: number, groupName: %s}"
    listed = "".join(f"    {name}: {entry % 'own'}\n" for name in "abc")
    stone = "removed: [{address: propertyGroups/contacts/own, reason: r}]\n"

    found = specs(f"properties:\n  contacts:\n{listed}").findings
    gone = specs(f"{stone}properties:\n  contacts:\n{listed}").findings

    assert [(one.rule, one.severity, one.source.line) for one in found] == [("unknown-group", "warning", 3)]
    assert [(one.rule, one.severity) for one in gone] == [("unknown-group", "error")] * 3
