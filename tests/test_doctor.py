"""The doctor: each check finds its trouble, and says the way out."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from socket import socket

import pytest

from reconciler.cli import run
from reconciler.doctor import Facts, checks
from reconciler.emulator import Portal as Embedded
from reconciler.emulator import serve
from reconciler.settings import Portal, Settings

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
PORTAL = Portal("production", portal_id=7, token_env="TOKEN", api_version="2026-09")
READ_AND_WRITE = ("crm.schemas.contacts.read", "crm.schemas.contacts.write")
WELL = Facts(
    python=(3, 11, 7),
    fast_yaml=True,
    settings=Settings({"production": PORTAL}),
    portal=PORTAL,
    token_set=True,
    spec_errors=0,
    object_types=("contacts",),
    pairs=(),
    baseline=True,
    now=NOW,
    account={"portalId": 7, "accountType": "STANDARD", "dataHostingLocation": "eu1", "timeZone": "UTC"},
    scopes=(*READ_AND_WRITE, "oauth"),
    limits={"overallLimit": 1000, "overallUsage": 10, "byObjectType": []},
    headers={
        "date": "Thu, 26 Nov 2026 12:00:30 GMT",
        "x-hubspot-ratelimit-max": "190",
        "x-hubspot-ratelimit-remaining": "188",
        "x-hubspot-ratelimit-interval-milliseconds": "10000",
    },
)


def test_a_healthy_setup_has_nothing_to_mend():
    """Every check passes, and says what it saw."""
    found = checks(WELL)

    assert {one.status for one in found} == {"ok"}
    said = {one.name: one.message for one in found}
    assert said["portal"] == "portal 7, standard account in eu1, time zone UTC"
    assert said["budget"] == "190 requests in 10 s, 188 left now"
    assert said["limits"] == "10 of 1,000 custom properties in all"
    assert said["api-version"] == "API version 2026-09 is supported until 2028-03-31"


@pytest.mark.parametrize(
    ("facts", "name", "status", "message"),
    [
        ({"python": (3, 10, 1)}, "python", "error", "Python 3.10.1 is too old"),
        ({"fast_yaml": False}, "yaml", "warning", "read ten times slower"),
        ({"spec_errors": 2}, "specs", "error", "the specs have 2 errors"),
        ({"spec_errors": None}, "specs", "warning", "there are no specs yet"),
        ({"baseline": False}, "baseline", "warning", "there is no baseline yet"),
        ({"token_set": False}, "token", "error", "TOKEN is not set"),
        ({"trouble": "no answer"}, "portal", "error", "no answer"),
        ({"account": {"portalId": 8}}, "portal", "error", "the token is for portal 8, and the settings say 7"),
        ({"scopes": None}, "scopes", "unknown", "cannot be asked for"),
        ({"scopes": READ_AND_WRITE[:1]}, "scopes", "error", "apply lacks a scope for definitions of contacts"),
        ({"scopes": (*READ_AND_WRITE, "forms")}, "scopes", "warning", "more than any command needs: forms"),
        (
            {"pairs": [("deals", "companies")]},
            "scopes",
            "error",
            "plan lacks a scope for association labels of companies",
        ),
        ({"limits": None}, "limits", "unknown", "the limits cannot be read"),
        ({"limits": {"overallLimit": 10, "overallUsage": 9}}, "limits", "warning", "custom properties in all: 9 of 10"),
        ({"headers": {}}, "budget", "unknown", "no answer told the request budget"),
        ({"headers": {"date": "Thu, 26 Nov 2026 12:09:00 GMT"}}, "clock", "warning", "9 minutes off"),
        ({"headers": {"date": "Thu, 26 Nov 2026 12:09:00 -0000"}}, "clock", "warning", "9 minutes off"),
        ({"headers": {"date": "yesterday"}}, "clock", "unknown", "no answer told the time"),
        ({"portal": PORTAL._replace(api_version="v3")}, "api-version", "warning", "supported until 2027-03-30 only"),
        ({"now": datetime(2028, 4, 1, tzinfo=UTC)}, "api-version", "error", "was supported until 2028-03-31"),
    ],
)
def test_each_trouble_is_found(facts, name, status, message):
    """What is wrong has its status, and, unless nothing is known, a way out."""
    found = [one for one in checks(replace(WELL, **facts)) if one.name == name and one.status == status]

    assert any(message in one.message for one in found), checks(replace(WELL, **facts))
    assert all(one.fix or one.status == "unknown" for one in found)


def test_an_interval_that_is_no_number_is_hubspots_usual_one():
    """Headers that a proxy rewrote end no check-up."""
    headers = {"x-hubspot-ratelimit-max": "100", "x-hubspot-ratelimit-interval-milliseconds": "soon"}

    said = {one.name: one.message for one in checks(replace(WELL, headers=headers))}

    assert said["budget"] == "100 requests in 10 s, ? left now"


def test_the_embedded_portal_is_well(tmp_path, monkeypatch, capsys):
    """`doctor` after `init` finds nothing wrong but what the next step mends, and exits with 0."""
    monkeypatch.chdir(tmp_path)
    assert run(["init", "-q"]) == 0
    capsys.readouterr()

    assert run(["doctor"]) == 0

    text = capsys.readouterr().out
    assert "  ✓ portal " in text
    assert [line.split()[:2] for line in text.splitlines() if line.startswith(("  !", "  ✗"))] == [["!", "baseline"]]
    assert "there is no baseline yet" in text


def test_a_missing_token_is_an_access_error_in_every_format(tmp_path, monkeypatch, capsys):
    """Exit 4, once in the text, and the same number in the document."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_SUCH_TOKEN", raising=False)
    Path("specs").mkdir()
    Path("specs/reconciler.yaml").write_text("version: 1\nportals: {p: {tokenEnv: NO_SUCH_TOKEN}}\n", "utf-8")

    assert run(["doctor"]) == 4
    assert capsys.readouterr().out.count("NO_SUCH_TOKEN is not set") == 1
    assert run(["doctor", "-o", "json"]) == 4
    document = json.loads(capsys.readouterr().out)
    assert document["exit"] == {"code": 4, "name": "access"}
    assert run(["doctor", "-o", "markdown"]) == 4
    assert "| error | `token` | NO\\_SUCH\\_TOKEN is not set |" in capsys.readouterr().out


