"""How reports say things."""

import re

import pytest
from render_documents import BASE, FLEET, PLAN_FULL, change, result

from reconciler.ci import remarks
from reconciler.render import FORMATS, Style, words
from reconciler.render.summaries import summary
from reconciler.render.text_drift import coverage_line, story

PLAIN = Style(width=100)
SOURCE = {"file": "specs/contacts.yaml", "line": 3, "column": 5}


def text(document: dict) -> str:
    return FORMATS["text"](document, PLAIN)


def plan(*changes: dict, **more) -> dict:
    return {**BASE, "kind": "plan", "changes": list(changes), "summary": {"unchanged": 3}, **more}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (["a", "b", "c"], ["c", "a", "b"], "c moves first"),
        (["a", "b", "c", "d"], ["a", "c", "d", "b"], "b moves after d"),
        (["a", "b", "gone"], ["new", "b", "a"], "b moves after new"),
        (list("abcdefgh"), list("hgfedcba"), "7 of 8 move: a, b, c, d and 4 more → h, g, f, e and 4 more"),
    ],
)
def test_moves(before: list[str], after: list[str], told: str) -> None:
    """A new order names only what moves."""
    assert words.moves(before, after) == told


@pytest.mark.parametrize(
    ("of_hubspot", "told"), [(0, "deals could not be read"), (3, "deals 0 of 0 that could be read")]
)
def test_coverage_tells_a_part_that_was_read_from_nothing(of_hubspot: int, told: str) -> None:
    """One list of an object type that is missing does not say that none of them was read."""
    contacts = {"objectType": "contacts", "declared": 1, "ignored": 0, "unmanaged": 0, "hubspotDefined": 9}
    deals = {"objectType": "deals", "declared": 0, "ignored": 0, "unmanaged": 0, "hubspotDefined": of_hubspot}
    held = {"objectTypes": [contacts, {**deals, "unread": ["propertyGroups/deals"]}]}

    assert coverage_line({"coverage": held}).endswith(f"(contacts 1 of 1, {told}).")


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ({"path": "options/", "before": {"label": "None"}}, '- option "" "None"'),
        ({"path": "options/", "after": {"label": ""}}, '+ option "" ""'),
        ({"path": "options//label", "before": "a", "after": "b"}, '~ option "" label "a" → "b"'),
        ({"path": "options/a%2Fb", "after": {"label": "A"}}, '+ option a/b "A"'),
    ],
)
def test_an_option_whose_value_is_empty(field: dict, told: str) -> None:
    """Real portals have some; a name of nothing would be no name."""
    one = words.entry(field)

    assert f"{one.sign} {one.name} {one.sides}" == told


LIST = [{"value": "free", "label": "Free"}, {"value": "team", "label": "Team"}, {"value": "gold", "label": "Gold"}]
CREW = [{"value": "gold", "label": "Gold"}, {"value": "free", "label": "None", "hidden": True}, {"value": "crew"}]


@pytest.mark.parametrize(
    ("field", "told"),
    [
        (
            {"path": "options", "before": LIST, "after": CREW},
            [
                '~ option free label "Free" → "None"',
                "~ option free hidden (not set) → true",
                '- option team "Team"',
                '+ option crew ""',
                "~ order: gold moves first",
            ],
        ),
        ({"path": "options", "after": LIST[:2]}, ['+ option free "Free"', '+ option team "Team"']),
        ({"path": "options", "before": [], "after": LIST[:1]}, ['options [] → [{"value": "free", "label": "Free"}]']),
        ({"path": "options", "before": ["a", "b"], "after": ["b", "a"]}, ["~ order: b moves first"]),
    ],
)
def test_a_whole_list_of_options_is_told_option_by_option(field: dict, told: list[str]) -> None:
    """A restore states the list anew: nobody reads two lines of JSON against each other."""
    entries = words.entries_of([field])

    assert [f"{one.sign} {one.name} {one.sides}".strip() for one in entries] == told


