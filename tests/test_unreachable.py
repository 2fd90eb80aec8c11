"""A portal that is not there: whoever asks for anything of it is told what to look at."""

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
