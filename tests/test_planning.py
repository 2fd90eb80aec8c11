"""What a plan says beside its changes: what stops it, what the specs warn of, and names that nobody knows."""

import json
from pathlib import Path

import pytest
from small_portal import STATE, settle_in

from reconciler.cli import run
from reconciler.emulator import Portal, edit

FULL = "{label: %s, type: string, fieldType: text, groupName: contactinformation}"


@pytest.fixture(autouse=True)
def _workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def told(capsys, *words):
    """The exit code of a command, and what its document says."""
    capsys.readouterr()
    code = run([*words, "-q", "-o", "json"])
    return code, json.loads(capsys.readouterr().out)


def found(document):
    """Rule, severity, place and way out of each finding."""
    return [
        (one["rule"], one["severity"], f"{one['source']['line']}:{one['source']['column']}", one.get("fix", ""))
        for one in document["findings"]
    ]


def changes(document):
    return {change["address"]: change["action"] for change in document["changes"]}


def state():
    return Path(STATE).read_text("utf-8")


@pytest.mark.parametrize(
    "spec",
    [
        "properties: {contcts: {foo: {label: Foo, type: string, fieldType: text, groupName: foo}, bar: {label: B}}}\n",
        "propertyGroups: {contcts: {foo: {label: Foo}}}\n",
        "associationLabels: {contcts: {companies: {foo: {label: Foo}}}}\n",
    ],
)
def test_an_object_type_that_the_portal_lacks_stops_the_plan_before_anything_is_written(spec, capsys):
    """Whatever is declared of it, it is told once, with the name that may be meant."""
    settle_in(spec=spec + "lifecycleStages: [{name: lead, label: Very first}]\n")
    before = state()

    code, plan = told(capsys, "plan")

    assert code == 3
    assert [(rule, fix) for rule, _, _, fix in found(plan)] == [("absent-object-type", "did you mean contacts?")]
    assert plan["findings"][0]["message"] == "the portal has no object type contcts"
    assert told(capsys, "apply", "--auto-approve")[0] == 3
    assert state() == before
    assert not list(Path("specs").glob("baselines/*/*"))


def test_a_plan_tells_what_the_specs_warn_of(capsys):
    """What validate warns of is told by the plan as well, once, and only where the plan looks."""
    declared = f"properties: {{contacts: {{score: {FULL % 'Score'}, other: {FULL % 'Other'}}}}}\n"
    settle_in(spec=declared)
    assert run(["apply", "-q", "--auto-approve"]) == 0
    needs = "integrations: {w: {requires: {properties: {contacts: {score: {type: number}}}}}}\n"
    Path("specs/spec.yaml").write_text(declared + needs, "utf-8")
    Path("specs/empty.yaml").write_text("# nothing yet\n", "utf-8")

    for words in (["validate"], ["plan"], ["apply", "--auto-approve"]):
        code, document = told(capsys, *words)
        assert (code, [one["rule"] for one in document["findings"]]) == (0, ["empty-file", "integration-breaking"])
    _, only = told(capsys, "plan", "--only", "properties/contacts/other")
    assert [one["rule"] for one in only["findings"]] == ["empty-file"]


def test_a_group_that_only_the_portal_has_is_no_warning_of_a_plan(capsys):
    """Offline nobody can know; the plan has looked."""
    settle_in()
    edit(Portal.open(STATE), "create-group", object="contacts", group="theirs", label="Theirs")
    entry = FULL.replace("contactinformation", "theirs") % "A"
    Path("specs/spec.yaml").write_text(f"properties: {{contacts: {{a: {entry}}}}}\n", "utf-8")

    assert [rule for rule, *_ in found(told(capsys, "validate")[1])] == ["unknown-group"]
    code, plan = told(capsys, "plan")
    assert (code, plan["findings"], list(changes(plan))) == (0, [], ["properties/contacts/a"])


