"""Specs that differ from portal to portal: overlays and variables."""

import json

import pytest

from reconciler import spec, variables
from reconciler.cli import run
from reconciler.model import Source

SETTINGS = """\
version: 1
defaultPortal: eu
portals:
  eu: {emulator: .reconciler/eu.json}
  us: {emulator: .reconciler/us.json, variables: {region: US, top: 10}}
watch: [contacts]
variables:
  region: {type: string, default: EU}
  top: {type: integer, default: 3}
  open: {type: boolean, default: false}
"""
SHARED = """\
propertyGroups: {contacts: {cs: {label: Success}}}
properties:
  contacts:
    cs_tier:
      label: Tier (${var:region})
      description: Up to ${var:top}, $${var:region} is a variable
      type: enumeration
      fieldType: select
      groupName: cs
      hidden: ${var:open}
      displayOrder: ${var:top}
      options:
        - {value: free, label: Free}
        - {value: gold, label: Gold}
"""
OVERLAY = """\
properties:
  contacts:
    cs_tier:
      description: American
      options:
        - {value: gold, label: Gold (US)}
        - {value: state, label: State}
    cs_tax_id: {label: Tax, type: string, fieldType: text, groupName: cs}
"""


@pytest.fixture
def specs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(settings=SETTINGS, shared=SHARED, **overlays):
        for name, text in {"reconciler.yaml": settings, "contacts.yaml": shared}.items():
            (tmp_path / "specs").mkdir(exist_ok=True)
            (tmp_path / "specs" / name).write_text(text, "utf-8")
        for portal, text in overlays.items():
            (tmp_path / "specs/overlays" / portal).mkdir(parents=True, exist_ok=True)
            (tmp_path / "specs/overlays" / portal / "own.yaml").write_text(text, "utf-8")
        return tmp_path / "specs"

    return write


def problems(directory, capsys, *words):
    code = run(["validate", "--specs", str(directory), "-o", "json", *words])
    document = json.loads(capsys.readouterr().out)
    assert code == document["exit"]["code"]
    return [
        (
            one["rule"],
            f"{one['source']['file'].rpartition('specs/')[2]}:{one['source']['line']}:{one['source']['column']}",
        )
        for one in document["findings"]
    ]


