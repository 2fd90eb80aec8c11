import filecmp
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli import run

ROOT = Path(__file__).parent.parent


def test_the_demo_tells_the_whole_story(capsys, tmp_path, monkeypatch):
    """Plan, apply, an empty plan, a release and a colleague told apart, accept, quiet; nothing is left behind."""
    monkeypatch.chdir(tmp_path)

    code = run(["demo", "--color", "never"])
    out = capsys.readouterr().out

    assert code == 0
    scenes = [line for line in out.splitlines() if line.startswith("$ reconciler")]
    assert scenes == [
        "$ reconciler init",
        "$ reconciler plan --detailed-exitcode",
        "$ reconciler apply --auto-approve",
        "$ reconciler plan --detailed-exitcode",
        "$ reconciler drift",
        "$ reconciler apply --auto-approve",
        '$ reconciler accept --all --reason "HubSpot\'s release, and Recycled is wanted"',
        "$ reconciler drift",
    ]
    assert "HubSpot added 1 property, renamed 1, reworded 1 and changed the options of 8" in " ".join(out.split())
    assert 'label  "Plan tier" → "Tier (old)"' in out
    assert out.rstrip().endswith("No drift.\n\nThat is all of it. Next: reconciler init, then reconciler plan.")
    assert list(tmp_path.iterdir()) == []


def test_whoever_stops_reading_is_told_of_no_mishap():
    """The demo piped into `head` ends as if somebody had interrupted it, without a word."""
    words = [sys.executable, "-m", "reconciler", "demo"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while process.stdout.readline() != "$ reconciler init\n":
            pass
        process.stdout.close()  # before init has said what comes next
        told = process.stderr.read()

    assert "went wrong" not in told
    assert (process.returncode, told) == (130, "")


@pytest.mark.parametrize(("kind", "colour"), [("xterm-256color", True), ("dumb", False)])
def test_a_dumb_terminal_gets_no_colour(tmp_path, kind, colour):
    """An editor's shell window that calls itself dumb shows escape sequences as they are, so it gets none."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": kind, "TMPDIR": str(tmp_path), "NO_COLOR": "", "FORCE_COLOR": ""}
    words = [sys.executable, "-m", "reconciler", "demo"]
    with subprocess.Popen(words, stdout=theirs, stderr=theirs, env=environ) as process:
        os.close(theirs)
        first = os.read(ours, 100)
        os.close(ours)
        process.kill()

    assert (b"\x1b[" in first) is colour


def test_the_wheel_carries_the_specs_of_the_repository():
    """`init` and `demo` start from the same files that stand in specs/."""
    names = sorted(path.name for path in (ROOT / "specs").iterdir() if path.is_file())

    assert sorted(path.name for path in (ROOT / "reconciler" / "template").iterdir() if path.is_file()) == names
    assert filecmp.cmpfiles(ROOT / "specs", ROOT / "reconciler" / "template", names, shallow=False)[0] == names
