"""The life of a finding, through the command line on an embedded portal and as pure functions."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler import history, life
from reconciler.cli import run
from reconciler.emulator import Portal, edit, release

SETTINGS = "version: 1\nportals:\n  demo: {emulator: .reconciler/demo.json}\nwatch: [contacts]\n"
STATE = ".reconciler/demo.json"


def item(fingerprint, address="properties/contacts/a", drift_class="unmanaged.changed", **more):
    return {"fingerprint": fingerprint, "address": address, "class": drift_class, "severity": "low", **more}


ACCEPTED = {"by": "dana", "reason": "planned", "until": "2026-01-04"}


def lived(*checks):
    """The lives of the findings of one check after another; a check is its items, or None for one that saw nothing."""
    records = []
    for number, items in enumerate(checks, 1):
        found = life.told(items, life.remembered(records), f"2026-01-0{number}T00:00:00Z", lambda _: True)
        records.append(json.loads(json.dumps(found.record)))
    return found, [(one["life"]["state"], one["life"]["since"][8:10]) for one in found.items]


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ([[item("x")]], [("new", "01")]),
        ([[item("x")], [item("x")], [item("x")]], [("ongoing", "01")]),
        ([[item("x")], [], [item("x")]], [("reopened", "03")]),
        ([[item("x")], [], [item("x")], [item("x")]], [("ongoing", "03")]),
        ([[item("x")], [item("x", accepted=ACCEPTED)]], [("accepted", "01")]),
        ([[item("x")], [item("x", accepted=ACCEPTED)], [item("x", accepted=ACCEPTED)]], [("accepted", "01")]),
        ([[item("x", accepted=ACCEPTED)], [item("x")]], [("reopened", "02")]),
        ([[item("x", accepted=ACCEPTED)], [item("y")]], [("reopened", "02")]),
        ([[item("x")], [item("y")]], [("new", "02")]),
        ([[item("x")], [item("x"), item("y", "properties/contacts/b")]], [("ongoing", "01"), ("new", "02")]),
    ],
)
def test_the_states_of_a_finding(checks, expected):
    """New, ongoing since, accepted, and reopened when that expires, when it comes back, or when it moves again."""
    assert lived(*checks)[1] == expected


def test_what_is_gone_is_resolved_once():
    """With the time it was there; the next check says nothing of it any more."""
    gone, _ = lived([item("x")], [item("x")], [])

    assert gone.resolved == [
        {
            "fingerprint": "x",
            "address": "properties/contacts/a",
            "class": "unmanaged.changed",
            "since": "2026-01-01T00:00:00Z",
            "resolvedAt": "2026-01-03T00:00:00Z",
        }
    ]
    assert lived([item("x")], [], [])[0].resolved == []
    assert lived([item("x")], [item("y")])[0].resolved == []  # it moved on, and is told as that


def test_what_was_not_looked_at_is_not_resolved():
    """A partial run, or a list that HubSpot would not show, says nothing of the rest."""
    past = life.remembered([life.told([item("x")], life.Past(), "2026-01-01T00:00:00Z", lambda _: True).record])

    assert life.told([], past, "2026-01-02T00:00:00Z", lambda _: False).resolved == []


def test_the_timeline_counts_each_check():
    """What was open, what came and what went; accepted findings are not open."""
    found, _ = lived([item("x"), item("y")], [item("x", accepted=ACCEPTED)])

    assert found.timeline == [
        {
            "at": "2026-01-01T00:00:00Z",
            "open": 2,
            "new": 2,
            "resolved": 0,
            "bySeverity": {"high": 0, "medium": 0, "low": 2, "info": 0},
        },
        {
            "at": "2026-01-02T00:00:00Z",
            "open": 0,
            "new": 0,
            "resolved": 0,
            "bySeverity": {"high": 0, "medium": 0, "low": 0, "info": 0},
        },
    ]


def test_two_checks_at_once_call_it_new_only_once():
    """Both wrote that it is new; the earlier one says since when."""
    twice = [
        {"at": at, "counts": {}, "events": [{"event": "new", **item("x"), "since": at}]}
        for at in ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z")
    ]

    assert life.remembered(twice).findings["x"].since == "2026-01-01T00:00:00Z"


def test_a_long_timeline_holds_one_check_a_day():
    """A year of hourly checks can be drawn."""
    days = [f"20{year}-{month:02}-{day:02}" for year in (25, 26) for month in range(1, 13) for day in range(1, 29)]
    points = [{"new": 1, "resolved": 0, "at": f"{day}T{hour:02}:00:00Z"} for day in days for hour in (8, 20)]
    past = life.Past({}, points)

    found = life.told([], past, "2027-01-01T00:00:00Z", lambda _: True).timeline

    assert len(found) == len(days) + 1
    assert found[0] == {"new": 2, "resolved": 0, "at": "2025-01-01T20:00:00Z"}


# --- the file --------------------------------------------------------------------------------------------------------

RECORD = {"at": "2026-01-01T00:00:00Z", "counts": {"bySeverity": {}}, "events": []}


def test_a_line_that_a_kill_cut_short_is_no_line(tmp_path):
    """It is not read, and the next line does not run into it."""
    path = tmp_path / "h.jsonl"
    history.append(path, "demo", RECORD)
    path.write_bytes(path.read_bytes() + b'{"formatVersion": "1.0", "por')

    assert len(history.records(path, "demo")) == 1
    history.append(path, "demo", RECORD)
    assert [json.loads(line)["portal"] for line in path.read_text().splitlines()] == ["demo", "demo"]


def test_portals_share_a_file(tmp_path):
    """A line says whose it is."""
    path = tmp_path / "deep" / "h.jsonl"
    history.append(path, "one", RECORD)
    history.append(path, "two", RECORD)

    assert [len(history.records(path, name)) for name in ("one", "two", "three")] == [1, 1, 0]


def test_many_appends_at_once_lose_nothing(tmp_path):
    """Each waits for the others, and every line is whole."""
    path = tmp_path / "h.jsonl"
    long = {**RECORD, "events": [{"event": "new", **item("x" * 3000)}]}

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: history.append(path, "demo", long), range(40)))

    assert len(history.records(path, "demo")) == 40


# --- through the command line ----------------------------------------------------------------------------------------


@pytest.fixture
def portal(tmp_path, monkeypatch):
    """A directory with a baseline of a new embedded portal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTOR", "dana")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "reconciler.yaml").write_text(SETTINGS)
    assert run(["-q", "accept", "--all", "--reason", "start"]) == 0
    return Portal.open(STATE)


