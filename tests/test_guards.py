"""Every guard through the command line, and every guard's mutants: a guard that does not hold is found here."""

import json
import pkgutil
import sys
import types
from importlib import import_module
from pathlib import Path

import pytest

import reconciler
from reconciler import guards
from reconciler.cli import run
from reconciler.emulator import Portal

for found in pkgutil.walk_packages(reconciler.__path__, "reconciler."):
    if not found.name.endswith("__main__"):
        import_module(found.name)  # nothing may be loaded for the first time while a mutant is in place

STATE = ".reconciler/demo.json"
GROUP = "propertyGroups: {contacts: {g: {label: G}}}\n"
ENTRY = "    {name}: {{label: {name}, type: string, fieldType: text, groupName: g}}\n"
TIER = (
    "    tier: {label: Tier, type: enumeration, fieldType: select, groupName: g, "
    "options: [{value: a, label: A}, {value: b, label: B}]}\n"
)


def specs(*names, extra="", tier=False, settings=""):
    """Writes settings and a spec with these text properties."""
    Path("specs").mkdir(exist_ok=True)
    portals = f"portals: {{demo: {{emulator: {STATE}}}}}\n"
    Path("specs/reconciler.yaml").write_text(f"version: 1\n{portals}watch: [contacts]\n{settings}", "utf-8")
    entries = "".join(ENTRY.format(name=name) for name in names) + (TIER if tier else "")
    body = f"properties:\n  contacts:\n{entries}" if entries else ""
    Path("specs/contacts.yaml").write_text(GROUP + body + extra, "utf-8")


def removing(address, more=""):
    return f"removed:\n  - {{address: {address}, reason: gone{more}}}\n"


def results(name="plan.json"):
    """What every guard said in a saved plan."""
    document = json.loads(Path(name).read_text("utf-8"))
    told = [*document["guards"], *(guard for change in document["changes"] for guard in change["guards"])]
    return {guard["rule"]: guard["result"] for guard in told}


def destructive():
    specs("one", tier=True)
    run(["apply", "--auto-approve"])
    specs(tier=True, extra=removing("properties/contacts/one"))
    return [run(["apply", "--auto-approve"]), run(["apply", "--auto-approve", "--allow", "properties/contacts/one"])]


def protected():
    specs("one")
    run(["apply", "--auto-approve"])
    specs(extra=removing("properties/contacts/one"), settings='protected: ["properties/contacts/o*"]\n')
    blocked = run(["apply", "--auto-approve", "--allow", "properties/contacts/one"])
    specs(extra=removing("properties/contacts/one"), settings='protected: ["properties/contacts/x*"]\n')
    return [blocked, run(["apply", "--auto-approve", "--allow", "properties/contacts/one"])]


def no_values():
    specs("one")
    run(["apply", "--auto-approve"])
    specs(extra=removing("properties/contacts/one", ", requireNoValues: true"))
    portal = Portal.open(STATE)
    portal.add_records("0-1", [{"properties": {"one": "x"}}])
    portal.save()
    blocked = run(["apply", "--auto-approve", "--allow", "properties/contacts/one"])
    portal = Portal.open(STATE)
    portal.state["records"]["0-1"].clear()
    portal.save()
    return [blocked, run(["apply", "--auto-approve", "--allow", "properties/contacts/one"])]


def more_values():
    specs("one")
    run(["apply", "--auto-approve"])
    specs(extra=removing("properties/contacts/one"))
    run(["plan", "--allow", "properties/contacts/one", "-o", "json:plan.json"])
    portal = Portal.open(STATE)
    portal.add_records("0-1", [{"properties": {"one": "x"}}])
    portal.save()
    blocked = run(["apply", "plan.json"])
    run(["plan", "--allow", "properties/contacts/one", "-o", "json:plan.json"])
    return [blocked, run(["apply", "plan.json"])]


def scopes():
    specs("one")
    run(["plan"])
    portal = Portal.open(STATE)
    read = ["crm.schemas.contacts.read", "crm.objects.contacts.read", "oauth"]
    portal.state["tokens"] = {"embedded": {"userId": "1", "scopes": read}}
    portal.save()
    blocked = run(["apply", "--auto-approve"])
    portal = Portal.open(STATE)
    portal.state["tokens"]["embedded"]["scopes"] = [*read, "crm.schemas.contacts.write"]
    portal.save()
    return [blocked, run(["apply", "--auto-approve"])]