def test_a_restore_says_what_is_otherwise_than_it_lies_archived() -> None:
    """What is only sent along is no change; what an undo restores, of which nothing else is known, reads as if new."""
    same = [{"path": path, "before": "date", "after": "date"} for path in ("fieldType", "type")]
    label = {"path": "label", "before": "Renewal", "after": "Renews"}
    new = [{"path": path, "after": "date"} for path in ("fieldType", "type")]
    shapes = {"as_it_was": same, "renamed": [*same, label], "undone": new}
    changes = [change(f"properties/contacts/{name}", "restore", fields=one) for name, one in shapes.items()]

    rows = [line for line in FORMATS["markdown"](plan(*changes), PLAIN).splitlines() if line.startswith("| ↺")]
    assert rows == [
        "| ↺ restore | `properties/contacts/as_it_was` | as it lies archived |  |",
        "| ↺ restore | `properties/contacts/renamed` | `label` |  |",
        "| ↺ restore | `properties/contacts/undone` | `date/date` |  |",
    ]
    told = text(plan(*changes))
    assert told.count("Its definition is as it lies archived.") == 1
    assert '      As it lies archived: fieldType, type.\n      label  "Renewal" → "Renews"\n' in told
    assert "      date/date\n" in told


def test_what_moved_beside_a_plan_is_told_in_words() -> None:
    """Whose it is stands in words, not as the name of a class."""
    classes = ["managed.modified", "unmanaged.added", "vendor.removed", "portal.changed"]
    drift = [{"class": one, "address": "properties/contacts/a", "severity": "low"} for one in classes]

    told = text(plan(drift=drift))

    for line in ("~ modified of ours: 1: a", "+ added undeclared: 1: a", "- removed by HubSpot: 1: a"):
        assert f"  {line}\n" in told


@pytest.mark.parametrize(
    ("address", "impact", "told"),
    [
        ("lifecycleStages/trial", {"recordsWithValue": 0}, ["No record is in this stage."]),
        ("lifecycleStages/trial", {"recordsWithValue": 2}, ["2 records are in this stage."]),
        ("properties/deals/a", {"recordsWithValue": 1}, ["1 record holds a value."]),
        (
            "properties/deals/a",
            {"recordsWithOption": {"properties/deals/a/options/b%2Fc": 0}},
            ["No record holds the option b/c."],
        ),
    ],
)
def test_how_many_records_a_change_touches(address: str, impact: dict, told: list[str]) -> None:
    """A stage is where records are; a property is what they hold."""
    assert list(words.impacts({"address": address, "impact": impact})) == told


def test_who_did_what_in_one_sentence() -> None:
    """Each number has its noun, also behind one that speaks of ours."""
    dana = {"type": "user", "name": "Dana"}
    classes = ["unmanaged.added", "managed.modified", "unmanaged.changed"]
    items = [{"class": one, "address": "lifecycleStages/a", "severity": "low", "actor": dana} for one in classes]

    assert story({"items": items}).startswith(
        "Dana added 1 lifecycle stage, changed 1 of ours and changed 1 lifecycle stage; nothing else moved."
    )


CONTESTED = {"path": "label", "before": "A", "after": "B", "baseline": "C", "cause": "conflict"}


def test_of_many_people_some_are_named() -> None:
    """A story names six, and says what all the others did together."""
    people = [{"type": "user", "name": f"P{at}" if at else "P" * 99} for at in range(9)]
    items = [{"class": "managed.modified", "address": "a/b/c", "severity": "low", "actor": one} for one in people]

    assert story({"items": items}).startswith(
        f"{'P' * 59}… changed 1 of ours; P1 changed 1 of ours; P2 changed 1 of ours; P3 changed 1 of ours; "
        "P4 changed 1 of ours; P5 changed 1 of ours; 3 others changed 3 of ours; nothing else moved."
    )


