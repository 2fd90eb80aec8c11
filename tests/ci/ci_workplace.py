"""A clone with specs and an applied portal, and the environment of a CI run in it."""

import json
import subprocess
from pathlib import Path

from host_fakes import TOKEN

from reconciler.emulator import Portal, edit

SETTINGS = (
    "version: 1\ndefaultPortal: demo\nportals: {demo: {emulator: .reconciler/demo.json}, "
    "other: {emulator: .reconciler/other.json}}\nwatch: [contacts]\n"
)
CONTACTS = """propertyGroups: {contacts: {g: {label: G}}}
properties:
  contacts:
    one: {label: One, type: string, fieldType: text, groupName: g}
    two: {label: Two, type: string, fieldType: text, groupName: g}
"""
CI_NAMES = ("GITHUB_", "CI_", "GITLAB_", "BITBUCKET_", "SYSTEM_", "BUILD_", "TF_BUILD", "GH_TOKEN", "RECONCILER_")
IGNORED = ".reconciler/\n*.json\n!specs/**/*.json\n*.md\n*.txt\n"


FORBIDDEN = {
    "kind": "forbidden",
    "method": "GET",
    "nth": 1,
    "count": 0,
    "probability": 1.0,
    "seed": 0,
    "when": "before",
    "status": 403,
    "policyName": "",
    "retryAfter": None,
    "delay": 0.0,
}


class Workplace:
    """What a test does in it."""

    def __init__(self, monkeypatch):
        self.monkeypatch = monkeypatch
        self.url = ""

    def git(self, *words):
        done = subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *words], check=True, capture_output=True
        )
        return done.stdout.decode().strip()

    def specs(self, contacts=CONTACTS):
        Path("specs/contacts.yaml").write_text(contacts, "utf-8")

    def edit(self, **wanted):
        """Somebody edits a property in HubSpot."""
        edit(Portal.open(".reconciler/demo.json"), "relabel", object="contacts", **wanted)

    def forbid(self, path):
        """From now on HubSpot answers reads of a path with 403."""
        portal = Portal.open(".reconciler/demo.json")
        portal.state["faults"].append({**FORBIDDEN, "path": path, "seen": 0})
        portal.save()

    def environ(self, **values):
        for name, value in values.items():
            self.monkeypatch.setenv(name, value)

    def on_github(self, number=7, head="a1", base="", fork=False):
        """A run of a pull request, or without a number of the main branch."""
        owner = "stranger/crm" if fork else "acme/crm"
        pull = {"number": number, "head": {"sha": head, "repo": {"full_name": owner}}, "base": {"sha": base}}
        Path("event.json").write_text(json.dumps({"pull_request": pull} if number else {}), "utf-8")
        self.environ(
            GITHUB_ACTIONS="true",
            GITHUB_API_URL=self.url,
            GITHUB_REPOSITORY="acme/crm",
            GITHUB_SHA=head,
            GITHUB_REF=f"refs/pull/{number}/merge" if number else "refs/heads/main",
            GITHUB_RUN_ID="42",
            GITHUB_EVENT_PATH="event.json",
            GITHUB_STEP_SUMMARY="summary.md",
            GITHUB_OUTPUT="outputs.txt",
            GITHUB_TOKEN=TOKEN,
        )

    def outputs(self):
        return dict(line.split("=", 1) for line in Path("outputs.txt").read_text("utf-8").splitlines())
