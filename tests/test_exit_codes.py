"""The table of exit codes: each code of each command where it can occur, and the same number in the document."""

import json
from pathlib import Path

import pytest
from small_portal import STATE, settle_in

from reconciler.cli import run
from reconciler.emulator import Portal, edit
from reconciler.emulator import faults as bad_days
from reconciler.errors import ExitCode, worst

SPEC = "propertyGroups: {contacts: {g: {label: G}}}\nproperties: {contacts: {one: {label: %s, %s}}}\n"
TEXT = "type: string, fieldType: text, groupName: g"
ONE = "properties/contacts/one"
RETRIES = "retries: {tries: 1, waitSeconds: 1}\n"
READ_ONLY = ["crm.schemas.contacts.read", "crm.schemas.companies.read", "crm.objects.contacts.read", "oauth"]
APPLY = ["apply", "--auto-approve"]


def spec(label="One", more="", fields=TEXT):
    Path("specs/spec.yaml").write_text(SPEC % (label, fields) + more, "utf-8")


def removed():
    Path("specs/spec.yaml").write_text(f"removed: [{{address: {ONE}, reason: gone}}]\n", "utf-8")


def applied():
    """One property that was declared, applied and baselined."""
    spec()
    assert run(["apply", "-q", "--auto-approve"]) == 0


def trouble(**rule):
    portal = Portal.open(STATE)
    bad_days.add(portal, **rule)
    portal.save()


def down():
    trouble(kind="status", status=503, count=0)


def one_list_down():
    trouble(kind="status", status=503, count=0, path="/properties/contacts$")


def one_list_denied():
    trouble(kind="forbidden", count=0, path="/properties/contacts$")


def everything_denied():
    trouble(kind="forbidden", count=0, path="/crm/")


def another_portal():
    text = Path("specs/reconciler.yaml").read_text("utf-8")
    Path("specs/reconciler.yaml").write_text(text.replace("emulator:", "portalId: 7, emulator:"), "utf-8")


def mangled():
    """Something that no baseline of ours holds stands in it: nobody thought of that, so it is as good as a bug."""
    path = Path("specs/baselines/demo/properties.contacts.json")
    document = json.loads(path.read_text("utf-8"))
    document["definitions"]["one"]["facts"]["updatedAt"] = ["never"]
    path.write_text(json.dumps(document), "utf-8")


def relabelled(label):
    edit(Portal.open(STATE), "relabel", object="contacts", property="one", label=label)


def conflict():
    applied()
    spec("Uno")
    relabelled("Third")


def reviewed(label="Uno"):
    """A saved plan."""
    applied()
    spec(label)
    assert run(["plan", "-q", "-o", "json:plan.json"]) == 0


def then(*steps):
    def scenario():
        for step in steps:
            step()

    return scenario


def wrote_and_failed():
    """The group is made, the property is not."""
    spec()
    trouble(kind="status", status=400, count=0, method="POST", path="/properties/contacts$|/batch/create$")


