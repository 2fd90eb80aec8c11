"""A user's directory beside a portal, and the commands typed in it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from reconciler.cli import run
from reconciler.emulator import Portal, create_app

STATE = Path(".reconciler/portal.json")
SETTINGS = "version: 1\nportals: {here: %s}\nwatch: [contacts, companies]\n"
TOKEN = "pat-na1-11111111-2222-3333-4444-555555555555"
MACHINE = {
    "name": "machine",
    "labels": {"singular": "Machine", "plural": "Machines"},
    "primaryDisplayProperty": "serial",
    "properties": [{"name": "serial", "label": "Serial", "type": "string", "fieldType": "text"}],
}


class Desk:
    """Specs in the working directory, about an embedded portal or one that is served over loopback."""

    def __init__(self, capsys: Any, portal: str = f"{{emulator: {STATE}}}") -> None:
        self.capsys = capsys
        Path("specs").mkdir(exist_ok=True)
        Path("specs/reconciler.yaml").write_text(SETTINGS % portal, "utf-8")

    def says(self, text: str, file: str = "specs.yaml") -> None:
        """Writes a file of specs."""
        Path("specs", file).write_text(text, "utf-8")

    def types(self, *words: str) -> tuple[int, dict[str, Any]]:
        """The exit code and the document of a command."""
        code, out, _ = self.prints(*words, "-o", "json")
        return code, json.loads(out)

    def prints(self, *words: str) -> tuple[int, str, str]:
        """The exit code of a command, and what stands on stdout and on stderr."""
        self.capsys.readouterr()
        code = run([*words, "--color", "never"])
        told = self.capsys.readouterr()
        return code, told.out, told.err


def embedded(prepare: Callable[[Portal], None] | None = None, seed: str = "empty") -> None:
    """A new embedded portal, changed before anybody looks."""
    portal = Portal.seeded(seed)
    portal.path = STATE
    STATE.parent.mkdir(exist_ok=True)
    if prepare:
        prepare(portal)
    portal.save()


def with_machines(portal: Portal) -> None:
    """Gives a portal a custom object."""
    http = httpx.Client(transport=httpx.WSGITransport(create_app(portal)), base_url="http://portal.test")
    token = next(iter(portal.state["tokens"]), "any")
    http.post(
        "/crm-object-schemas/v3/schemas", json=MACHINE, headers={"Authorization": f"Bearer {token}"}
    ).raise_for_status()


def told(document: dict[str, Any]) -> list[str]:
    """What a plan would do, as ``action address``."""
    return sorted(f"{change['action']} {change['address']}" for change in document["changes"])


def walk(desk: Desk, spec: str, expected: list[str], *, by_file: bool = False) -> None:
    """One chapter: the plan is this, the apply does it, and afterwards nothing is left to do and nothing moved."""
    desk.says(spec)
    code, plan = desk.types("plan", "--detailed-exitcode", "-o", "json:plan.json")
    assert (told(plan), plan["errors"]) == (expected, [])
    writes = [change for change in plan["changes"] if change["action"] not in ("adopt", "forget")]
    assert code == (2 if writes else 0)

    consent = [word for change in writes for address in change["destroys"] for word in ("--allow", address)]
    code, apply = desk.types("apply", *(["plan.json"] if by_file else ["--auto-approve"]), *consent)

    assert (code, apply["errors"]) == (0, [])
    assert {change["outcome"] for change in apply["changes"]} <= {"verified", "done"}
    code, again = desk.types("plan", "--detailed-exitcode")
    assert (code, told(again), again["complete"]) == (0, [], True)
    code, drift = desk.types("drift")
    assert (code, drift["items"]) == (0, [])