@pytest.mark.parametrize(
    ("document", "line"),
    [
        (plan(), "No changes. 3 definitions match the specs."),
        (plan(complete=False), "No changes in what could be read: 3 unchanged."),
        (plan(change("properties/deals/a", "adopt")), "No changes in HubSpot: 1 adopted, 3 unchanged."),
        (
            {"kind": "plan", "changes": [change("properties/deals/a", "update", [CONTESTED])]},
            "No changes in HubSpot. 1 conflict needs a decision.",
        ),
        (plan(change("properties/deals/a", "create")), "Plan: 1 to create, 3 unchanged."),
        (plan(errors=[{"code": "x", "message": "y"}]), "Nothing was planned: 1 error."),
        ({"kind": "validate", "summary": {"definitions": 1200, "files": 1}}, "OK: 1,200 definitions in 1 file"),
        ({"kind": "drift", "errors": [{"code": "x", "message": "y"}]}, "Nothing was compared: 1 error."),
        ({"kind": "import", "errors": [{"code": "x", "message": "y"}]}, "Nothing was imported: 1 error."),
        ({"kind": "validate", "errors": [{"code": "x", "message": "y"}]}, "Nothing was validated: 1 error."),
        ({"kind": "drift", "items": [], "muted": [{"cause": "stages", "count": 4}]}, "No drift, 4 muted."),
        ({"kind": "apply", "changes": []}, "Nothing was written."),
        (
            {"kind": "apply", "changes": [{**change("properties/deals/a", "update"), "outcome": "unknown"}]},
            "Nothing is known to have been written. 1 unknown.",
        ),
        ({"kind": "apply", "changes": [], "cancelled": "interrupted"}, "Cancelled. Nothing was written."),
        ({"kind": "import", "files": [{"path": "a.yaml", "definitions": 2}]}, "Imported 2 definitions into 1 file."),
        ({"kind": "of a later version", "message": "hello"}, "hello"),
    ],
)
def test_summary(document: dict, line: str) -> None:
    """The last line says what a document comes to."""
    assert summary(document) == line
    assert text(document).splitlines()[-1] == line


def test_look_alikes_are_told_apart() -> None:
    """Values that look the same but differ are shown with escapes."""
    fields = [{"path": "label", "before": "Türkiye", "after": "Tu\u0308rkiye"}]
    shown = text(plan(change("properties/contacts/a", "update", fields)))
    assert 'label  "T\\xfcrkiye" → "Tu\\u0308rkiye"' in shown


def test_long_values_are_cut_around_what_differs() -> None:
    """Two long values that differ at their end are cut such that the difference is seen, and say how long they are."""
    fields = [{"path": "description", "before": "a" * 500 + "one", "after": "a" * 500 + "two"}]
    before, after = text(plan(change("properties/contacts/a", "update", fields))).splitlines()[4:6]
    assert before.endswith('aone" (505 characters)')
    assert after.endswith('atwo" (505 characters)')


def test_absent_and_null_differ() -> None:
    """A field that was not there, one that goes, and one that is null read differently."""
    fields = [
        {"path": "a", "after": 1},
        {"path": "b", "before": 1},
        {"path": "c", "before": None, "after": ""},
    ]
    shown = text(plan(change("properties/contacts/x", "update", fields))).splitlines()[4:7]
    assert shown == ["      a  1", "      b  1 → (not set)", '      c  null → ""']


def test_many_adoptions_are_folded() -> None:
    """Of a thousand adopted definitions ten are named."""
    shown = text(plan(*(change(f"properties/deals/a{number}", "adopt") for number in range(1000))))
    assert "○ Adopted: 1,000 declared" in shown
    assert "deals/a9 and 990 more" in shown
    assert "a10" not in shown


def test_unknown_words_of_a_later_version() -> None:
    """A document of a newer minor version is shown as far as it is understood."""
    shown = text(plan(change("pipelines/deals/sales", "merge", title="Sales", new=1)))
    assert '  ! merge    pipelines sales  "Sales"' in shown


def test_color_says_nothing_that_words_do_not() -> None:
    """Without its colours a page is the same."""
    colored = FORMATS["text"](PLAN_FULL, Style(color=True, width=100))
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == text(PLAN_FULL)


def test_plain_terminals_get_ascii() -> None:
    """A stream that knows no Unicode gets none."""
    assert FORMATS["text"](PLAN_FULL, Style(unicode=False)).isascii()