CELLS = [
    ("validate", 0, spec, ["validate"]),
    ("validate", 3, lambda: spec(fields="type: nothing"), ["validate"]),
    ("plan", 0, spec, ["plan"]),
    ("plan", 1, then(applied, mangled), ["plan"]),
    ("plan", 2, spec, ["plan", "--detailed-exitcode"]),
    ("plan", 3, lambda: spec(fields="type: nothing"), ["plan"]),
    ("plan", 4, then(spec, one_list_denied), ["plan"]),
    ("plan", 4, then(spec, another_portal), ["plan"]),
    ("plan", 5, conflict, ["plan"]),
    ("plan", 6, then(applied, removed), ["plan", "--fail-on", "destructive"]),
    ("plan", 8, then(spec, down), ["plan"]),
    ("plan", 8, then(spec, one_list_down), ["plan"]),
    ("apply", 0, spec, APPLY),
    ("apply", 1, then(applied, mangled), APPLY),
    ("apply", 3, spec, ["apply"]),
    ("apply", 4, then(spec, one_list_denied), APPLY),
    ("apply", 5, conflict, APPLY),
    ("apply", 5, then(reviewed, lambda: relabelled("Third")), ["apply", "plan.json"]),
    ("apply", 5, reviewed, ["apply", "plan.json", "--require-digest", "sha256:0"]),
    ("apply", 6, then(applied, removed), APPLY),
    ("apply", 7, wrote_and_failed, APPLY),
    ("apply", 8, then(spec, down), APPLY),
    ("drift", 0, applied, ["drift"]),
    ("drift", 1, then(applied, mangled), ["drift"]),
    ("drift", 2, then(applied, lambda: relabelled("Third")), ["drift"]),
    ("drift", 3, spec, ["drift"]),
    ("drift", 4, then(applied, another_portal), ["drift"]),
    ("drift", 8, then(applied, down), ["drift"]),
    ("import", 0, applied, ["import"]),
    ("import", 3, applied, ["import", "--kind", "nothing"]),
    ("import", 4, then(applied, another_portal), ["import"]),
    ("import", 8, then(applied, down), ["import"]),
]
BARE = [  # commands that end without a document
    ("accept", 0, applied, ["accept", "--all", "--reason", "seen"]),
    ("accept", 3, applied, ["accept"]),
    ("accept", 4, then(applied, another_portal), ["accept", "--all", "--reason", "seen"]),
    ("accept", 8, then(applied, down), ["accept", "--all", "--reason", "seen"]),
    ("adopt", 0, applied, ["adopt"]),
    ("adopt", 3, then(applied, lambda: spec(fields="type: nothing")), ["adopt"]),
    ("adopt", 4, then(applied, another_portal), ["adopt"]),
    ("adopt", 8, then(applied, down), ["adopt"]),
    ("show", 0, reviewed, ["show", "plan.json"]),
    ("show", 3, spec, ["show", "plan.json"]),
    ("snapshot", 0, applied, ["snapshot", "read.json"]),
    ("snapshot", 3, lambda: None, ["snapshot"]),
    ("snapshot", 4, then(spec, everything_denied), ["snapshot", "read.json"]),
    ("schema", 0, lambda: None, ["schema"]),
    ("schema", 3, lambda: None, ["schema", "nothing"]),
    ("nothing", 3, lambda: None, ["nothing"]),
]


@pytest.fixture(autouse=True)
def _workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RECONCILER_SPECS", raising=False)
    settle_in(RETRIES)


def cell(value):
    return value if isinstance(value, (str, int)) else ""


@pytest.mark.parametrize(("command", "code", "scenario", "words"), CELLS, ids=cell)
def test_a_cell_of_the_table(command, code, scenario, words, capsys):
    """The process ends with the code, and says the same number and its name in the document, on stdout or in a file."""
    scenario()
    state = STATE.read_bytes()
    capsys.readouterr()

    assert run([*words, "-q", "-o", "json"]) == code

    document = json.loads(capsys.readouterr().out)
    name = ExitCode(code).label
    assert document["exit"] == {"code": code, "name": name} | (
        {"failOn": "destructive"} if code == 6 and command == "plan" else {}
    )
    assert document["kind"] == command or code != 0  # a run may end at its specs, or at its plan
    assert (STATE.read_bytes() != state) == (command == "apply" and code in (0, 7))


@pytest.mark.parametrize(("command", "code", "scenario", "words"), BARE, ids=cell)
def test_a_cell_without_a_document(command, code, scenario, words, capsys):
    """Commands that only say something end with the same codes."""
    scenario()

    assert run([*words, "-q"]) == code
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("scenario", "words", "code"),
    [
        (then(applied, removed, another_portal), ["plan", "--fail-on", "destructive"], 4),
        (conflict, ["plan", "--fail-on", "safe"], 5),
        (conflict, ["plan", "--detailed-exitcode"], 5),
        (then(applied, removed), ["plan", "--fail-on", "destructive", "--detailed-exitcode"], 6),
        (then(spec, one_list_denied), ["plan", "--detailed-exitcode"], 4),
        (then(spec, one_list_down), ["plan", "--detailed-exitcode"], 8),
        (then(conflict, one_list_down), ["plan"], 8),
        (then(spec, one_list_denied, wrote_and_failed), APPLY, 4),
    ],
)
def test_when_several_apply(scenario, words, code):
    """The first of 130 and 143, 7, 1, 4, 5, 6, 8, 3, 2, 0 is what a run ends with."""
    scenario()

    assert run([*words, "-q"]) == code


def test_the_order_of_precedence():
    """Every code gives way to those that stand before it."""
    order = [130, 143, 7, 1, 4, 5, 6, 8, 3, 2, 0]

    assert [int(worst(map(ExitCode, order[place:]))) for place in range(len(order))] == order
    assert sorted(order) == sorted(map(int, ExitCode))
    assert worst([]) == 0
