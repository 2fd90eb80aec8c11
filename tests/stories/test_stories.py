"""Stories: each YAML file beside this one is a list of desired states, walked in order, with what each plan says."""

import re
from pathlib import Path

import pytest
import yaml
from desk import TOKEN, Desk, embedded, walk, with_machines

from reconciler.emulator import Portal, serve

HERE = Path(__file__).parent
STORIES = sorted(path.stem for path in HERE.glob("*.yaml"))


def chapters(name):
    """The specs of a story, each with what its plan says."""
    texts = (HERE / f"{name}.yaml").read_text("utf-8").split("---\n")
    return [(text, yaml.safe_load(text)["x-expect"]) for text in texts]


@pytest.mark.parametrize("name", STORIES)
def test_each_state_is_reached_and_stays(tmp_path, monkeypatch, capsys, name):
    """Plan, apply, an empty plan, no drift: from each desired state to the next."""
    monkeypatch.chdir(tmp_path)
    embedded(with_machines)
    desk = Desk(capsys)

    for number, (spec, expected) in enumerate(chapters(name)):
        walk(desk, spec, expected, by_file=number % 2 == 1)


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
def test_a_portal_over_http_is_no_other(tmp_path, monkeypatch, capsys, version):
    """With a token, over loopback, in every version of the API."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", TOKEN)
    portal = Portal.seeded("empty")
    portal.state["tokens"] = {TOKEN: {"userId": "1001"}}
    with_machines(portal)
    portal.log.clear()

    with serve(portal) as server:
        desk = Desk(capsys, f"{{portalId: 12345678, baseUrl: '{server.url}', apiVersion: {version}}}")
        for spec, expected in chapters("all-four-kinds"):
            walk(desk, spec, expected)

    asked = [entry["path"] for entry in portal.log if entry["path"].startswith("/crm")]
    versions = {re.search(r"/(v\d|\d{4}-\d\d)/", path + "/")[1] for path in asked}
    assert versions == ({"v3", "v4"} if version == "v3" else {version})