def test_a_variable_is_the_value_of_its_portal(specs):
    """Alone it keeps its type, inside a text it is text, and two dollar signs stand for themselves."""
    files = spec.SpecFiles.read(specs())

    eu, us = files.spec("eu"), files.spec("us")

    assert (eu.findings, us.findings) == ((), ())
    there = eu.desired["properties/contacts/cs_tier"].attributes
    assert (there["label"], there["hidden"], there["displayOrder"]) == ("Tier (EU)", False, 3)
    here = us.desired["properties/contacts/cs_tier"].attributes
    assert (here["label"], here["description"], here["displayOrder"]) == (
        "Tier (US)",
        "Up to 10, ${var:region} is a variable",
        10,
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$${var:", "${var:"),
        ("$${var: and ${var:region}", "${var: and EU"),
        ("$${var:}", "${var:}"),
        ("$${var:re gion}", "${var:re gion}"),
        ("$$${var:region}", "$${var:region}"),
        ("$${var:region}${var:region}", "${var:region}EU"),
        ("$5 and $$5 and ${x}", "$5 and $$5 and ${x}"),
    ],
)
def test_two_dollar_signs_stand_for_the_sign_whatever_follows(text, value):
    """What follows the sign need not look like the name of a variable."""
    region = variables.Variable("region", "string")

    assert variables.filled([text], {"region": "EU"}, {"region": region}) == ([value], [])
    assert variables.filled(variables.escaped(text), {}, {}) == (text, [])


def test_an_overlay_is_merged_by_address_and_keeps_the_origin_of_every_field(specs):
    """Fields over fields, options by value, new entries added; each overlaid field knows its file and line."""
    directory = specs(us=OVERLAY)
    files = spec.SpecFiles.read(directory)

    us = files.spec("us")

    assert us.findings == ()
    tier = us.desired["properties/contacts/cs_tier"]
    assert tier.attributes["label"] == "Tier (US)"
    assert tier.attributes["description"] == "American"
    assert tier.attributes["options"] == {
        "free": {"label": "Free"},
        "gold": {"label": "Gold (US)"},
        "state": {"label": "State"},
    }
    own = (directory / "overlays/us/own.yaml").as_posix()
    assert tier.facts["origins"] == {
        "description": Source(own, 4, 20),
        "options/gold": Source(own, 6, 11),
        "options/state": Source(own, 7, 11),
    }
    assert "properties/contacts/cs_tax_id" in us.desired
    assert "properties/contacts/cs_tax_id" not in files.spec("eu").desired
    assert [path for path, _ in us.files] == ["contacts.yaml", "overlays/us/own.yaml"]


@pytest.mark.parametrize(
    ("options", "order"),
    [
        ("[{value: gold, label: Gold}, {value: free, label: Free}]", ["gold", "free"]),
        ("[{value: state, label: State}, {value: free, label: Free}]", ["state", "free", "gold"]),
        ("[{value: free, label: Free}, {value: state, label: State}]", ["free", "state", "gold"]),
        ("[{value: state, label: State}]", ["free", "gold", "state"]),
    ],
)
def test_options_stand_in_the_order_of_the_overlay(specs, options, order):
    """The order of a list is the order of display, in an overlay too; what it does not name stays where it is."""
    files = spec.SpecFiles.read(specs(us=f"properties: {{contacts: {{cs_tier: {{options: {options}}}}}}}\n"))

    us = files.spec("us")

    assert us.findings == ()
    assert list(us.desired["properties/contacts/cs_tier"].attributes["options"]) == order


def test_portals_that_do_not_differ_share_one_spec(specs):
    """A fleet parses shared specs once."""
    settings = SETTINGS.replace("eu: {", "uk: {emulator: .reconciler/uk.json}\n  eu: {")
    files = spec.SpecFiles.read(specs(settings, us=OVERLAY))

    assert files.spec("eu") is files.spec("uk")
    assert files.spec("eu") is not files.spec("us")


def test_what_is_wrong_among_overlays_is_looked_for_once(specs):
    """A fleet of thousands does not look into every folder for every portal."""
    directory = specs(us=OVERLAY)
    files = spec.SpecFiles.read(directory)
    assert files.spec("eu").findings == ()

    (directory / "overlays/nobody").mkdir()

    assert files.spec("us").findings == ()
    assert [one.rule for one in spec.SpecFiles.read(directory).spec("us").findings] == ["overlay-without-effect"]


def test_the_plan_says_which_file_an_overlaid_field_comes_from(specs, capsys):
    """A reviewer sees the overlay's file and line beside the field that it gives."""
    specs(us=OVERLAY)
    assert run(["apply", "-p", "us", "--auto-approve", "-q"]) == 0
    specs(us=OVERLAY.replace("American", "Northern"))
    capsys.readouterr()

    assert run(["plan", "-p", "us", "-o", "json"]) == 0
    (change,) = json.loads(capsys.readouterr().out)["changes"]

    (field,) = change["fields"]
    assert (field["path"], field["after"]) == ("description", "Northern")
    assert field["source"] == {"file": "specs/overlays/us/own.yaml", "line": 4, "column": 20}
    assert (change["source"]["file"], change["source"]["line"]) == ("specs/contacts.yaml", 4)
    assert run(["plan", "-p", "us"]) == 0
    assert "specs/overlays/us/own.yaml:4" in capsys.readouterr().out


def test_validate_without_a_portal_looks_at_all_of_them(specs, capsys):
    """What is wrong in one portal only is found, and what is wrong in all of them is said once."""
    bad = "properties: {contacts: {cs_tier: {fieldType: date}}}\n"
    directory = specs(us=bad, shared=SHARED.replace("groupName: cs", "groupName: cs\n      colour: red"))

    assert problems(directory, capsys) == [
        ("unknown-key", "contacts.yaml:10:7"),
        ("property-type-pair", "overlays/us/own.yaml:1:46"),
    ]
    assert problems(directory, capsys, "-p", "eu") == [("unknown-key", "contacts.yaml:10:7")]


@pytest.mark.parametrize(
    ("overlay", "place"),
    [
        ("properties: {contacts: {cs_tier: {fieldType: select}}}\n", "overlays/us/own.yaml:1:25"),
        ("propertyGroups: {contacts: {cs: {label: Success}}}\n", "overlays/us/own.yaml:1:29"),
        ("# nothing\n", "overlays/us/own.yaml:1:1"),
        ("propertyGroups: {contacts: {}}\nremoved: []\nx-note: mine\n", "overlays/us/own.yaml:1:1"),
        ("properties: {contacts: {cs_tier: {options: [{value: gold, label: Gold}]}}}\n", "overlays/us/own.yaml:1:25"),
    ],
)
def test_an_overlay_that_touches_nothing_is_an_error(specs, capsys, overlay, place):
    """It is a mistake, or left over; either way somebody has to look."""
    found = problems(specs(us=overlay), capsys)

    assert ("overlay-without-effect", place) in found
    assert run(["validate"]) == 3


def test_a_list_of_an_overlay_may_hold_anything(specs, capsys):
    """What is no stage is refused at its place, and the stages beside it are laid over the shared ones."""
    shared = SHARED + "lifecycleStages:\n  - {name: lead, label: Lead}\n"
    own = "lifecycleStages:\n  - opportunity\n  - 7\n  - {name: lead, label: Prospect}\n"

    found = problems(specs(shared=shared, us=own), capsys)

    assert found == [("wrong-type", "overlays/us/own.yaml:2:5"), ("wrong-type", "overlays/us/own.yaml:3:5")]


def test_wrong_settings_are_not_blamed_on_an_overlay(specs, capsys):
    """What it says with variables is not known then, which is not the same as nothing."""
    own = "properties: {contacts: {cs_tier: {label: '${var:region}'}}}\n"
    directory = specs(SETTINGS.replace("watch:", "watches:"), us=own)

    assert problems(directory, capsys) == [("unknown-key", "reconciler.yaml:6:1")]


def test_what_an_overlay_declares_and_somebody_ignores_or_removes_is_told_with_both_places(specs, capsys):
    """The finding stands at the rule or the removal, and names the line of the overlay."""
    settings = SETTINGS + "ignore:\n  - {address: properties/contacts/cs_tier, fields: [description], reason: r}\n"
    shared = SHARED.replace("      description", "      #") + (
        "removed:\n  - {address: properties/contacts/cs_tier/options/state, reason: r}\n"
    )
    directory = specs(settings, shared, us=OVERLAY)

    assert problems(directory, capsys, "-p", "us") == [
        ("declared-and-removed", "contacts.yaml:16:5"),
        ("ignored-declared", "reconciler.yaml:12:5"),
    ]
    run(["validate", "-p", "us"])
    out = capsys.readouterr().out
    assert "description is declared at specs/overlays/us/own.yaml:4:20, and ignored here" in out
    assert "options/state is declared at specs/overlays/us/own.yaml:7:11 and removed here" in out


def test_an_overlay_of_no_portal_is_an_error(specs, capsys):
    """A misspelt folder would otherwise never be read."""
    found = problems(specs(usa=OVERLAY), capsys)

    assert found == [("overlay-without-effect", "overlays/usa:1:1")]
    run(["validate"])
    assert "did you mean us?" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "shared", "expected"),
    [
        (SETTINGS, SHARED.replace("var:region", "var:regoin", 1), ("undefined-variable", "contacts.yaml:5:14")),
        (SETTINGS, SHARED.replace("${var:top}\n", "${var:top\n"), ("variable-syntax", "contacts.yaml:11:21")),
        (SETTINGS, SHARED + "    ${var:region}_x: {label: X}\n", ("variable-in-key", "contacts.yaml:15:5")),
        (SETTINGS + "  spare: {type: string, default: x}\n", SHARED, ("unused-variable", "reconciler.yaml:11:3")),
        (SETTINGS.replace("region: US", "region: 7"), SHARED, ("variable-type", "reconciler.yaml:5:59")),
        (SETTINGS.replace("default: 3", "default: three"), SHARED, ("variable-type", "reconciler.yaml:9:33")),
        (SETTINGS.replace("region: US", "regoin: US"), SHARED, ("undefined-variable", "reconciler.yaml:5:59")),
        (SETTINGS.replace(", default: EU", ""), SHARED, ("variable-without-value", "reconciler.yaml:4:7")),
        (
            SETTINGS.replace("type: boolean", "type: string").replace("false", "'no'"),
            SHARED,
            ("wrong-type", "contacts.yaml:10:15"),
        ),
    ],
)
def test_a_variable_that_is_wrong_is_an_error_at_its_place(specs, capsys, settings, shared, expected):
    """Undefined, unused, ill-typed, without a value, in a key, or half written: each with file, line and column."""
    assert expected in problems(specs(settings, shared), capsys)
    assert run(["validate"]) == 3


