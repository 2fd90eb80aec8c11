"""The served emulator, worked on by nothing but what it prints and what the README says."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from reconciler.cli import run
from reconciler.emulator import Portal, create_app

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
SETTINGS = "version: 1\nwatch: [contacts]\nportals:\n"


@pytest.fixture
def served(tmp_path, monkeypatch):
    """What a served portal prints until it is ready for work, line by line."""
    monkeypatch.chdir(tmp_path)
    words = ["emulator", "--seed", "empty", "--state", "portal.json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith("a colleague's edit: "):
            break
    yield lines
    process.send_signal(signal.SIGINT)
    process.communicate()


def test_what_the_served_emulator_prints_is_all_that_is_needed(served, monkeypatch, capsys):
    """Its settings and its token, pasted, make a plan; its example of a colleague's edit, played, makes drift."""
    Path("specs").mkdir()
    snippet = "\n".join(line for line in served if line.startswith("  "))
    Path("specs/reconciler.yaml").write_text(f"{SETTINGS}{snippet}\n", "utf-8")
    Path("specs/contacts.yaml").write_text("properties: {contacts: {email: {groupName: contactinformation}}}\n")
    (export,) = (line for line in served if line.startswith("export "))
    name, _, token = export.removeprefix("export ").partition("=")
    monkeypatch.setenv(name, token)
    url = served[0].removeprefix("listening on ")

    assert run(["-q", "accept", "--all", "-p", "local", "--reason", "start"]) == 0
    assert run(["-q", "drift", "-p", "local"]) == 0
    target, body = re.fullmatch(r"a colleague's edit: curl .* (http\S+) -d '(.*)'", served[-1]).groups()
    assert target == f"{url}/_emulator/edit"
    answer = httpx.post(target, content=body, headers={"Content-Type": "application/json"})

    assert answer.json() == {"results": ["properties/contacts/email"]}
    capsys.readouterr()
    assert run(["drift", "-p", "local"]) == 2
    assert 'label  "Email" → "E-mail"' in capsys.readouterr().out


def test_nothing_but_the_address_is_on_stdout(tmp_path, monkeypatch):
    """A script that waits for the line with the address reads one line, and --quiet leaves it alone with it."""
    monkeypatch.chdir(tmp_path)
    words = [sys.executable, "-m", "reconciler", "emulator", "-q", "--seed", "empty"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, noted = process.communicate()

    assert re.fullmatch(r"listening on http://127\.0\.0\.1:\d+\n", first)
    assert (rest, noted) == ("", "\ncancelled\n")


def test_a_seed_for_a_portal_that_is_there_is_not_passed_over_in_silence(tmp_path, monkeypatch):
    """The state file goes on as it is, and whoever asked for another seed is told."""
    monkeypatch.chdir(tmp_path)
    Portal.open("portal.json", seed="empty").save()
    words = [sys.executable, "-m", "reconciler", "emulator", "--seed", "older", "--state", "portal.json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, noted = process.communicate()

    assert "portal.json is there already: it goes on as it is" in noted


def test_the_readme_tells_how_to_point_a_portal_at_it(tmp_path, monkeypatch):
    """The settings and the token's variable stand where the emulator is told of, and its examples can be played."""
    monkeypatch.chdir(tmp_path)
    section = README.split("## The embedded portal\n", 1)[1].split("\n## ", 1)[0]
    assert run(["-q", "init"]) == 0
    assert run(["-q", "apply", "--auto-approve"]) == 0
    client = httpx.Client(transport=httpx.WSGITransport(app=create_app(Portal.open(".reconciler/demo.json"))))

    assert "baseUrl: http://127.0.0.1:8910\n    tokenEnv: EMULATOR_TOKEN" in section
    played = re.findall(r"curl (\S+) -H 'Content-Type: application/json'(?: \\\n )? -d '(.*)'", section)
    answers = [client.post(f"http://{target}", content=body).json() for target, body in played]
    assert [sorted(answer["results"])[0] for answer in answers] == [
        "properties/contacts/cs_plan_tier",
        "properties/contacts/hs_feedback_last_nps_rating",
    ]