def test_lists_that_were_not_read_for_one_reason_are_told_in_one_line():
    """A recorded read often lacks many lists; what could not be read for another reason is told apart."""
    reads = [
        {"collection": "properties/contacts", "count": 3, "status": "ok"},
        {"collection": "properties/deals", "count": 0, "status": "denied", "detail": "HubSpot answered 403"},
        {"collection": "propertyGroups/contacts", "count": 0, "status": "not_read", "detail": "not recorded"},
        {"collection": "propertyGroups/deals", "count": 0, "status": "not_read", "detail": "not recorded"},
    ]

    assert list(words.unread({"reads": reads})) == [
        "properties/deals could not be read: the token is not allowed to (HubSpot answered 403); "
        "nothing is planned or reported for it",
        "propertyGroups/contacts, propertyGroups/deals were not read (not recorded); "
        "nothing is planned or reported for them",
    ]


def test_what_was_not_read_in_a_portal_is_not_the_same_there() -> None:
    """A portal that failed before it was read, and a definition in a list that was not, are unknown in the matrix."""
    broken = [result("globex", "failed", 8, same=0), result("umbrella", "not-started", same=0)]
    stages = {"unreadable": ["lifecycleStages/companies", "properties/deals"]}
    states = {"missing": ["lifecycleStages/trial", "properties/contacts/score", "properties/deals/score"]}
    part = {"differs": ["properties/contacts/score"]}
    portals = [
        result("acme", "differs", states=states),
        *broken,
        result("hooli", "differs", states=stages),
        result("initech", "failed", 7, states=part),
    ]
    shown = FORMATS["markdown"]({**FLEET, "portals": portals}, Style())

    assert [line for line in shown.splitlines() if line.startswith(("| `properties", "| `lifecycle"))] == [
        "| `properties/contacts/score` | + | ? | ? | = | ~ |",
        "| `lifecycleStages/companies` | = | ? | ? | ? | = |",
        "| `lifecycleStages/trial` | + | ? | ? | ? | = |",
        "| `properties/deals` | = | ? | ? | ? | = |",
        "| `properties/deals/score` | + | ? | ? | ? | = |",
    ]
    assert "`=` same, `~` differs, `+` missing, `!` drifted, `?` unreadable" in shown


def test_an_error_of_several_lines_is_a_sentence_and_a_list() -> None:
    """What stands in the way of an apply is a line each where there are lines, and one sentence elsewhere."""
    message = "2 guards stand in the way:\n  a would go: --allow a\n  b would go: --allow b"
    error = {"code": "blocked", "message": message, "where": "", "hint": "give the flag if it is meant"}
    document = {**BASE, "kind": "apply", "changes": [], "errors": [error]}

    assert (
        "error [blocked] 2 guards stand in the way:\n"
        "    a would go: --allow a\n    b would go: --allow b\n    fix: give the flag if it is meant\n"
    ) in text(document)
    assert "> - a would go: --allow a\n> - b would go: --allow b\n" in FORMATS["markdown"](document, PLAIN)
    sentence = "2 guards stand in the way: a would go: --allow a; b would go: --allow b"
    for format_ in ("github", "junit", "sarif", "gitlab-codequality"):
        assert sentence in FORMATS[format_](document, PLAIN)
    failed = {**FLEET, "portals": [{**result("acme", "failed", 6), "errors": [error]}]}
    for format_ in ("github", "junit", "sarif", "gitlab-codequality", "markdown"):
        assert sentence in FORMATS[format_](failed, PLAIN)
    assert f"      {sentence}\n        fix: give the flag if it is meant\n" in text(failed)


def test_an_undo_is_not_planned_again_by_a_plan() -> None:
    """The footer names the command that makes a report once more; of an undo that would be its opposite."""
    finding = {"rule": "inverse-specs", "severity": "info", "message": "the specs still say otherwise"}

    assert "again: `reconciler plan`" in FORMATS["markdown"](plan(), PLAIN)
    assert "again:" not in FORMATS["markdown"](plan(findings=[finding]), PLAIN)


def test_what_failed_is_annotated_once() -> None:
    """The error of a change stands in the list of errors, too: it is told at its line of the specs alone."""
    error = {"code": "unavailable", "message": "no answer"}
    failed = change("properties/contacts/a", "update", outcome="failed", error=error, source=SOURCE)

    (remark,) = remarks.of({**BASE, "kind": "apply", "changes": [failed], "errors": [error]})

    assert (remark.file, remark.message) == ("specs/contacts.yaml", "no answer")