def max_changes():
    specs("one", "two", settings="guards: {maxChanges: 2}\n")
    blocked = run(["apply", "--auto-approve"])
    specs("one", settings="guards: {maxChanges: 2}\n")
    return [blocked, run(["apply", "--auto-approve"])]


def max_destructive():
    specs("one", "two", "three")
    run(["apply", "--auto-approve"])
    specs("two", "three", extra=removing("properties/contacts/one"), settings="guards: {maxDestructivePercent: 20}\n")
    run(["plan", "-o", "json:plan.json"])
    over = results()["max-destructive-percent"]
    specs("two", "three", extra=removing("properties/contacts/one"), settings="guards: {maxDestructivePercent: 25}\n")
    run(["plan", "-o", "json:plan.json"])
    return [over, results()["max-destructive-percent"]]


def shrunken():
    names = [f"p{number}" for number in range(23)]
    specs(*names)
    run(["apply", "--auto-approve"])
    specs(*names[:10])
    blocked = run(["apply", "--auto-approve"])
    specs(*names[:11])
    half = run(["apply", "--auto-approve"])  # twelve of 24: half, and not more
    specs(*names[:1])
    few = run(["apply", "--auto-approve"])  # ten of twelve: most of them, but few
    specs(*names[:13])
    run(["apply", "--auto-approve"])
    specs(*names[:2])
    return [blocked, half, few, run(["apply", "--auto-approve", "--allow-forget"])]


def capacity():
    specs("one", "two", "three")
    run(["plan"])
    portal = Portal.open(STATE)
    portal.switches["propertyLimit"] = 2
    portal.save()
    blocked = run(["apply", "--auto-approve"])
    specs("one", "two")
    return [blocked, run(["apply", "--auto-approve"])]


def incomplete_read():
    specs("one")
    run(["plan", "-o", "json:plan.json"])
    before = results()["incomplete-read"]
    portal = Portal.open(STATE)
    portal.state["tokens"] = {"embedded": {"userId": "1", "scopes": ["crm.schemas.companies.read", "oauth"]}}
    portal.save()
    code = run(["plan", "-o", "json:plan.json"])
    return [before, code, results()["incomplete-read"]]


# A scenario, what it ends with, and mutants of guards.py: the text that goes, and what stands there instead.
GUARDS = {
    destructive: (
        [6, 0],
        [("    destructive,\n", ""), ("if address in context.allowed or", "if address not in context.allowed or")],
    ),
    protected: (
        [6, 0],
        [("    protected,\n", ""), ("if covers(pattern, address) or", "if not covers(pattern, address) or")],
    ),
    no_values: ([6, 0], [("    no_values,\n", ""), ("elif count:", "elif not count:")]),
    more_values: (
        [6, 0],
        [
            ("    more_values,\n", ""),
            ("now > (before or 0)", "now < (before or 0)"),
            ("if context.reviewed else ()", "if False else ()"),
        ],
    ),
    scopes: ([6, 0], [("    scopes,\n", ""), ("if not set(needed) &", "if set(needed) &")]),
    max_changes: (
        [6, 0],
        [
            ("    too_many_changes,\n", ""),
            ("if observed > limit", "if observed < limit"),
            ("if observed > limit", "if observed >= limit"),
            ("len(counted), context.max_changes, message", "len(counted), 10**6, message"),
        ],
    ),
    max_destructive: (
        ["refused", "passed"],
        [
            ("    too_destructive,\n", ""),
            ("if observed > limit", "if observed < limit"),
            ("share, context.max_destructive_percent, message", "share, 100, message"),
        ],
    ),
    shrunken: (
        [6, 0, 0, 0],
        [
            ("    shrunken_spec,\n", ""),
            ("forgotten > managed / 2", "forgotten < managed / 2"),
            ("forgotten > managed / 2", "forgotten >= managed / 2"),
            ("SHRINK_FLOOR = 10", "SHRINK_FLOOR = 10**6"),
            ('"allowed" if context.allow_forget', '"refused" if context.allow_forget'),
        ],
    ),
    capacity: (
        [6, 0],
        [
            ("    capacity,\n", ""),
            ("room.usage + room.adds", "room.adds - room.adds"),
            ("room.usage + room.adds, room.limit", "room.usage + room.adds, 10**9"),
            ("if observed > limit", "if observed < limit"),
        ],
    ),
    incomplete_read: (
        ["passed", 4, "refused"],
        [("    incomplete_reads,\n", ""), ("if plan.errors:", "if not plan.errors:")],
    ),
}
MUTANTS = [(scenario, mutant) for scenario, (_, mutants) in GUARDS.items() for mutant in mutants]


