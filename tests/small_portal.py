"""A portal with so few definitions that a run through the command line takes milliseconds."""

import json
import tempfile
from functools import cache
from pathlib import Path

from reconciler.emulator import Portal

PROPERTY, GROUP = "properties/contacts/{}", "propertyGroups/contacts/{}"
STAGE, LABEL = "lifecycleStages/{}", "associationLabels/contacts/companies/{}"
STATE = Path(".reconciler/demo.json")
KEPT = {"0-1": {"email", "lifecyclestage", "hs_lead_status"}, "0-2": {"name", "lifecyclestage"}}


@cache
def small_portal():
    """Its state file."""
    portal = Portal.seeded("empty")
    portal.state["objects"] = {type_id: portal.state["objects"][type_id] for type_id in KEPT}
    portal.state["pipelines"] = {type_id: portal.state["pipelines"][type_id] for type_id in KEPT}
    for type_id, kept in KEPT.items():
        definitions = portal.state["objects"][type_id]
        definitions["properties"] = {name: one for name, one in definitions["properties"].items() if name in kept}
        definitions["groups"] = dict(list(definitions["groups"].items())[:1])
    with tempfile.TemporaryDirectory() as scratch:
        portal.path = Path(scratch, "portal.json")
        portal.save()
        return portal.path.read_text("utf-8")


def settle_in(settings="", spec=""):
    """Puts the portal, its settings and a spec into the current folder."""
    STATE.parent.mkdir(exist_ok=True)
    STATE.write_text(small_portal(), "utf-8")
    Path("specs").mkdir(exist_ok=True)
    head = f"version: 1\nportals: {{demo: {{emulator: {STATE}}}}}\nwatch: [contacts]\n"
    Path("specs/reconciler.yaml").write_text(head + settings, "utf-8")
    Path("specs/spec.yaml").write_text(spec, "utf-8")


def definitions(text):
    """The portal's definitions by address, as far as a spec can declare them."""
    state = json.loads(text)
    contacts = state["objects"]["0-1"]
    found = {}
    for name, one in contacts["properties"].items():
        if name != "lifecyclestage":  # its options mirror the stages
            options = {option["value"]: option for option in one.get("options", ())}
            kept = ("label", "type", "fieldType", "groupName", "description")
            found[PROPERTY.format(name)] = {**{key: one.get(key) for key in kept}, "options": options}
    for name, one in contacts["groups"].items():
        found[GROUP.format(name)] = {"label": one["label"]}
    for one in state["pipelines"]["0-1"]["contacts-lifecycle-pipeline"]["stages"]:
        found[STAGE.format(one["id"])] = {"label": one["label"]}
    for one in state["labels"]:
        found[LABEL.format(one["name"])] = {"label": one["label"], "inverse": one.get("inverseLabel")}
    return found