def test_a_plan_tells_what_an_integration_needs_and_does_not_find(capsys):
    """What the portal lacks after the plan, and what nobody reads, is a warning at the integration."""
    settle_in(
        spec="integrations:\n"
        "  w:\n"
        "    requires:\n"
        "      properties:\n"
        "        contacts: {email: {type: string}, hs_lead_status: {type: number}, gone: {}, mine: {type: string}}\n"
        "        contcts: {x: {type: string}, y: {}}\n"
        f"properties: {{contacts: {{mine: {FULL % 'Mine'}}}}}\n"
    )

    code, plan = told(capsys, "plan")

    assert code == 0
    assert [(one["rule"], one["message"], one["severity"], one["source"]["line"]) for one in plan["findings"]] == [
        ("integration-unmet", "w needs properties/contacts/gone, and neither portal nor specs have it", "warning", 2),
        (
            "integration-unmet",
            "properties/contacts/hs_lead_status breaks w: it needs type number, and finds enumeration",
            "warning",
            2,
        ),
        ("integration-unwatched", "w needs properties of contcts, which nobody reads", "warning", 2),
    ]
    assert plan["findings"][2]["fix"] == "did you mean contacts? Else add contcts to `watch:`"


def test_what_a_change_breaks_is_told_once(capsys):
    """A change that breaks an integration says so itself, in the words of the specs' warning."""
    settle_in(spec=f"properties: {{contacts: {{score: {FULL % 'Score'}}}}}\n")
    assert run(["apply", "-q", "--auto-approve"]) == 0
    number = "{label: Score, type: number, fieldType: number, groupName: contactinformation}"
    needs = "integrations: {w: {requires: {properties: {contacts: {score: {type: string}}}}}}\n"
    Path("specs/spec.yaml").write_text(f"{needs}properties: {{contacts: {{score: {number}}}}}\n", "utf-8")

    _, plan = told(capsys, "plan")

    assert [one["breaks"] for one in plan["changes"]] == [
        [{"integration": "w", "why": "it needs type string, and finds number"}]
    ]
    assert plan["findings"] == []


@pytest.mark.parametrize("words", [["plan"], ["apply", "--auto-approve"]])
def test_only_what_there_is(words, capsys):
    """A pattern that leads to nothing is a usage error; what a spec, the portal or the baseline has is something."""
    settle_in(spec=f"properties: {{contacts: {{mine: {FULL % 'Mine'}}}}}\n")
    assert run(["apply", "-q", "--auto-approve"]) == 0
    Path("specs/spec.yaml").write_text("removed: [{address: properties/contacts/old, reason: gone}]\n", "utf-8")
    capsys.readouterr()

    assert run([*words, "-q", "--only", "properties/contacts/emial"]) == 3
    said = capsys.readouterr().err
    assert "--only properties/contacts/emial names nothing in the specs, the portal or the baseline" in said
    assert "did you mean properties/contacts/email?" in said
    assert run([*words, "-q", "--only", "properties/contacts/email", "--only", "nonsense"]) == 3
    for known in ("email", "mine", "old", "*", "hs_lead_status/options/NEW"):
        assert run([*words, "-q", "--only", f"properties/contacts/{known}"]) == 0


def test_an_unknown_group_is_told_at_its_field_with_the_name_that_may_be_meant(capsys):
    """As validate does; the plan knows the groups of the portal as well."""
    settle_in(spec="properties:\n  contacts:\n    a:\n      label: A\n      type: string\n      fieldType: text\n")
    with Path("specs/spec.yaml").open("a", encoding="utf-8") as stream:
        stream.write("      groupName: contactinfomation\n    b:\n      label: B\n")
        stream.write("      type: string\n      fieldType: text\n      groupName: nowhere\n")

    code, plan = told(capsys, "plan")

    assert code == 3
    assert found(plan) == [
        ("unknown-group", "error", "7:18", "did you mean contactinformation?"),
        ("unknown-group", "error", "12:18", "declare it under `propertyGroups: contacts:`"),
    ]
    assert plan["findings"][0]["frame"] == "7 |       groupName: contactinfomation\n  |                  ^"