@pytest.fixture(autouse=True)
def _workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RECONCILER_SPECS", raising=False)


@pytest.mark.parametrize("scenario", GUARDS, ids=lambda scenario: scenario.__name__)
def test_every_guard_holds(scenario):
    """A guard blocks what it should and nothing else, driven through the command line."""
    assert scenario() == GUARDS[scenario][0]


@pytest.mark.parametrize(
    ("scenario", "mutant"), MUTANTS, ids=lambda value: value[1].strip() if isinstance(value, tuple) else value.__name__
)
def test_every_mutant_of_a_guard_is_killed(scenario, mutant, monkeypatch):
    """With the guard removed, turned round, or its limit ignored, the same scenario ends otherwise."""
    source = Path(guards.__file__).read_text("utf-8")
    before, after = mutant
    assert before in source
    mutated = types.ModuleType("reconciler.guards")
    monkeypatch.setitem(sys.modules, "reconciler.guards", mutated)
    for name, module in list(sys.modules.items()):  # who has seen the guards as they are is loaded again
        if name.startswith("reconciler.") and {"guards", "guard_context", "Evidence", "judged"} & vars(module).keys():
            parent, _, leaf = name.rpartition(".")
            monkeypatch.setattr(sys.modules[parent], leaf, module)  # and is what it was when the mutant is gone
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "reconciler.guards", mutated)
    monkeypatch.setattr("reconciler.guards", mutated)
    exec(compile(source.replace(before, after), guards.__file__, "exec"), mutated.__dict__)

    try:
        ended = scenario()
    except KeyError as missing:  # a guard that says nothing is not in the document
        ended = missing

    assert ended != GUARDS[scenario][0]


def test_guards_are_listed_even_when_they_pass():
    """A reviewer sees what was looked at, and the exact flag that lifts a refusal."""
    specs("one", tier=True)
    run(["apply", "--auto-approve"])
    specs(tier=True, extra=removing("properties/contacts/one"))

    assert run(["plan", "-o", "json:plan.json"]) == 0

    (change,) = json.loads(Path("plan.json").read_text("utf-8"))["changes"]
    assert results() == {"incomplete-read": "passed", "destructive": "refused"}
    assert change["guards"][0]["allow"] == "--allow properties/contacts/one"
    assert change["impact"] == {"recordsWithValue": 0}


def test_what_has_consent_counts_in_no_limit():
    """A destruction that --allow names is no change too many."""
    specs("one", "two")
    run(["apply", "--auto-approve"])
    specs("two", extra=removing("properties/contacts/one"), settings="guards: {maxChanges: 0}\n")

    assert run(["apply", "--auto-approve", "--allow", "properties/contacts/one"]) == 0


@pytest.mark.parametrize(
    ("refuse", "way_out"),
    [
        (protected, "take it from `protected:` in a change of its own"),
        (no_values, "clear the values first, or drop `requireNoValues`"),
        (max_changes, "raise guards.maxChanges, or split the change with --only"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_no_flag_is_asked_for_where_none_exists(refuse, way_out, capsys):
    """What only the settings or the records can lift is refused with that way out, and with no word of a flag."""
    assert refuse() == [6, 0]

    said = capsys.readouterr().err
    assert f": {way_out}\n" in said
    assert "give the flag" not in said
    assert "needs --allow" not in said


def test_a_flag_is_asked_for_where_one_would_do(capsys):
    """A destruction that lacks nothing but consent is refused with the flag; beside a limit, the flag is not enough."""
    specs("one")
    run(["apply", "--auto-approve"])
    specs("new", extra=removing("properties/contacts/one"))
    run(["apply", "--auto-approve"])
    alone = capsys.readouterr().err
    specs("new", extra=removing("properties/contacts/one"), settings="guards: {maxChanges: 0}\n")
    run(["apply", "--auto-approve"])

    assert alone.endswith(": --allow properties/contacts/one\n  give the flag if it is meant\n")
    assert "1 destructive change needs --allow." in alone
    assert capsys.readouterr().err.endswith("\n  no flag lifts them all\n")