def checked(capsys, *words):
    """The exit code and the document of a drift check with a history."""
    capsys.readouterr()
    code = run(["-q", "drift", "--history", "history.jsonl", "-o", "json", *words])
    return code, json.loads(capsys.readouterr().out)


def states(document):
    return [(one["address"].rpartition("/")[2], one["life"]["state"]) for one in document["items"]]


def test_a_schedule_reports_transitions_only(portal, capsys):
    """The second check of the same drift is silent and ends with 0; what comes after it is told alone."""
    release(portal, "discontinued")
    code, first = checked(capsys, "--new-only")
    assert (code, states(first)) == (2, [("currentlyinworkflow", "new")])

    code, second = checked(capsys, "--new-only")
    assert (code, second["items"], second["held"]) == (0, [], {"ongoing": 1, "accepted": 0})

    edit(portal, "hide", object="contacts", property="fax")
    code, third = checked(capsys, "--new-only")
    assert (code, states(third), third["held"]["ongoing"]) == (2, [("fax", "new")], 1)

    edit(portal, "hide", object="contacts", property="fax", hidden=False)
    code, fourth = checked(capsys, "--new-only")
    assert code == 0
    assert [one["address"] for one in fourth["resolved"]] == ["properties/contacts/fax"]
    assert [(point["open"], point["new"], point["resolved"]) for point in fourth["timeline"]] == [
        (1, 1, 0),
        (1, 0, 0),
        (2, 1, 0),
        (1, 0, 1),
    ]


def test_what_is_accepted_for_a_while_and_moves_again_is_reopened(portal, capsys):
    """The acceptance says by whom and why, and covers what was accepted and nothing else."""
    edit(portal, "change", object="contacts", property="fax", fields={"groupName": "emailinformation"})
    checked(capsys)
    address = "properties/contacts/fax"
    assert run(["-q", "accept", address, "--reason", "tidying", "--until", "2999-01-01"]) == 0

    code, held = checked(capsys)
    assert (code, states(held)) == (0, [("fax", "accepted")])
    assert held["items"][0]["accepted"] == {"by": "dana", "reason": "tidying", "until": "2999-01-01"}

    edit(portal, "change", object="contacts", property="fax", fields={"groupName": "sales_properties"})
    code, again = checked(capsys)
    assert (code, states(again)) == (2, [("fax", "reopened")])


def test_who_accepted_what_and_why_is_kept(portal, capsys):
    """Beside the baseline, a line a finding; the history tells it of what is resolved, and `explain` of the thing."""
    edit(portal, "change", object="contacts", property="fax", fields={"groupName": "emailinformation"})
    release(portal, "discontinued")
    (fax,) = [one for one in checked(capsys)[1]["items"] if one["address"].endswith("fax")]
    assert run(["-q", "accept", "properties/contacts/fax", "--reason", "tidying"]) == 0

    with open("specs/baselines/demo/acceptances.jsonl") as stream:
        start, kept = map(json.loads, stream)
    at = kept["at"]
    assert start == {"at": start["at"], "by": "dana", "reason": "start", "address": "*"}
    assert kept == {
        "at": at,
        "by": "dana",
        "reason": "tidying",
        "address": "properties/contacts/fax",
        "class": "portal.changed",
        "fingerprint": fax["fingerprint"],
    }
    capsys.readouterr()
    assert run(["-q", "drift", "--history", "history.jsonl"]) == 2
    day = f"{at[:10]} {at[11:16]} UTC"
    told = " ".join(capsys.readouterr().out.split())
    assert f"1 finding: properties/contacts/fax (accepted by dana, {day}: tidying)." in told
    with open("history.jsonl") as stream:
        (event,) = json.loads(list(stream)[-1])["events"]
    assert (event["event"], event["accepted"]) == ("resolved", {"at": at, "by": "dana", "reason": "tidying"})
    assert explained(capsys) == [start, kept]


