"""A portal that is not there: whoever asks for anything of it is told what to look at."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli import run
from reconciler.emulator import Portal, serve

SETTINGS = "version: 1\nretries: {{tries: 1}}\nwatch: [contacts]\nportals: {{p: {{baseUrl: '{url}'{more}}}}}\n"
COMMANDS = [
    ["plan"],
    ["apply", "--auto-approve"],
    ["drift"],
    ["coverage"],
    ["explain", "properties/contacts/email"],
    ["snapshot", "snap.json"],
    ["import"],
    ["accept", "--all", "--reason", "x"],
]


@pytest.mark.parametrize(
    ("words", "portal_id"),
    [*((words, ", portalId: 12345678") for words in COMMANDS), *((words, "") for words in COMMANDS[:6])],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
def test_every_command_names_the_way_out(words, portal_id, tmp_path, monkeypatch, capsys):
    """Network and baseUrl are what there is to check, whichever command finds nobody there."""
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/contacts.yaml").write_text("properties: {contacts: {email: {label: Email}}}\n", "utf-8")
    with serve(Portal.seeded("empty")) as server:
        Path("specs/reconciler.yaml").write_text(SETTINGS.format(url=server.url, more=portal_id), "utf-8")
        assert run(["-q", "accept", "--all", "--reason", "start"]) == 0
    capsys.readouterr()

    assert run(words) == 8

    out, err = capsys.readouterr()
    said = " ".join((out + err).split())
    assert "cannot connect to http://127.0.0.1:" in said
    assert "check network and baseUrl" in said


@pytest.fixture
def _far_away(tmp_path, monkeypatch):
    """A portal behind https, and an environment without a proxy."""
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/contacts.yaml").write_text("properties: {contacts: {email: {label: Email}}}\n", "utf-8")
    Path("specs/reconciler.yaml").write_text(SETTINGS.format(url="https://nobody.invalid", more=""), "utf-8")
    for variable in ("https_proxy", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY", "SSL_CERT_DIR"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.usefixtures("_far_away")
def test_a_proxy_that_does_not_answer_is_named_without_its_password(monkeypatch, capsys):
    """It was not HubSpot who refused the connection, and baseUrl is not what there is to look at."""
    monkeypatch.setenv("HTTPS_PROXY", "http://anna:s3cret@127.0.0.1:1")

    assert run(["plan"]) == 8

    said = " ".join("".join(capsys.readouterr()).split())
    assert "cannot connect to https://nobody.invalid through the proxy 127.0.0.1:1 of the environment: " in said
    assert "check network, HTTPS_PROXY and NO_PROXY" in said
    assert "s3cret" not in said


@pytest.mark.usefixtures("_far_away")
@pytest.mark.parametrize("text", [None, "no certificate\n"])
def test_certificates_that_cannot_be_used_are_named(text):
    """What OpenSSL says of them names no file, and the variable is what a person can change."""
    if text:
        Path("ours.pem").write_text(text, "utf-8")
    environ = {**os.environ, "SSL_CERT_FILE": "ours.pem"}
    words = [sys.executable, "-m", "reconciler", "plan"]

    ended = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)

    assert ended.returncode == 3
    assert ended.stderr.startswith("error: the certificates of SSL_CERT_FILE=ours.pem cannot be used: ")
    assert ended.stderr.endswith("\n  SSL_CERT_FILE has to name a file of certificates in PEM form\n")
