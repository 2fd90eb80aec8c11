"""Interrupts of a real apply: the first is orderly, the second is not, and two applies keep out of each other's way."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from contextlib import redirect_stderr, suppress
from pathlib import Path
from queue import SimpleQueue

import pytest
from processes import TOKEN, listening, started

from reconciler import receipts
from reconciler.cli import run
from reconciler.cli.apply import Stop
from reconciler.emulator import Portal, faults

SETTINGS = 'version: 1\nportals: {{production: {{portalId: 12345678, baseUrl: "{url}"}}}}\nwatch: [contacts]\n'
SPEC = """
propertyGroups: {contacts: {g: {label: G}}}
properties: {contacts: {one: {label: One, type: string, fieldType: text, groupName: g}}}
"""
APPLY = ["apply", "-q", "--auto-approve", "-o", "json:applied.json"]
GROUP, ONE = "propertyGroups/contacts/g", "properties/contacts/one"
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


@pytest.fixture
def line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", TOKEN)
    Path("specs").mkdir()
    Path("specs/all.yaml").write_text(SPEC, "utf-8")
    with listening() as (url, line):
        Path("specs/reconciler.yaml").write_text(SETTINGS.format(url=url), "utf-8")
        line.reset(Portal.seeded("empty").state)
        yield line


def applied():
    document = json.loads(Path("applied.json").read_text("utf-8"))
    return document["exit"]["code"], {change["address"]: change["outcome"] for change in document["changes"]}


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_the_first_signal_lets_what_is_in_flight_end(line, number, code):
    """The write under way is finished and looked at, the next one is not begun, and everybody is told."""
    pids = SimpleQueue()
    line.before_write = lambda: os.kill(pids.get(), number)
    process = started(Path.cwd(), APPLY)
    pids.put(process.pid)

    assert process.wait() == code
    assert applied() == (code, {GROUP: "verified", ONE: "skipped"})
    last = receipts.events(receipts.newest(Path(".reconciler/receipts/production")))[-1]
    assert (last["event"], last["exit"]["code"], last["outcomes"][ONE]) == ("end", code, "skipped")
    line.open()
    assert run(APPLY) == 0
    assert applied()[1][ONE] == "verified"


def test_a_signal_that_nobody_can_be_told_of_breaks_no_write():
    """`reconciler apply 2>&1 | tee log`: Ctrl-C ends `tee` too, and a broken pipe is nothing that a write waits for."""
    reading, writing = os.pipe()
    os.close(reading)
    stderr = open(writing, "w", encoding="utf-8")  # noqa: SIM115
    stop = Stop()
    stop.writing = True

    with redirect_stderr(stderr):
        stop(signal.SIGINT, None)

    assert (stop.name, stop.wanted()) == ("interrupted", True)
    with suppress(BrokenPipeError):
        stderr.close()


INTERRUPTED_HANDLER = """
import os, signal, sys
from reconciler.cli.apply import Stop

def handled(step):
    signal.alarm(10)
    stop = Stop()
    stop.writing = True
    signal.signal(signal.SIGTERM, stop)
    seen = []

    def again(frame, event, argument):
        seen.append(event)
        if len(seen) == step:
            sys.setprofile(None)
            signal.raise_signal(signal.SIGTERM)

    sys.setprofile(again)
    stop(signal.SIGTERM, None)
    sys.setprofile(None)
    signal.raise_signal(signal.SIGTERM)

for step in range(1, 40):
    child = os.fork()
    if not child:
        handled(step)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_signal_in_the_middle_of_the_first_one_ends_the_run_too():
    """At each step of handling one another comes, and a third where there is need: nothing is locked by the first."""
    words = [sys.executable, "-c", INTERRUPTED_HANDLER]

    ended = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)

    assert set(ended.stdout.split()) == {str(-signal.SIGTERM)}