def test_an_adopt_and_an_apply_are_decisions_too(portal, capsys):
    """Whichever command moves the baseline writes down who did it, when and why; a second one has nothing to add."""
    tier = "cs_tier: {label: Tier, type: string, fieldType: text, groupName: contactinformation}"
    with open("specs/tier.yaml", "w") as stream:
        stream.write(f"properties: {{contacts: {{{tier}}}}}\n")
    assert run(["-q", "apply", "--auto-approve"]) == 0
    capsys.readouterr()
    assert run(["-q", "apply", "--auto-approve"]) == 0
    edit(Portal.open(Path(STATE)), "relabel", object="contacts", property="cs_tier", label="Level")
    (moved,) = checked(capsys)[1]["items"]
    assert run(["-q", "adopt"]) == 0
    assert run(["-q", "adopt"]) == 0

    with open("specs/baselines/demo/acceptances.jsonl") as stream:
        _, applied, adopted = map(json.loads, stream)
    assert applied.pop("reason").startswith("applied: create, plan sha256:")
    assert applied == {"at": applied["at"], "by": "dana", "address": "properties/contacts/cs_tier", "action": "create"}
    assert adopted == {
        "at": adopted["at"],
        "by": "dana",
        "reason": "adopted into the specs",
        "address": "properties/contacts/cs_tier",
        "class": "managed.modified",
        "fingerprint": moved["fingerprint"],
    }
    (gone,) = checked(capsys)[1]["resolved"]
    assert gone["accepted"]["reason"] == "adopted into the specs"


def explained(capsys):
    """What `explain` says of who accepted something, as a document; and that the text says it too."""
    assert run(["-q", "explain", "properties/contacts/fax"]) == 0
    assert "(portal.changed): tidying" in " ".join(capsys.readouterr().out.split())
    assert run(["-q", "explain", "properties/contacts/fax", "-o", "json"]) == 0
    return json.loads(capsys.readouterr().out)["baseline"]["acceptances"]


def test_what_resolved_itself_was_not_accepted(portal, capsys):
    """A consent to an earlier life of a finding, or to one for a while, does not tell why it is gone now."""
    fax = {"object": "contacts", "property": "fax"}
    edit(portal, "hide", **fax)
    checked(capsys)
    assert run(["-q", "accept", "--all", "--reason", "now", "--until", "2999-01-01"]) == 0
    edit(portal, "hide", **fax, hidden=False)

    (gone,) = checked(capsys)[1]["resolved"]

    assert "accepted" not in gone


@pytest.mark.parametrize("line", ["not json", "[]", '{"at": 1, "address": "x"}', '{"at": "2026-01-01T00:00:00Z"}'])
def test_acceptances_that_were_tampered_with_are_an_error(portal, capsys, line):
    """The line is named; a check without a history does not need the file."""
    with open("specs/baselines/demo/acceptances.jsonl", "a") as stream:
        stream.write(line + "\n")

    code, document = checked(capsys)

    assert (code, document["exit"]["name"]) == (3, "usage")
    assert "acceptances.jsonl:2" in document["errors"][0]["where"]
    assert run(["-q", "drift"]) == 0


def test_a_partial_check_resolves_nothing_else(portal, capsys):
    """`--only` looks at some addresses; the others stay as they were."""
    edit(portal, "hide", object="contacts", property="fax")
    checked(capsys)

    assert checked(capsys, "--only", "properties/contacts/phone")[1]["resolved"] == []
    assert states(checked(capsys)[1]) == [("fax", "ongoing")]


@pytest.mark.parametrize(
    "line", ["not json", "[]", '{"formatVersion": "1.0", "portal": "demo"}', '{"formatVersion": "2.0"}']
)
def test_a_history_that_was_tampered_with_is_an_error(portal, capsys, line):
    """It names the line, and the file stays as it is."""
    with open("history.jsonl", "w") as stream:
        stream.write(line + "\n")

    code, document = checked(capsys)

    assert (code, document["exit"]["name"]) == (3, "usage")
    assert "history.jsonl:1" in document["errors"][0]["where"]
    with open("history.jsonl") as stream:
        assert stream.read() == line + "\n"


def test_new_only_needs_a_history(portal, capsys):
    """Without one nobody knows what is new."""
    assert run(["-q", "drift", "--new-only"]) == 3
    assert "--history FILE" in capsys.readouterr().err


def test_a_history_in_no_directory_is_refused(portal, capsys):
    """As ``-o`` refuses it: a slip of the pen would begin another history."""
    assert run(["-q", "drift", "--history", "nodir/history.jsonl"]) == 3
    assert "cannot write nodir/history.jsonl: there is no directory nodir" in capsys.readouterr().err
    assert not Path("nodir").exists()