def test_settings_without_specs_are_not_called_sound(tmp_path, monkeypatch, capsys):
    """Doctor and validate agree that there are no specs, and name a way out that works."""
    monkeypatch.chdir(tmp_path)
    assert run(["init", "-q"]) == 0
    for path in Path("specs").glob("[!r]*.yaml"):
        path.unlink()
    capsys.readouterr()

    assert run(["doctor"]) == 0
    said = capsys.readouterr().out
    assert run(["validate"]) == 3
    refused = capsys.readouterr().err

    assert "there are no specs yet, so nothing is managed" in said
    assert "fix: `reconciler import` writes them from the portal" in said
    assert refused.endswith("\n  `reconciler import` writes them from a portal\n")


@pytest.mark.parametrize(
    ("token", "refusing", "trouble"),
    [
        ("", False, "EMULATOR_TOKEN is not set"),
        ("wrong", False, "HubSpot does not accept the token (401)"),
        ("right", True, "cannot connect to http://127.0.0.1:"),
    ],
)
def test_what_nobody_was_asked_is_blamed_on_no_scope(token, refusing, trouble, tmp_path, monkeypatch, capsys):
    """Without a token, with a bad one, or with nobody there, doctor says no word of what the token may or is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMULATOR_TOKEN", token)
    portal = Embedded.seeded("empty")
    portal.state["tokens"] = {"right": {"userId": "1"}}
    Path("specs").mkdir()
    with serve(portal) as server, socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens there
        url = f"http://127.0.0.1:{taken.getsockname()[1]}" if refusing else server.url
        entry = f"{{baseUrl: {url}, tokenEnv: EMULATOR_TOKEN}}"
        Path("specs/reconciler.yaml").write_text(
            f"version: 1\nretries: {{tries: 1}}\nportals: {{p: {entry}}}\n", "utf-8"
        )
        run(["doctor"])

    said = capsys.readouterr().out
    assert trouble in " ".join(said.split())  # the terminal may be narrow
    assert "? scopes       nobody could be asked what this token may do\n" in said
    assert "? limits       nobody could be asked for the limits\n" in said


def test_a_baseline_that_cannot_be_read_is_one_check_among_others(tmp_path, monkeypatch, capsys):
    """Doctor tells of it with the way out, and goes on to what comes after it."""
    monkeypatch.chdir(tmp_path)
    assert run(["init", "-q"]) == 0
    assert run(["apply", "-q", "--auto-approve"]) == 0
    Path("specs/baselines/demo/properties.contacts.json").write_text("{", "utf-8")
    capsys.readouterr()

    assert run(["doctor"]) == 3

    said = " ".join(capsys.readouterr().out.split())
    assert "✗ baseline specs/baselines/demo/properties.contacts.json is not JSON" in said
    assert "fix: restore it with `git checkout -- specs/baselines/demo/properties.contacts.json`" in said
    assert "✓ portal portal 12345678" in said