@pytest.mark.parametrize(("number", "_"), SIGNALS)
def test_the_second_signal_ends_the_run_at_once(line, number, _):
    """Nobody waits for an answer that does not come; the receipt holds what was intended."""
    held, released = threading.Event(), threading.Event()

    def hold():
        held.set()
        released.wait()

    line.before_write = hold
    process = started(Path.cwd(), APPLY)
    held.wait()
    while process.alive():
        os.kill(process.pid, number)
    released.set()

    assert process.wait() == -number
    told = receipts.events(receipts.newest(Path(".reconciler/receipts/production")))
    assert [event["event"] for event in told] == ["begin", "intent"]


@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_before_the_first_write_ends_the_run_with_nothing_written(line, number, code):
    """While it plans, there is nothing in flight that has to be finished."""
    pids = SimpleQueue()
    line.before = lambda seen: os.kill(pids.get(), number) if seen == 2 else None
    process = started(Path.cwd(), APPLY)
    pids.put(process.pid)

    assert process.wait() == code
    document = json.loads(Path("applied.json").read_text("utf-8"))
    assert (document["exit"], document["errors"][0]["message"]) == (
        {"code": code, "name": "cancelled"},
        "cancelled; nothing was written",
    )
    assert all(entry["method"] != "POST" for entry in line.portal.log)


def test_a_signal_ends_the_waiting_for_a_busy_portal(line):
    """While HubSpot asks for a pause, the first signal is enough: nothing more is sent, and everybody is told."""
    faults.add(line.portal, method="POST", path="/groups$", status=429, retryAfter=15, count=0)
    pids = SimpleQueue()
    line.before_write = lambda: os.kill(pids.get(), signal.SIGTERM)
    process = started(Path.cwd(), APPLY)
    pids.put(process.pid)

    assert process.wait() == 143
    assert applied() == (143, {GROUP: "failed", ONE: "skipped"})
    sent = [entry["method"] for entry in line.portal.log if entry["path"].endswith("/groups")]
    assert sent == ["GET", "POST"]
    assert receipts.events(receipts.newest(Path(".reconciler/receipts/production")))[-1]["event"] == "end"


@pytest.mark.skipif(sys.platform != "linux", reason="nobody else's limits can be set here")
def test_a_receipt_that_fills_up_in_the_middle_hides_no_write(line):
    """What HubSpot took is read back and told as done though its result could not be noted; the next one is not sent.

    The limit is the size that the receipt has at the first write, and is taken away when the write is read back.
    """
    pids, posted = SimpleQueue(), []

    def full():
        posted.append(pids.get())
        size = receipts.newest(Path(".reconciler/receipts/production")).stat().st_size
        resource.prlimit(posted[0], resource.RLIMIT_FSIZE, (size, -1))

    line.before_write = full
    line.before = lambda _: resource.prlimit(posted[0], resource.RLIMIT_FSIZE, (-1, -1)) if posted else None
    process = started(Path.cwd(), APPLY)
    pids.put(process.pid)

    assert process.wait() == 0
    assert applied() == (0, {GROUP: "verified", ONE: "verified"})
    told = receipts.events(receipts.newest(Path(".reconciler/receipts/production")))
    assert [event["event"] for event in told] == ["begin", *["intent", "result"] * 2, "end"]


def test_two_applies_to_one_portal_exclude_each_other(line, capsys):
    """The second one is turned away while the first one writes, also from another checkout; afterwards it may."""
    held, released = threading.Event(), threading.Event()

    def hold():
        held.set()
        released.wait()

    line.before_write = hold
    process = started(Path.cwd(), APPLY)
    held.wait()
    other = Path("other")
    other.mkdir()
    (other / "specs").symlink_to(Path("specs").resolve())
    here = Path.cwd()
    os.chdir(other)
    turned_away = run(["apply", "-q", "--auto-approve"])
    os.chdir(here)
    released.set()

    assert (turned_away, process.wait()) == (6, 0)
    assert "another apply to portal production is running on this machine" in capsys.readouterr().err
    assert run(["apply", "-q", "--auto-approve"]) == 0
