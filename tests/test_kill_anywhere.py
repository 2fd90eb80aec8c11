"""Killed after any request, with the answer delivered or lost: the next run ends where an unbroken one ends.

Every kill is a SIGKILL of a real process. By default it comes at every request that writes, the killed run works from
specs, and HubSpot mirrors stages to companies; with ``RECONCILER_NIGHTLY`` it comes at every request of any sort, also
to a run of a saved plan and without the mirror, each in a fresh interpreter.
"""

import itertools
import json
import os
import shutil
import signal
from pathlib import Path
from queue import SimpleQueue

import pytest
from processes import NIGHTLY, TOKEN, listening, started

from reconciler import baseline, receipts
from reconciler.cli import run
from reconciler.emulator import Portal, edit

SETTINGS = """
version: 1
portals: {{production: {{portalId: 12345678, baseUrl: "{url}"}}}}
watch: [contacts]
"""
BEFORE = """
propertyGroups:
  contacts:
    g: {label: G}
    old_group: {label: Old}
properties:
  contacts:
    gone: {label: Gone, type: string, fieldType: text, groupName: old_group}
    back: {label: Back, type: string, fieldType: text, groupName: g}
    text: {label: Text, type: string, fieldType: text, groupName: g}
    size: {label: Size, type: number, fieldType: number, groupName: g}
    double: {label: Double, type: number, fieldType: calculation_equation, groupName: g, calculationFormula: size * 2}
    tier:
      label: Tier
      type: enumeration
      fieldType: select
      groupName: g
      options: [{value: a, label: A}, {value: legacy, label: Legacy}, {value: b, label: B}]
lifecycleStages:
  - {name: lead}
  - {name: trial, label: Trial}
  - {name: pilot, label: Pilot}
  - {name: sunset, label: Sunset}
  - {name: customer}
associationLabels:
  contacts:
    companies:
      billing: {label: Billing, inverseLabel: Billed by}
      old_label: {label: Old label, inverseLabel: Old way round}
"""
AFTER = """
propertyGroups:
  contacts:
    g: {label: Great}
    fresh: {label: Fresh}
properties:
  contacts:
    back: {label: Back again, type: string, fieldType: text, groupName: g}
    text: {label: Words, type: string, fieldType: textarea, groupName: fresh}
    size: {label: Size, type: number, fieldType: number, groupName: g}
    double: {label: Triple, type: number, fieldType: calculation_equation, groupName: g, calculationFormula: size * 3}
    sum: {label: Sum, type: number, fieldType: calculation_equation, groupName: g, calculationFormula: one + two}
    one: {label: One, type: number, fieldType: number, groupName: fresh}
    two: {label: Two, type: number, fieldType: number, groupName: fresh}
    three:
      {label: Three, type: enumeration, fieldType: radio, groupName: fresh, options: [{value: x, label: X}]}
    tier:
      label: Tier
      type: enumeration
      fieldType: select
      groupName: g
      options: [{value: c, label: C}, {value: b, label: Bee}, {value: a, label: A}]
lifecycleStages:
  - {name: lead}
  - {name: signed, label: Signed}
  - {name: customer}
  - {name: trial, label: Trial}
  - {name: pilot, label: Beta}
associationLabels:
  contacts:
    companies:
      billing: {label: Invoices, inverseLabel: Invoiced by}
      partner: {label: Partner, inverseLabel: Partner of}
removed:
  - {address: properties/contacts/gone, reason: gone}
  - {address: properties/contacts/tier/options/legacy, reason: gone}
  - {address: propertyGroups/contacts/old_group, reason: gone}
  - {address: lifecycleStages/sunset, reason: gone}
  - {address: associationLabels/contacts/companies/old_label, reason: gone}
"""
ALLOWED = (
    "properties/contacts/gone",
    "properties/contacts/tier/options/legacy",
    "propertyGroups/contacts/old_group",
    "lifecycleStages/sunset",
    "associationLabels/contacts/companies/old_label",
)
CONSENT = [word for address in ALLOWED for word in ("--allow", address)]
APPLY = ["apply", "-q", "--auto-approve", *CONSENT]


def definitions(portal):
    """What a portal holds, without ids and times: lists, so that a duplicate shows."""
    told = {}
    for type_id in ("0-1", "0-2"):
        stored = portal.definitions(type_id)
        told[type_id, "groups"] = sorted(group["label"] for group in stored["groups"].values())
        for side in ("properties", "archivedProperties"):
            told[type_id, side] = {name: described(one) for name, one in sorted(stored[side].items()) if custom(one)}
        (pipeline,) = (one for key, one in portal.state["pipelines"][type_id].items() if "lifecycle" in key)
        told[type_id, "stages"] = [
            stage["label"] for stage in sorted(pipeline["stages"], key=lambda stage: stage["displayOrder"])
        ]
    told["labels"] = sorted(json.dumps(texts(label)) for label in portal.state["labels"])
    return told


def custom(definition):
    return not definition.get("hubspotDefined")


def described(definition):
    """A definition without what differs from run to run."""
    left_out = ("createdAt", "updatedAt", "archivedAt", "createdUserId", "updatedUserId")
    return {key: value for key, value in definition.items() if key not in left_out}


def texts(label):
    return {key: value for key, value in label.items() if isinstance(value, str) and "At" not in key}