def test_what_is_wrong_is_neither_adopted_nor_in_order(capsys):
    """A plan that errors stop does not say in the same breath that all is as declared."""
    settle_in(
        spec="properties: {contacts: {email: {label: E-Mail}, hs_lead_status: {options: [{value: NEW, label: New}]}}}\n"
    )

    code, plan = told(capsys, "plan")

    assert code == 3
    assert changes(plan) == {"properties/contacts/hs_lead_status": "adopt"}
    assert plan["summary"]["unchanged"] == 1
    assert run(["plan", "-q"]) == 3
    assert capsys.readouterr().out.endswith("1 error stops this plan; 1 adopted, 1 unchanged.\n")
    Path("specs/spec.yaml").write_text("properties: {contacts: {email: {label: E-Mail}}}\n", "utf-8")
    assert run(["plan", "-q"]) == 3
    assert capsys.readouterr().out.endswith("\n1 error stops this plan.\n")


def test_an_apply_that_cannot_begin_shows_its_plan_once(capsys):
    """On stdout, where results belong; beside a document for machines people read it on stderr."""
    settle_in(spec="properties: {contacts: {email: {label: E-Mail}, hs_lead_status: {label: X}}}\n")
    capsys.readouterr()

    assert run(["apply", "--auto-approve"]) == 3
    shown = capsys.readouterr()
    assert (shown.out.count("[read-only-definition]"), shown.err.count("[read-only-definition]")) == (2, 0)
    assert run(["apply", "--auto-approve", "-o", "json"]) == 3
    shown = capsys.readouterr()
    assert (json.loads(shown.out)["exit"]["code"], shown.err.count("[read-only-definition]")) == (3, 2)


def test_a_watched_object_type_that_is_not_there_is_told(capsys):
    """Nothing of it is read, so nothing of it could ever drift; the token has no part in it."""
    settle_in(spec="lifecycleStages: [{name: lead}]\n")
    settings = Path("specs/reconciler.yaml")
    settings.write_text(settings.read_text("utf-8").replace("[contacts]", "[contacts, my_objct, 2-123]"), "utf-8")

    code, plan = told(capsys, "plan")

    assert code == 0
    assert [(one["rule"], one["severity"], one["message"]) for one in plan["findings"]] == [
        ("unknown-object-type", "warning", "watch: the portal has no object type my_objct, so nothing of it is seen"),
    ]
    assert found(plan) == [
        ("unknown-object-type", "warning", "3:19", "check the name of the custom object, or drop it from `watch:`")
    ]
    assert run(["plan", "-q"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "2-123 could not be read (HubSpot answered 400: Unable to infer object type from: 2-123)" in said
    assert "the token" not in said


def test_a_removal_that_has_nothing_to_do_may_be_misspelt(capsys):
    """What is done is told in one line for all of it; what looks like a slip of the pen is told by itself."""
    settle_in(spec=f"properties: {{contacts: {{plan_tier: {FULL % 'Tier'}, old: {FULL % 'Old'}}}}}\n")
    assert run(["apply", "-q", "--auto-approve"]) == 0
    edit(Portal.open(STATE), "archive", object="contacts", property="old")
    lines = [
        "properties/contacts/plan_teir",
        "properties/contacts/hs_lead_status/options/OPEN_DAEL",
        "properties/contcts/x",
        "properties/contacts/old",
        "properties/contacts/unlike",
        "lifecycleStages/gone",
    ]
    stones = "".join(f"  - {{address: {address}, reason: r}}\n" for address in lines)
    Path("specs/spec.yaml").write_text(f"removed:\n{stones}", "utf-8")

    code, plan = told(capsys, "plan", "--only", "properties/*/*", "--only", "lifecycleStages/*")

    assert code == 0
    assert [(one["severity"], one["message"], one["fix"], one["source"]["line"]) for one in plan["findings"]] == [
        (
            "info",
            "properties/contacts/plan_teir: it is not in this portal",
            "did you mean plan_tier? If it is done, drop the line",
            2,
        ),
        (
            "info",
            "properties/contacts/hs_lead_status/options/OPEN_DAEL: it is not in this portal",
            "did you mean OPEN_DEAL? If it is done, drop the line",
            3,
        ),
        ("info", "properties/contcts/x: the portal has no object type contcts", "did you mean contacts?", 4),
        (
            "info",
            "3 lines under `removed:` have nothing left to do in this portal: properties/contacts/old, "
            "properties/contacts/unlike, lifecycleStages/gone",
            "drop them once that is so in every portal",
            5,
        ),
    ]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("", 3),
        ("removed: [{address: properties/contacts/tier, reason: gone}]", 0),
        ("properties: {contacts: {tier: {groupName: contactinformation}}}", 0),
    ],
)
def test_a_group_goes_only_when_nothing_stays_in_it(more, code, capsys):
    """HubSpot refuses, so the plan does; whoever removes or moves what is in it may remove the group."""
    group = "propertyGroups: {contacts: {own: {label: Own}}}\n"
    settle_in(
        spec=group + f"properties: {{contacts: {{tier: {FULL % 'Tier'}}}}}\n".replace("contactinformation", "own")
    )
    assert run(["apply", "-q", "--auto-approve"]) == 0
    gone = "{address: propertyGroups/contacts/own, reason: gone}"
    removed = more.replace("removed: [", f"removed: [{gone}, ") if "removed" in more else f"removed: [{gone}]\n{more}"
    Path("specs/spec.yaml").write_text(removed, "utf-8")

    exit_code, plan = told(capsys, "plan")

    held = [one["message"] for one in plan["findings"] if one["rule"] == "group-in-use"]
    assert (exit_code, changes(plan)["propertyGroups/contacts/own"]) == (code, "forget" if code else "archive")
    assert [one.partition(",")[0] for one in held] == [
        "propertyGroups/contacts/own holds properties/contacts/tier"
    ] * bool(code)