def test_one_and_one_point_nought_are_two_values(tmp_path, monkeypatch):
    """Equal numbers that are written otherwise make other texts, for each portal its own."""
    monkeypatch.chdir(tmp_path)
    specs = tmp_path / "specs"
    specs.mkdir()
    portals = "{one: {emulator: a.json, variables: {n: 1}}, other: {emulator: b.json, variables: {n: 1.0}}}"
    settings = f"version: 1\nportals: {portals}\nvariables: {{n: {{type: number}}}}\nwatch: [contacts]\n"
    (specs / "reconciler.yaml").write_text(settings, "utf-8")
    (specs / "c.yaml").write_text("propertyGroups: {contacts: {g: {label: 'G ${var:n}'}}}\n", "utf-8")

    files = spec.SpecFiles.read(specs)

    labels = [files.spec(name).desired["propertyGroups/contacts/g"].attributes["label"] for name in ("one", "other")]
    assert labels == ["G 1", "G 1.0"]


TWICE = SHARED.replace("        - {value: gold", "        - {value: free, label: Costless}\n        - {value: gold")


@pytest.mark.parametrize(
    ("overlay", "rules"),
    [
        ("[{value: state, label: State}]", ["option-duplicate-value"]),
        (
            "[{value: state, label: State}, {value: state, label: Free}]",
            ["option-duplicate-label", "option-duplicate-value", "option-duplicate-value"],
        ),
        ("{exact: true, values: [{value: state, label: State}]}", []),
    ],
)
def test_a_value_that_is_listed_twice_is_told_through_an_overlay(specs, capsys, overlay, rules):
    """Whether the shared specs or the overlay list it twice; an exact list of the overlay replaces the mistake."""
    own = f"properties: {{contacts: {{cs_tier: {{options: {overlay}}}}}}}\n"

    found = problems(specs(shared=TWICE, us=own), capsys, "-p", "us")

    assert sorted(rule for rule, _ in found) == rules
