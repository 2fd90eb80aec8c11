"""Interrupts of a real ``ci apply``: orderly as those of a plain apply, and no further portal is begun."""

import json
import os
import signal
from pathlib import Path
from queue import SimpleQueue

import pytest
from ci_workplace import CI_NAMES
from processes import TOKEN, listening, started

from reconciler import receipts

SETTINGS = """version: 1
portals:
  first: {{portalId: 12345678, baseUrl: "{}"}}
  second: {{portalId: 12345678, baseUrl: "{}"}}
watch: [contacts]
"""
SPEC = """
propertyGroups: {contacts: {g: {label: G}}}
properties: {contacts: {one: {label: One, type: string, fieldType: text, groupName: g}}}
"""
APPLY = ["ci", "apply", "-q", "-p", "all", "--no-approval", "--baseline", "keep", "--documents", "docs"]
GROUP, ONE = "propertyGroups/contacts/g", "properties/contacts/one"
SIGNALS = [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]


@pytest.fixture
def lines(tmp_path, monkeypatch):
    """The ways to two portals of one run."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(CI_NAMES)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", TOKEN)
    Path("specs").mkdir()
    Path("specs/all.yaml").write_text(SPEC, "utf-8")
    with listening() as (one, first), listening() as (two, second):
        Path("specs/reconciler.yaml").write_text(SETTINGS.format(one, two), "utf-8")
        yield first, second


def applied(portal):
    document = json.loads(Path(f"docs/apply-{portal}.json").read_text("utf-8"))
    told = {change["address"]: change["outcome"] for change in document.get("changes", ())}
    return document["exit"]["code"], told, [error["message"] for error in document["errors"]]


@pytest.mark.parametrize(("number", "code", "name"), SIGNALS)
def test_a_signal_while_a_portal_is_written_ends_the_run_after_it(lines, number, code, name):
    """What was written is told, in the receipt and in the baseline; the next portal is not even read."""
    first, second = lines
    pids = SimpleQueue()
    first.before_write = lambda: os.kill(pids.get(), number)
    process = started(Path.cwd(), APPLY)
    pids.put(process.pid)

    assert process.wait() == code
    assert applied("first") == (code, {GROUP: "verified", ONE: "skipped"}, [])
    assert applied("second") == (code, {}, [f"the run was {name} before this portal was begun"])
    last = receipts.events(receipts.newest(Path(".reconciler/receipts/first")))[-1]
    assert (last["event"], last["exit"]["code"], last["outcomes"][ONE]) == ("end", code, "skipped")
    assert '"g"' in Path("specs/baselines/first/propertyGroups.contacts.json").read_text("utf-8")
    assert second.seen == 0


@pytest.mark.parametrize(("number", "code", "name"), SIGNALS)
def test_a_signal_while_a_portal_is_planned_ends_the_run_at_once(lines, number, code, name):
    """Nothing is in flight that has to be finished, and every portal says so."""
    first, second = lines
    pids = SimpleQueue()
    first.before = lambda seen: os.kill(pids.get(), number) if seen == 2 else None
    process = started(Path.cwd(), APPLY)
    pids.put(process.pid)

    assert process.wait() == code
    assert applied("first") == (code, {}, ["cancelled; nothing was written"])
    assert applied("second") == (code, {}, [f"the run was {name} before this portal was begun"])
    assert all(entry["method"] != "POST" for entry in first.portal.log)
    assert second.seen == 0
