import json
import os
import resource
import shlex
import shutil
import stat
import subprocess
import sys

import pytest

from reconciler.cli import run
from reconciler.emulator import Portal, edit, faults, release

SETTINGS = "version: 1\nportals: {demo: {emulator: .reconciler/demo.json}}\nwatch: [contacts]\n"
SPEC = """properties:
  contacts:
    tier:
      label: Tier
      type: enumeration
      fieldType: select
      groupName: contactinformation
      options:
        - {value: free, label: Free}
        - {value: gold, label: Gold}
    hs_lead_status:
      options:
        - {value: NEW, label: New}
"""
TIER = {"object": "contacts", "property": "tier"}


@pytest.fixture
def place(tmp_path, monkeypatch, capsys):
    """A directory whose spec is applied to an embedded portal."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/reconciler.yaml").write_text(SETTINGS)
    (tmp_path / "specs/all.yaml").write_text(SPEC)
    assert run(["apply", "--auto-approve"]) == 0
    capsys.readouterr()
    return Place(tmp_path, capsys)


class Place:
    """The directory, its portal, and what commands say."""

    def __init__(self, path, capsys):
        self.path, self.capsys = path, capsys
        self.spec = path / "specs/all.yaml"

    @property
    def portal(self):
        return Portal.open(self.path / ".reconciler/demo.json")

    def says(self, *words, code=0):
        self.capsys.readouterr()
        assert run(list(words)) == code, self.capsys.readouterr()
        out, err = self.capsys.readouterr()
        return out + err

    def drift(self):
        self.capsys.readouterr()
        run(["drift", "-o", "json"])
        return json.loads(self.capsys.readouterr().out)["items"]

    def moved(self):
        return [(item["class"], item["address"].rpartition("/")[2]) for item in self.drift()]


def on_a_full_disk(room, *words):
    """What a command says for which no file has more room than so many bytes."""
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", *words],
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )
    assert done.returncode == 3, done
    return done.stdout + done.stderr


# --- accept ----------------------------------------------------------------------------------------------------------


def test_a_class_is_accepted_and_nothing_else(place):
    """What HubSpot added is accepted by its class; what it renamed and what a colleague did stay drift."""
    release(place.portal, "deprecated")
    edit(place.portal, "relabel", **TIER, label="Level")
    before = place.moved()

    said = place.says("accept", "--class", "vendor.added", "--reason", "release")

    assert "Accepted what moved at 1 definition of demo; drift starts from here." in said
    assert ("vendor.added", "hs_feedback_last_nps_rating_number") in before
    assert place.moved() == [one for one in before if one[0] != "vendor.added"]


def test_one_class_of_a_definition_leaves_its_other_drift(place):
    """A definition that moved in two ways is accepted in one of them, and goes on to drift in the other."""
    release(place.portal, "deprecated")
    name = "hs_feedback_last_nps_rating"

    place.says("accept", "--class", "vendor.described", "--reason", "words")

    assert ("vendor.relabelled", name) in place.moved()
    assert ("vendor.described", name) not in place.moved()


def test_classes_and_addresses_narrow_each_other(place):
    """With both, only what has the class and the address is accepted."""
    release(place.portal, "deprecated")
    edit(place.portal, "relabel", **TIER, label="Level")

    place.says("accept", "properties/contacts/t*", "--class", "vendor", "--reason", "none")

    assert len(place.moved()) == 4
    place.says("accept", "properties/contacts/hs_*", "--class", "vendor", "--reason", "release")
    assert place.moved() == [("managed.modified", "tier")]


def test_an_option_can_be_accepted_alone(place):
    """An address below a definition accepts that part of it."""
    edit(place.portal, "relabel", **TIER, label="Level")
    edit(place.portal, "add-option", **TIER, value="team", label="Team")

    place.says("accept", "properties/contacts/tier/options/team", "--reason", "sold now")

    assert [[one["path"] for one in item["fields"]] for item in place.drift()] == [["label"]]


def test_a_class_can_be_accepted_for_a_while(place):
    """Until a day the items of a class are no drift, and the baseline stays where it was."""
    release(place.portal, "deprecated")

    said = place.says("accept", "--class", "vendor", "--reason", "wait", "--until", "2999-12-31")

    assert "until 2999-12-31; then it is drift again" in said
    assert {item["accepted"]["until"] for item in place.drift()} == {"2999-12-31"}
    place.says("drift")


def test_a_reason_in_another_encoding_costs_no_acceptance(place):
    """A reason that no UTF-8 can hold is kept as its escape, beside what was accepted before."""
    edit(place.portal, "relabel", **TIER, label="Level")
    place.says("accept", "--all", "--reason", "wait", "--until", "2999-12-30")
    edit(place.portal, "create-group", object="contacts", group="own", label="Own")

    place.says("accept", "propertyGroups/contacts/own", "--reason", "bad \udcff", "--until", "2999-12-31")

    assert [one["accepted"]["reason"] for one in place.drift()] == ["wait", "bad \udcff"]


def test_a_full_disk_costs_no_acceptance(place):
    """An acceptance that does not fit on the disk is refused, and those that were there stay as they were."""
    accepted = place.path / "specs/baselines/demo/accepted.json"
    edit(place.portal, "relabel", **TIER, label="Level")
    place.says("accept", "--all", "--reason", "wait", "--until", "2999-12-30")
    edit(place.portal, "create-group", object="contacts", group="own", label="Own")
    before, there = accepted.read_bytes(), sorted(os.listdir(accepted.parent))
    words = ["accept", "propertyGroups/contacts/own", "--until", "2999-12-31", "--reason", "x" * 500]

    assert "accepted.json: File too large" in on_a_full_disk(512, *words)

    assert accepted.read_bytes() == before
    assert sorted(os.listdir(accepted.parent)) == there


@pytest.mark.parametrize("command", ["import", "adopt"])
def test_a_full_disk_costs_no_spec_file(place, command):
    """A spec file that does not fit on the disk is named, and all of them stay as they were."""
    edit(place.portal, "create-group", object="contacts", group="own", label="Own")
    place.says("import")
    edit(place.portal, "create-group", object="contacts", group="other", label="Other " * 100)
    edit(place.portal, "relabel", **TIER, label="Level" * 100)
    specs = place.path / "specs"
    before = {path: path.read_bytes() for path in specs.iterdir() if path.is_file()}

    assert "yaml: File too large" in on_a_full_disk(512, command)

    assert {path: path.read_bytes() for path in specs.iterdir() if path.is_file()} == before


# --- a part of drift -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("properties/contacts/tier", 2),
        ("properties/contacts/tier/label", 2),
        ("properties/contacts/tier/options/gold", 0),
        ("properties/contacts/hs_lead_status", 0),
        ("lifecycleStages/contacts", 0),
        ("properties/contacts/planned", 0),
    ],
)
def test_drift_of_a_part(place, pattern, code):
    """What moved in a field is drift of it; what is there, is a list or is declared, and did not move, is none."""
    place.spec.write_text(SPEC + "    planned: {label: P, type: number, fieldType: number, groupName: tiers}\n")
    edit(place.portal, "relabel", **TIER, label="Level")

    place.says("drift", "--only", pattern, code=code)


def test_a_part_that_is_muted_is_told(place):
    """A rule that ignores a field is told to whoever asks for that field."""
    rule = '{address: properties/contacts/tier, fields: [description], reason: "translated"}'
    (place.path / "specs/reconciler.yaml").write_text(f"{SETTINGS}ignore: [{rule}]\n")
    edit(place.portal, "change", **TIER, fields={"description": "Stufe"})

    assert "Muted: 1 ignored: translated." in place.says("drift", "--only", "properties/contacts/tier/description")


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("nonsense/foo", "nothing in the portal, the baseline or the specs is called nonsense/foo"),
        ("properties/contacts/teir", "did you mean properties/contacts/tier?"),
        ("associationLabels/contacts/contacts/nobody", "is called associationLabels/contacts/contacts/nobody"),
    ],
)
@pytest.mark.parametrize("moved", [True, False])
def test_drift_of_nothing_is_a_mistake(place, pattern, told, moved):
    """A pattern that names nothing would say for ever that nothing drifted, so it is refused, moved or not."""
    if moved:
        edit(place.portal, "relabel", **TIER, label="Level")

    assert told in place.says("drift", "--only", pattern, code=3)


def test_drift_of_a_list_that_nobody_may_read(denied):
    """What lies in a list that could not be read is not unknown; the list is told."""
    assert "could not be read" in denied.says("drift", "--only", "properties/companies/nobody", code=2)


# --- what cannot be accepted -----------------------------------------------------------------------------------------


def forbid(portal, path):
    """HubSpot refuses to show lists of this path from now on."""
    faults.add(portal, kind="forbidden", method="GET", path=path, count=0)
    portal.save()


def test_nothing_is_accepted_that_could_not_be_read(place):
    """Where no list could be read there is nothing to accept: exit 4, as drift, and nothing is written down."""
    forbid(place.portal, "/crm/")
    record = place.path / "specs/baselines/demo/acceptances.jsonl"
    before = record.read_bytes()

    said = place.says("accept", "--all", "--reason", "x", code=4)

    assert "no list of the portal could be read" in said
    assert record.read_bytes() == before


@pytest.fixture
def denied(place):
    """A portal in which a label has moved, and whose companies nobody may read any more."""
    (place.path / "specs/reconciler.yaml").write_text(SETTINGS.replace("[contacts]", "[contacts, companies]"))
    place.says("accept", "--all", "--reason", "companies, too")
    edit(place.portal, "relabel", **TIER, label="Level")
    forbid(place.portal, "properties/companies$")
    return place


@pytest.mark.parametrize(
    ("words", "accepted"),
    [
        (["--all"], ["properties/contacts/tier"]),
        (["--class", "access"], []),
        (["--class", "access", "--class", "managed"], ["properties/contacts/tier"]),
    ],
)
def test_a_list_that_could_not_be_read_stays_drift(denied, words, accepted):
    """What was read is accepted; a list that was not is said to stay drift, with exit 4, and nobody consented to it."""
    said = denied.says("accept", *words, "--reason", "w", code=4)

    assert "properties/companies could not be read, and stays drift" in said
    assert ("Accepted what moved at 1 definition" in said) == bool(accepted)
    lines = (denied.path / "specs/baselines/demo/acceptances.jsonl").read_text().splitlines()
    assert [one["address"] for one in map(json.loads, lines) if one["reason"] == "w"] == accepted
    assert ("access.unreadable", "companies") in denied.moved()


def test_a_list_that_cannot_be_read_is_accepted_for_a_while(denied):
    """Until a day somebody may live without a list."""
    denied.says("accept", "--all", "--reason", "the scope is asked for", "--until", "2999-12-31")

    denied.says("drift")


@pytest.mark.parametrize("words", [["--all"], ["properties/contacts/tier", "--reason", "x"]])
def test_without_a_baseline_nothing_can_be_accepted_for_a_while(place, words):
    """Nothing has moved where there is no baseline, so a day is a mistake, and no file appears."""
    baselines = place.path / "specs/baselines/demo"
    shutil.rmtree(baselines)

    said = place.says("accept", *words, "--until", "2999-12-31", code=3)

    assert "portal demo has no baseline yet, so nothing has moved" in said
    assert not baselines.exists()


def test_a_day_that_is_past_accepts_nothing(place):
    """An acceptance that would not hold for a day is refused."""
    edit(place.portal, "relabel", **TIER, label="Level")

    said = place.says("accept", "--all", "--reason", "seen", "--until", "2020-01-01", code=3)

    assert "2020-01-01 is past" in said
    assert place.moved() == [("managed.modified", "tier")]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--class", "vendor.aded", "--reason", "x"], "did you mean vendor.added?"),
        (["--class", "vendor.added"], "an acceptance needs a reason"),
        (["--all"], "an acceptance needs a reason"),
        (["--class", "vendor", "--all"], "name addresses or a class, or give --all"),
        (["properties/contacts/teir", "--reason", "x"], "did you mean properties/contacts/tier?"),
        (["properties/contacts/teir/options/x", "--reason", "x"], "nothing in the portal or the baseline is called"),
    ],
)
def test_what_cannot_be_accepted_is_said(place, words, told):
    """A misspelt class or address, and a missing reason, end with 3 and a way out."""
    assert told in place.says("accept", *words, code=3)


def test_every_way_out_can_be_pasted_into_a_shell(place):
    """The commands of an item are one line of shell words, and each of them ends its drift."""
    edit(place.portal, "add-option", **TIER, value="it's $HOME `x`; *", label="Odd")
    edit(place.portal, "create", object="contacts", definition={**FULL, "name": "size", "label": "Size"})

    for item in place.drift():
        for command in item["ways"].values():
            words = shlex.split(command)
            assert words[0] == "reconciler"
            assert item["address"] in words
            place.says(*words[1:], *(["--auto-approve"] if words[1] == "apply" else []))
            break
    assert place.moved() == []


FULL = {"type": "string", "fieldType": "text", "groupName": "contactinformation"}


# --- adopt -----------------------------------------------------------------------------------------------------------


def test_a_class_is_adopted(place):
    """By class only what moved so comes into the specs; the rest stays drift."""
    edit(place.portal, "relabel", **TIER, label="Level")
    edit(place.portal, "add-option", **TIER, value="team", label="Team")

    said = place.says("adopt", "--class", "managed.option-added")

    assert "+        - {value: team, label: Team}" in said
    assert place.spec.read_text() == SPEC.replace("label: Gold}", "label: Gold}\n        - {value: team, label: Team}")
    assert place.moved() == [("managed.modified", "tier")]


def test_what_hubspot_did_to_a_property_stays_drift(place):
    """Adopting the options that we own of a default takes nothing else of it over."""
    release(place.portal, "change", object="contacts", property="hs_lead_status", fields={"label": "State"})
    edit(place.portal, "relabel-option", object="contacts", property="hs_lead_status", value="NEW", label="Fresh")

    place.says("adopt")

    assert place.spec.read_text() == SPEC.replace("label: New}", "label: Fresh}")
    assert place.moved() == [("vendor.relabelled", "hs_lead_status")]


def test_a_field_that_nobody_wrote_down_comes_in(place):
    """Of a full definition a field that a colleague set is written down, so that the specs say what is live."""
    edit(place.portal, "change", **TIER, fields={"description": "Sold: yes"})

    place.says("adopt")

    assert place.spec.read_text() == SPEC.replace(
        "    hs_lead_status:", '      description: "Sold: yes"\n    hs_lead_status:'
    )
    assert place.moved() == []
    place.says("plan", "--detailed-exitcode")


def test_a_change_of_type_comes_with_its_options(place):
    """A property that became another type loses and gains what goes with it."""
    edit(place.portal, "change", **TIER, fields={"type": "string", "fieldType": "text", "options": []})

    place.says("adopt")

    start, end = SPEC.index("      options:"), SPEC.index("    hs_lead_status:")
    text = SPEC[:start] + SPEC[end:]
    assert place.spec.read_text() == text.replace("enumeration", "string").replace("select", "text")
    assert place.moved() == []


def test_what_cannot_be_edited_is_refused_and_the_rest_adopted(place):
    """A value behind an anchor is left alone, by its address and with the reason; everything else is adopted."""
    text = "x-label: &l Tier\n" + SPEC.replace("label: Tier", "label: *l")
    place.spec.write_text(text)
    edit(place.portal, "relabel", **TIER, label="Level")
    edit(place.portal, "relabel-option", object="contacts", property="hs_lead_status", value="NEW", label="Fresh")

    said = place.says("adopt", code=3)

    assert "error: properties/contacts/tier: specs/all.yaml is left as it is: the value is shared through" in said
    assert place.spec.read_text() == text.replace("label: New}", "label: Fresh}")
    assert place.moved() == [("managed.modified", "tier")]


def test_nothing_is_written_that_validate_refuses(place):
    """An adoption that contradicts another file is refused, and so is what is listed for removal."""
    (place.path / "specs/gone.yaml").write_text(
        "removed:\n"
        "  - {address: properties/contacts/tier/options/team, reason: not sold}\n"
        "  - {address: properties/contacts/size, reason: useless}\n"
    )
    edit(place.portal, "add-option", **TIER, value="team", label="Team")
    edit(place.portal, "create", object="contacts", definition={**FULL, "name": "size", "label": "Size"})

    said = place.says("adopt", "properties/contacts/tier", "properties/contacts/size", code=3)

    assert (
        "properties/contacts/size: it is listed under `removed:` at specs/gone.yaml:3:5; drop that line first" in said
    )
    assert "properties/contacts/tier: the specs cannot say what is live:" in said
    assert place.spec.read_text() == SPEC
    place.says("validate")


def test_what_hubspot_alone_defines_is_not_adopted(place):
    """A default of which a portal may change nothing is named, with the other way to depend on it."""
    said = place.says("adopt", "properties/contacts/hs_object_id", code=3)

    assert "no field of it can be declared; name it under `integrations:`" in said


def test_ignored_things_are_neither_adopted_nor_imported(place):
    """What a rule leaves alone comes into no spec, by a pattern or by an import."""
    edit(place.portal, "create", object="contacts", definition={**FULL, "name": "size", "label": "Size"})
    edit(place.portal, "create", object="contacts", definition={**FULL, "name": "sort", "label": "Sort"})
    rule = "ignore:\n  - {address: properties/contacts/size, reason: a trial}\n"
    (place.path / "specs/reconciler.yaml").write_text(SETTINGS + rule)

    place.says("adopt", "properties/contacts/s*")
    assert place.spec.read_text().endswith(
        "    sort:\n      label: Sort\n      type: string\n      fieldType: text\n      groupName: contactinformation\n"
    )
    place.says("import")
    assert not any("size:" in path.read_text() for path in (place.path / "specs").rglob("*.yaml"))
    place.says("validate")
    assert "is declared at" in place.says("adopt", "properties/contacts/size", code=3)


def test_a_link_stays_a_link(place):
    """A spec file that is a link is edited where it leads to, with the rights that it had."""
    real = place.path / "shared.yaml"
    place.spec.rename(real)
    real.chmod(0o640)
    place.spec.symlink_to(real)
    edit(place.portal, "relabel", **TIER, label="Level")

    place.says("adopt")

    assert place.spec.is_symlink()
    assert real.read_text() == SPEC.replace("label: Tier", "label: Level")
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(os.listdir(place.path / "specs")) == ["all.yaml", "baselines", "reconciler.yaml"]


def test_a_recorded_read_is_adopted_without_a_token(place):
    """Adopting and accepting work on a snapshot, too, and touch only what was read."""
    edit(place.portal, "relabel", **TIER, label="Level")
    place.says("snapshot", "later.json")
    edit(place.portal, "relabel", **TIER, label="Later")

    place.says("adopt", "--from-snapshot", "later.json")

    assert place.spec.read_text() == SPEC.replace("label: Tier", "label: Level")


def test_a_file_of_comments_is_filled(place):
    """Where no file has such definitions yet, a new one is written below what stands in the usual file."""
    edit(place.portal, "create-group", object="contacts", group="own", label="Own")
    (place.path / "specs/contacts.yaml").write_text("# groups to come")

    place.says("adopt", "propertyGroups/contacts/own")

    text = "# groups to come\npropertyGroups:\n  contacts:\n    own: {label: Own}\n"
    assert (place.path / "specs/contacts.yaml").read_text() == text


def test_a_field_is_adopted_where_it_is_declared(place):
    """What a portal has otherwise is edited in its overlay, the rest in the shared file."""
    overlay = place.path / "specs/overlays/demo/tier.yaml"
    overlay.parent.mkdir(parents=True)
    text = "properties: {contacts: {tier: {label: Our tier}}}  # demo\n"
    overlay.write_text(text)
    place.says("apply", "--auto-approve")
    edit(place.portal, "relabel", **TIER, label="Level")
    edit(place.portal, "add-option", **TIER, value="team", label="Team")

    place.says("adopt")

    assert overlay.read_text() == text.replace("Our tier", "Level")
    assert place.spec.read_text() == SPEC.replace("label: Gold}", "label: Gold}\n        - {value: team, label: Team}")
    assert place.moved() == []
    place.says("plan", "--detailed-exitcode")


def test_a_value_from_a_variable_is_not_written_over(place):
    """A field that is made from a variable is left alone as long as it is right, and refused when it moved."""
    variables = "variables: {brand: {type: string, default: Acme}}\n"
    (place.path / "specs/reconciler.yaml").write_text(SETTINGS + variables)
    text = SPEC.replace("label: Tier", "label: '${var:brand} tier'")
    place.spec.write_text(text)
    place.says("apply", "--auto-approve")
    place.says("adopt", "properties/contacts/tier")
    assert place.spec.read_text() == text
    edit(place.portal, "relabel", **TIER, label="Level")

    said = place.says("adopt", code=3)

    assert "properties/contacts/tier: its label is made from a variable" in said
    assert place.spec.read_text() == text


# --- what the specs want otherwise -----------------------------------------------------------------------------------


def ways(place):
    return {(item["class"], item["address"].rpartition("/")[2]): item["ways"] for item in place.drift()}


def test_what_the_specs_want_otherwise_is_kept_in_the_specs(place):
    """An accept would last until the next apply, so what keeps a declared field is `adopt`."""
    edit(place.portal, "relabel", **TIER, label="Level")

    assert ways(place) == {
        ("managed.modified", "tier"): {
            "adopt": "reconciler adopt properties/contacts/tier",
            "apply": "reconciler apply --only properties/contacts/tier",
        }
    }
    assert "    keep it:                reconciler adopt properties/contacts/tier\n" in place.says("drift", code=2)
    assert "- keep it: `reconciler adopt properties/contacts/tier`" in place.says("drift", "-o", "markdown", code=2)
    place.says("adopt", "properties/contacts/tier")
    assert "label: Level" in place.spec.read_text()
    place.says("apply", "--auto-approve")
    place.says("drift")


def test_a_missing_definition_is_kept_away_by_the_specs(place):
    """What was deleted in HubSpot stays deleted only when the specs let go of it."""
    edit(place.portal, "archive", **TIER)
    (item,) = place.drift()

    place.says(*shlex.split(item["ways"]["adopt"])[1:])

    assert "tier:" not in place.spec.read_text()
    assert place.moved() == []
    place.says("plan", "--detailed-exitcode")


def test_the_command_that_puts_a_conflict_back_works(place):
    """Where specs and portal both moved the way back decides it, also for what else moved of the definition."""
    edit(place.portal, "relabel", **TIER, label="Level")
    edit(place.portal, "change", **TIER, fields={"description": "Sold"})
    place.spec.write_text(SPEC.replace("label: Tier", "label: Stage"))
    assert ways(place)["managed.conflict", "tier"] == {
        "adopt": "reconciler adopt properties/contacts/tier",
        "apply": "reconciler apply --only properties/contacts/tier --on-conflict spec",
    }

    place.says(*shlex.split(ways(place)["managed.conflict", "tier"]["apply"])[1:], "--auto-approve")

    assert place.portal.definitions("0-1")["properties"]["tier"]["label"] == "Stage"


def test_each_line_of_a_report_that_is_a_command_can_be_pasted(place):
    """Where one command stands for many, the words that say so are not in its line."""
    for number in range(5):
        definition = {**FULL, "name": f"size_{number}", "label": "Size"}
        edit(place.portal, "create", object="contacts", definition=definition)

    said = place.says("drift", code=2)

    assert (
        '    keep it:                reconciler accept properties/contacts/size_0 --reason "..."\n'
        "                            likewise for 4 more\n"
    ) in said
    assert '--reason "..."` (likewise for 4 more)\n' in place.says("drift", "-o", "markdown", code=2)
    assert "keep it (likewise for 4 more): <code>" in place.says("drift", "-o", "html", code=2)


def test_an_accept_of_what_is_declared_says_that_it_will_not_last(place):
    """The specs still want it otherwise: accept says so, and what keeps it."""
    edit(place.portal, "relabel", **TIER, label="Level")

    said = place.says("accept", "properties/contacts/tier", "--reason", "keep")

    assert said.splitlines() == [
        "Accepted what moved at 1 definition of demo; drift starts from here.",
        "The specs still want 1 of them otherwise, and the next apply writes that:",
        "  properties/contacts/tier: label (specs/all.yaml:3:5)",
        "To keep what is live, take it into the specs: reconciler adopt properties/contacts/tier",
        "  properties/contacts/tier",
    ]
    place.says("adopt", "properties/contacts/tier")
    place.says("plan", "--detailed-exitcode")


def test_an_accept_of_what_nobody_declares_says_no_more(place):
    """What the specs say nothing of is accepted, and that is all."""
    edit(place.portal, "add-option", **TIER, value="team", label="Team")

    assert "The specs still want" not in place.says("accept", "--all", "--reason", "sold now")


def test_nothing_to_adopt_is_not_said_to_be_as_declared(place):
    """Without an address only drift is adopted; what the specs want otherwise all the same is named."""
    edit(place.portal, "relabel", **TIER, label="Level")
    place.says("accept", "--all", "--reason", "seen")

    said = place.says("adopt")

    assert said.splitlines() == [
        "Nothing drifted of what is declared; nothing to adopt.",
        "The specs want 1 definition otherwise than live, as `reconciler plan` tells: properties/contacts/tier",
        "Whoever wants what is live there names it: without an address only drift is adopted.",
    ]
    assert place.spec.read_text() == SPEC
    place.says("adopt", "properties/contacts/tier")
    assert place.says("adopt") == "The specs say what is live; nothing to adopt.\n"


def test_a_portal_that_holds_nothing_of_the_specs_is_not_as_declared(place):
    """What was never applied is not live, so the specs do not say what is."""
    place.spec.write_text(SPEC.replace("tier:", "level:"))

    said = place.says("adopt")

    assert (
        "The specs want 1 definition otherwise than live, as `reconciler plan` tells: properties/contacts/level" in said
    )


def test_a_first_baseline_needs_no_reason(place):
    """Where nothing was accepted yet nothing has moved, so `accept --all` begins without a word."""
    for file in (place.path / "specs/baselines/demo").iterdir():
        file.unlink()

    place.says("accept", "--all")
    place.says("drift")


@pytest.mark.parametrize("words", [("accept", "properties/contacts/tier", "--reason", "R"), ("adopt",), ("import",)])
def test_a_decision_that_cannot_be_written_down_is_not_taken(place, words):
    """Specs, baseline and the record of who decided it move together or not at all."""
    place.spec.unlink()
    place.says("import")
    edit(place.portal, "relabel", **TIER, label="Level")
    before = {path: path.read_bytes() for path in (place.path / "specs").rglob("*") if path.is_file()}
    (place.path / f"specs/baselines/demo/.acceptances.jsonl.{os.getpid()}").mkdir()  # where the draft would be

    assert "cannot write specs/baselines/demo/acceptances.jsonl: Is a directory" in place.says(*words, code=3)

    assert {path: path.read_bytes() for path in (place.path / "specs").rglob("*") if path.is_file()} == before


def test_a_full_disk_costs_no_document(place):
    """A plan that was saved before, or a recorded read, is not replaced by half of another one."""
    place.says("plan", "-q", "-o", "json:plan.json")
    place.says("snapshot", "-q", "read.json")
    before = [(place.path / name).read_bytes() for name in ("plan.json", "read.json")]

    assert "cannot write plan.json: File too large" in on_a_full_disk(256, "plan", "-q", "-o", "json:plan.json")
    assert "cannot write read.json: File too large" in on_a_full_disk(256, "snapshot", "read.json")

    assert [(place.path / name).read_bytes() for name in ("plan.json", "read.json")] == before


def test_a_document_goes_into_what_is_no_file(place):
    """A pipe stays a pipe, and the document comes out at its other end."""
    os.mkfifo("pipe")
    reader = subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE)

    place.says("plan", "-q", "-o", "json:pipe")

    assert json.loads(reader.communicate()[0])["kind"] == "plan"
    assert stat.S_ISFIFO(os.stat("pipe").st_mode)


def test_a_stage_whose_label_is_made_from_a_variable_is_not_written_over(place):
    """It is another one in other portals; the stage beside it is adopted all the same, and nothing else counts."""
    settings = place.path / "specs/reconciler.yaml"
    settings.write_text(SETTINGS + "variables: {region: {type: string, default: EU}}\n")
    stages = "lifecycleStages:\n  - {name: lead, label: Lead}\n  - {name: trial, label: 'Trial ${var:region}'}\n"
    place.spec.write_text(SPEC + stages)
    place.says("apply", "--auto-approve")
    (trial,) = [one["id"] for one in stages_of(place.portal) if one["label"] == "Trial EU"]
    edit(place.portal, "rename-stage", stage=trial, label="Try")
    edit(place.portal, "rename-stage", stage="lead", label="Lead ${var:region}")

    said = place.says("adopt", code=3)

    assert "error: lifecycleStages/trial: its label is made from a variable; change that in the settings" in said
    assert "specs/all.yaml: 1 definition adopted" in said
    assert place.spec.read_text() == SPEC + stages.replace("label: Lead", 'label: "Lead $${var:region}"')
    assert [one for one in place.moved() if one[1] == "lead"] == []


def stages_of(portal):
    return portal.state["pipelines"]["0-1"]["contacts-lifecycle-pipeline"]["stages"]


@pytest.mark.parametrize("words", [("import",), ("adopt", "properties/contacts/odd")])
def test_signs_of_a_variable_in_hubspots_texts_are_signs(place, words):
    """What is live is said as it is, whether the settings have such a variable or not."""
    settings = place.path / "specs/reconciler.yaml"
    settings.write_text(SETTINGS + "variables: {region: {type: string, default: EU}}\n")
    texts = {"label": "In ${var:region}", "description": "$${var:region}, ${var:nowhere}, ${var: and no end"}
    odd = {"type": "string", "fieldType": "text", "groupName": "contactinformation", "name": "odd", **texts}
    edit(place.portal, "create", object="contacts", definition=odd)
    uses = "cs_uses: {label: '${var:region}', type: string, fieldType: text, groupName: contactinformation}"
    place.spec.write_text(f"{SPEC}    {uses}\n")
    place.says("apply", "--auto-approve")

    place.says(*words)

    assert "No changes." in place.says("plan")
    assert "label: In $${var:region}\n" in "".join(path.read_text() for path in (place.path / "specs").glob("*.yaml"))


@pytest.mark.parametrize("more", [(), ("--until", "2999-12-31")])
def test_nothing_is_said_to_be_accepted_where_nothing_moved(place, more):
    """Not of what is as it was, nor of an option that does not exist; and nothing is written down."""
    before = {path: path.read_bytes() for path in (place.path / "specs/baselines/demo").iterdir()}
    for address in ("properties/contacts/tier", "properties/contacts/t*", "properties/contacts/tier/options/nosuch"):
        said = place.says("accept", address, "--reason", "R", *more)
        assert said == "Nothing of that moved in demo, so there is nothing to accept.\n"
    assert {path: path.read_bytes() for path in (place.path / "specs/baselines/demo").iterdir()} == before


def test_blanks_are_no_reason(place):
    """A reason is kept for whoever asks later."""
    assert "an acceptance needs a reason" in place.says("accept", "--all", "--reason", "  ", code=3)