class Workplace:
    """A portal and a directory of specs, before a plan with every kind of change is carried out."""

    def __init__(self, url, line, folder, mirror):
        self.line, self.folder = line, folder
        self.runs = itertools.count(1)
        self.prepared = folder / "prepared"
        line.reset(Portal.seeded("empty").state)
        line.portal.switches["lifecycleMirror"] = mirror
        self._prepare(url)

    def _prepare(self, url):
        specs = self.prepared / "specs"
        specs.mkdir(parents=True)
        (specs / "reconciler.yaml").write_text(SETTINGS.format(url=url), "utf-8")
        (specs / "all.yaml").write_text(BEFORE, "utf-8")
        os.chdir(self.prepared)
        assert run(["apply", "-q", "--auto-approve"]) == 0
        portal = self.line.portal
        edit(portal, "archive", object="contacts", property="back")
        edit(portal, "add-option", object="contacts", property="tier", value="theirs", label="Theirs", at=1)
        edit(portal, "create-group", object="contacts", group="theirs", label="Theirs")
        field = {"name": "theirs", "label": "Theirs", "type": "string", "fieldType": "text", "groupName": "theirs"}
        edit(portal, "create", object="contacts", definition=field)
        edit(portal, "add-stage", label="Theirs", at=2)
        assert run(["accept", "-q", "--all", "--reason", "theirs"]) == 0
        (specs / "all.yaml").write_text(AFTER, "utf-8")
        assert run(["plan", "-q", *CONSENT, "-o", "json:plan.json"]) == 0
        shutil.rmtree(".reconciler/receipts")
        self.state = json.dumps(portal.state)

    def fresh(self):
        """Everything as it was prepared, in a directory of its own."""
        self.line.reset(json.loads(self.state))
        here = self.folder / "here"
        os.chdir(self.folder)
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(self.prepared, here)
        os.chdir(here)
        return here

    def next_run(self):
        """Gives the line to a run that is about to begin: its token lets nothing through that another run sent."""
        self.line.token = os.environ["HUBSPOT_ACCESS_TOKEN"] = f"{TOKEN}-{next(self.runs):05}"
        self.line.open()

    def killed_at_request(self, number, delivered, words):
        """How a run ends that is killed before the next request has any effect, or before it hears of this one.

        Counted are requests that write, or all of them.
        """
        victims = SimpleQueue()
        self.next_run()

        def kill(seen):
            if seen == number + delivered:
                self.line.dead = True
                os.kill(victims.get(), signal.SIGKILL)

        self.line.counts_reads = NIGHTLY
        if delivered:
            self.line.before = kill
        else:
            self.line.after = kill
        process = started(Path.cwd(), words)
        victims.put(process.pid)
        return process.wait()


@pytest.fixture(scope="module", params=["both", "none"] if NIGHTLY else ["both"])
def workplace(request, tmp_path_factory):
    before, token = Path.cwd(), os.environ.get("HUBSPOT_ACCESS_TOKEN")
    os.environ["HUBSPOT_ACCESS_TOKEN"] = TOKEN
    with listening() as (url, line):
        yield Workplace(url, line, tmp_path_factory.mktemp("kill"), request.param)
    os.chdir(before)
    os.environ.pop("HUBSPOT_ACCESS_TOKEN")
    if token is not None:
        os.environ["HUBSPOT_ACCESS_TOKEN"] = token


@pytest.fixture(scope="module")
def unbroken(workplace):
    """What the portal holds after a run that nobody kills."""
    workplace.fresh()
    assert run(APPLY) == 0
    workplace.next_run()
    assert run(["plan", "-q", "--detailed-exitcode"]) == 0
    return definitions(workplace.line.portal)


@pytest.mark.parametrize("words", [APPLY, ["apply", "-q", "plan.json"]] if NIGHTLY else [APPLY])
def test_a_run_that_is_killed_at_any_request_is_finished_by_the_next(workplace, unbroken, words, capsys):
    """For every k, answer delivered and lost: the same definitions, none twice, and nothing else destroyed."""
    seen = set()
    kills = [0, 0]
    for delivered in (True, False):
        while (code := at_request(workplace, kills[delivered] + 1, delivered, words)) != 0:
            assert code == -signal.SIGKILL, Path("output.txt").read_text("utf-8")
            kills[delivered] += 1
            finish(workplace, words, unbroken, seen, f"killed at request {kills[delivered]}, delivered: {delivered}")
    with capsys.disabled():
        told = f"{kills[True]} kills with the answer delivered, {kills[False]} with it lost"
        print(f"\n{told}: {len(seen)} different states, all of them finished")
    assert min(kills) > (40 if NIGHTLY else 15)


def at_request(workplace, number, delivered, words):
    workplace.fresh()
    return workplace.killed_at_request(number, delivered, words)


def test_a_run_that_is_killed_while_it_writes_files_is_finished_by_the_next(workplace, unbroken):
    """A baseline of which only some files have moved makes the next run no less safe."""
    for number in range(1, 100):
        workplace.fresh()
        workplace.next_run()
        process = started(Path.cwd(), APPLY, kill_at_rename=number)
        if (code := process.wait()) == 0:
            break
        assert code == -signal.SIGKILL
        finish(workplace, APPLY, unbroken, set(), f"killed at rename {number}")
    assert number > 3


def finish(workplace, words, wanted, seen, when):
    """The records of a killed run can be read, and the next run ends where an unbroken one ends."""
    told = [receipts.events(path) for path in sorted(Path(".reconciler/receipts/production").glob("*"))]
    assert baseline.load(Path("specs/baselines/production")) is not None, when
    state = json.dumps([str(definitions(workplace.line.portal)), [sorted(receipts.written(one)) for one in told]])
    if state in seen:
        return
    seen.add(state)
    workplace.next_run()
    assert run(words) == 0, when
    assert definitions(workplace.line.portal) == wanted, when
    if NIGHTLY:
        assert run(["plan", "-q", "--detailed-exitcode"]) == 0, when