def test_a_fleet_in_which_the_same_went_wrong_says_it_once() -> None:
    """Specs with an error fail in every portal: it is told with its place, once, with the portals that have it."""
    error = {"code": "usage", "message": "unknown key", "where": "specs/c.yaml:7:7", "hint": "`reconciler validate`"}
    portals = [{**result(name, "failed", 3), "errors": [error]} for name in ("acme", "globex")]
    document = {**FLEET, "portals": portals}

    told = text(document)
    assert told.count("      unknown key at specs/c.yaml:7:7\n        fix: `reconciler validate`\n") == 1
    assert told.count("      the same as acme\n") == 1
    shown = FORMATS["markdown"](document, PLAIN)
    assert "> - **failed** `acme`, `globex`: unknown key at specs/c.yaml:7:7; \\`reconciler validate\\`\n" in shown


def test_a_long_list_of_options_does_not_bury_what_moved() -> None:
    """Of 200 countries that went the first are told, and how many more; a shorter list is told whole."""
    gone = [{"path": f"options/c{at}", "before": {"label": f"C{at}"}} for at in range(200)]
    item = {"class": "vendor.options-changed", "address": "properties/contacts/country", "severity": "medium"}
    shown = {"text": FORMATS["text"], "markdown": FORMATS["markdown"]}
    told = {
        name: one({**BASE, "kind": "drift", "items": [{**item, "fields": gone}]}, PLAIN) for name, one in shown.items()
    }
    whole = text({**BASE, "kind": "drift", "items": [{**item, "fields": gone[:7]}]})

    assert '      - option c5  "C5"\n      - 194 more options:  c6, c7, c8 and 191 more\n' in told["text"]
    assert '`- option c5 "C5"`, `- 194 more options: c6, c7, c8 and 191 more` |' in told["markdown"]
    assert whole.count("- option ") == 7


def test_what_a_terminal_has_no_room_for_stands_below() -> None:
    """A long label, and the values of an option with a long name, have lines of their own instead of being cut."""
    path = "options/Legitimate interest - existing customer/label"
    field = {"path": path, "before": "Legitimate interest", "after": "Legitimate interest - Customer"}
    item = {"class": "vendor.options-changed", "address": "properties/contacts/hs_legal_basis", "severity": "medium"}
    items = [{**item, "title": "Legal basis for processing contact's data", "fields": [field]}]

    told = FORMATS["text"]({**BASE, "kind": "drift", "items": items}, Style(width=80))

    assert (
        "  medium  ~ options  property hs_legal_basis of contacts\n"
        '      "Legal basis for processing contact\'s data"\n'
        "      ~ option Legitimate interest - existing customer label\n"
        '        "Legitimate interest"\n'
        '      → "Legitimate interest - Customer"\n'
    ) in told


def test_an_annotation_says_the_fix_as_a_sentence_goes_on() -> None:
    """What is wrong ends without a full stop, so the way out follows as in every other format."""
    finding = {"rule": "unknown-key", "severity": "error", "message": "unknown key", "fix": "did you mean label?"}

    (remark,) = remarks.of({**BASE, "kind": "validate", "findings": [{**finding, "source": SOURCE}]})

    assert remark.message == "unknown key; did you mean label?"


def test_a_fleet_says_what_is_destroyed_with_consent() -> None:
    """Whoever is asked whether to apply the plans of a fleet sees what goes, also where --allow lifted the guard."""
    old = "properties/contacts/old"
    refused = {"code": "blocked", "message": f"{old} would be destroyed", "where": "", "hint": f"--allow {old}"}
    portals = [result(name, "differs", 0, command="plan", destructive=[old], errors=[]) for name in ("acme", "globex")]
    document = {**FLEET, "portals": [portals[0], {**portals[1], "errors": [refused]}]}

    assert text(document).count(f"      destroys {old}\n") == 1
    assert f"> - **differs** `acme`: destroys {old}\n" in FORMATS["markdown"](document, PLAIN)