PARTS = """
propertyGroups: {contacts: {new: {label: New}}}
properties:
  contacts:
    one: {label: One, type: number, fieldType: number, groupName: contactinformation}
    two: {label: Two, type: number, fieldType: calculation_equation, groupName: new, calculationFormula: one * 2}
"""


@pytest.mark.parametrize(
    ("only", "missing"),
    [
        (["properties/contacts/two"], ["properties/contacts/one", "propertyGroups/contacts/new"]),
        (["properties/contacts/*"], ["propertyGroups/contacts/new"]),
        (["properties/*/*", "propertyGroups/contacts/new"], []),
    ],
)
def test_a_part_of_the_specs_says_what_it_needs_of_the_rest(only, missing, capsys):
    """HubSpot would refuse to put a property into a group that nobody makes."""
    settle_in(spec=PARTS)
    words = [word for pattern in only for word in ("--only", pattern)]

    code, plan = told(capsys, "plan", *words)

    wrong = [(one["address"], one["fix"]) for one in plan["findings"] if one["severity"] == "error"]
    fixes = [f"add --only {need}, or apply that first" for need in missing]
    assert (code, sorted(wrong)) == (3 if missing else 0, [("properties/contacts/two", fix) for fix in fixes])
    more = [word for need in missing for word in ("--only", need)]
    assert run(["apply", "-q", "--auto-approve", *words, *more]) == 0
    assert told(capsys, "plan", *words)[1]["changes"] == []


def test_a_group_whose_properties_are_left_out_does_not_go_alone(capsys):
    """The specs remove both, and --only names the group: what else to name is said."""
    settle_in(spec=PARTS)
    assert run(["apply", "-q", "--auto-approve"]) == 0
    gone = ["propertyGroups/contacts/new", "properties/contacts/two"]
    stones = "".join(f"  - {{address: {address}, reason: gone}}\n" for address in gone)
    Path("specs/spec.yaml").write_text("removed:\n" + stones, "utf-8")

    code, plan = told(capsys, "plan", "--only", gone[0])

    (held,) = (one for one in plan["findings"] if one["rule"] == "group-in-use")
    assert (code, held["fix"].partition("; ")[2]) == (3, "and add --only properties/contacts/two")
    assert told(capsys, "plan", "--only", gone[0], "--only", gone[1])[0] == 0
