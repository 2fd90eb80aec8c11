"""Stories of many runs that Hypothesis makes up: specs move, people and HubSpot move the portal, requests go wrong.

A story is a list of the steps below; when one breaks a law of the tool, Hypothesis shortens it to the steps that
matter. ``RECONCILER_EXAMPLES=10000`` tells that many stories (`.ci/nightly`), without it a few that are always the
same. Everything goes through the command line, on an embedded portal in a folder of its own.
"""

import io
import json
import os
import shutil
import tempfile
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from small_portal import GROUP, LABEL, PROPERTY, STAGE, STATE, definitions, settle_in

from reconciler.cli import run
from reconciler.emulator import Portal, edit, release
from reconciler.emulator import faults as bad_days
from reconciler.emulator.errors import ApiError

RETRIES = "retries: {tries: 2, waitSeconds: 1}\n"
TEXTS, LISTS, GROUPS, VALUES = ["memo", "score"], ["tier"], ["g", "h"], ["a", "b", "c", "d"]
TYPES = {"string": "text", "number": "number"}
FAILED_BEFORE_WRITING = {1, 3, 4, 5, 6, 8}
OUTCOMES = {"satisfied", "done", "verified", "failed", "blocked", "skipped", "unknown"}
RELEASES = ["property-added", "option-added", "mass-touch", "feature-enabled"]
FAULTS = [
    {"kind": "status", "status": 429},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503, "when": "after"},
    {"kind": "timeout"},
    {"kind": "timeout", "when": "after"},
    {"kind": "drop", "when": "after"},
    {"kind": "broken_json"},
    {"kind": "html"},
    {"kind": "forbidden"},
]

names = st.sampled_from
labels = st.sampled_from(["One", "Two", "Three"])


def lost(before, after):
    """Addresses of what is in one portal and not in the other any more, or is of another type."""
    gone = {
        address
        for address in before
        if address not in after or before[address].get("type") != after[address].get("type")
    }
    for address in before.keys() & after.keys():
        options = before[address].get("options", {}).keys() - after[address].get("options", {}).keys()
        gone |= {f"{address}/options/{value}" for value in options}
    return gone


def changed(before, after):
    """Addresses that are not in both portals alike."""
    return {address for address in before.keys() | after.keys() if before.get(address) != after.get(address)}


class Stories(RuleBasedStateMachine):
    """One portal and one directory of specs, over many runs."""

    def __init__(self):
        super().__init__()
        self.home = os.getcwd()
        self.folder = tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        os.chdir(self.folder)
        settle_in(RETRIES)
        self.groups, self.properties, self.stages, self.texts = {"g": "G"}, {}, {}, {}
        self.removed, self.saved, self.troubled = set(), None, False

    def teardown(self):
        os.chdir(self.home)
        shutil.rmtree(self.folder)

    # --- the specs ---------------------------------------------------------------------------------------------------

    def write_specs(self):
        spec = {"propertyGroups": {"contacts": {name: {"label": label} for name, label in self.groups.items()}}}
        if self.properties:
            spec["properties"] = {"contacts": self.properties}
        if self.stages:
            spec["lifecycleStages"] = [{"name": name, "label": label} for name, label in self.stages.items()]
        if self.texts:
            spec["associationLabels"] = {"contacts": {"companies": self.texts}}
        if self.removed:
            spec["removed"] = [{"address": address, "reason": "gone"} for address in sorted(self.removed)]
        Path("specs/spec.yaml").write_text(json.dumps(spec, indent=1), "utf-8")

    @initialize()
    def begin(self):
        self.write_specs()

    def declare(self, name, entry):
        address = PROPERTY.format(name)
        self.properties[name] = {**entry, "groupName": "g"}
        self.removed = {one for one in self.removed if one != address}
        options = entry.get("options", [])
        exact = isinstance(options, dict)
        values = {option["value"] for option in (options["values"] if exact else options)}
        here = {one for one in self.removed if one.startswith(f"{address}/")}
        self.removed -= here if exact else {one for one in here if one.rpartition("/")[2] in values}
        self.write_specs()

    @rule(name=names(TEXTS), label=labels, type=names(["string", "string", "number"]), words=names(["", "x", None]))
    def declare_text(self, name, label, type, words):
        entry = {"label": label, "type": type, "fieldType": TYPES[type]}
        self.declare(name, entry if words == "" else {**entry, "description": words})

    @rule(
        name=names(LISTS),
        label=labels,
        values=st.lists(names(VALUES), min_size=1, max_size=4, unique=True),
        suffix=names(["", "!"]),
        exact=names([False, False, True]),
    )
    def declare_list(self, name, label, values, suffix, exact):
        options = [{"value": value, "label": value + suffix} for value in values]
        whole = {"exact": True, "values": options} if exact else options
        self.declare(name, {"label": label, "type": "enumeration", "fieldType": "select", "options": whole})

    @rule(name=names(TEXTS + LISTS), tombstone=st.booleans())
    def take_out(self, name, tombstone):
        self.properties.pop(name, None)
        if tombstone:
            self.removed = {one for one in self.removed if not one.startswith(PROPERTY.format(name) + "/")}
            self.removed.add(PROPERTY.format(name))
        self.write_specs()

    @rule(name=names(LISTS), value=names(VALUES))
    def take_out_an_option(self, name, value):
        entry = self.properties.get(name)
        if entry and PROPERTY.format(name) not in self.removed and isinstance(entry["options"], list):
            left = [option for option in entry["options"] if option["value"] != value]
            if left:
                entry["options"] = left
                self.removed.add(PROPERTY.format(name) + f"/options/{value}")
                self.write_specs()

    @rule(name=names(["trial", "pilot"]), label=names(["Trial", "Pilot", "Lead", None]), first=st.booleans())
    def declare_a_stage(self, name, label, first):
        self.stages.pop(name, None)
        self.removed.discard(STAGE.format(name))
        if label is None:
            self.removed.add(STAGE.format(name))
        else:
            self.stages = {name: label, **self.stages} if first else {**self.stages, name: label}
        self.write_specs()

    @rule(label=names(["Pays", "Owes", None]), inverse=names(["Paid by", "Owed by"]))
    def declare_a_label(self, label, inverse):
        self.texts, address = {}, LABEL.format("payer")
        self.removed.discard(address)
        if label is None:
            self.removed.add(address)
        else:
            self.texts["payer"] = {"label": label, "inverseLabel": inverse}
        self.write_specs()

    @rule(label=names(["H", "Hh", None]))
    def declare_a_group(self, label):
        self.groups.pop("h", None)
        self.removed.discard(GROUP.format("h"))
        if label is None:
            self.removed.add(GROUP.format("h"))
        else:
            self.groups["h"] = label
        self.write_specs()

    # --- the portal moves --------------------------------------------------------------------------------------------

    def outside(self, play, *words, **more):
        portal = Portal.open(STATE)
        portal.state["stale"].clear()  # lists lag behind our own writes; nobody could plan around unseen edits
        with suppress(ApiError, KeyError):  # there may be no such thing at the moment
            play(portal, *words, **more)

    @rule(name=names(TEXTS + LISTS), label=labels)
    def somebody_relabels(self, name, label):
        self.outside(edit, "relabel", object="contacts", property=name, label=label)

    @rule(name=names(TEXTS + LISTS), group=names(GROUPS))
    def somebody_moves(self, name, group):
        self.outside(edit, "move", object="contacts", property=name, group=group)

    @rule(name=names(LISTS), value=names(VALUES), how=names(["add-option", "remove-option", "relabel-option"]))
    def somebody_changes_options(self, name, value, how):
        live = definitions(STATE.read_text("utf-8")).get(PROPERTY.format(name), {}).get("options", {})
        more = {"add-option": {"label": "Theirs"}, "relabel-option": {"label": "Theirs"}}.get(how, {})
        if (value in live) != (how == "add-option"):
            self.outside(edit, how, object="contacts", property=name, value=value, **more)

    @rule(name=names(LISTS), values=st.permutations(VALUES))
    def somebody_reorders_options(self, name, values):
        self.outside(edit, "reorder-options", object="contacts", property=name, values=values)

    @rule(name=names(TEXTS + LISTS), how=names(["archive", "restore", "purge"]))
    def somebody_archives(self, name, how):
        self.outside(edit, how, object="contacts", property=name)

    @rule(name=names(TEXTS), label=labels)
    def somebody_creates(self, name, label):
        if PROPERTY.format(name) not in definitions(STATE.read_text("utf-8")):
            made = {"name": name, "label": label, "type": "string", "fieldType": "text", "groupName": "g"}
            self.outside(edit, "create-group", object="contacts", group="g", label="G")
            self.outside(edit, "create", object="contacts", definition=made)

    @rule(
        how=names(["rename-stage", "delete-stage", "move-stage"]),
        which=st.integers(0, 2),
        label=names(["Trial", "Odd"]),
    )
    def somebody_changes_a_stage(self, how, which, label):
        live = [address for address in definitions(STATE.read_text("utf-8")) if address.startswith("lifecycleStages")]
        own = [address for address in live if address.rpartition("/")[2].isdigit()]
        if which < len(own):
            more = {"rename-stage": {"label": label}, "move-stage": {"at": which}}.get(how, {})
            self.outside(edit, how, stage=own[which].rpartition("/")[2], **more)

    @rule(label=names(["Pays", "Owes"]), how=names(["rename-label", "delete-label"]))
    def somebody_changes_the_label(self, label, how):
        more = {"text": "Theirs", "inverse": "Of theirs"} if how == "rename-label" else {}
        self.outside(edit, how, start="contacts", end="companies", label=label, **more)

    @rule(name=names(RELEASES))
    def hubspot_releases(self, name):
        self.outside(release, name)

    @rule(
        rules=names(FAULTS), nth=st.integers(1, 12), count=st.integers(0, 3), method=names([".*", "GET", "P.*|DELETE"])
    )
    def requests_go_wrong(self, rules, nth, count, method):
        portal = Portal.open(STATE)
        bad_days.add(portal, **rules, nth=nth, count=count, method=method)
        portal.save()
        self.troubled = True

    @rule(lists=st.integers(1, 2))
    def reads_lag(self, lists):
        portal = Portal.open(STATE)
        portal.switches["staleReads"] = lists
        portal.save()

    # --- runs --------------------------------------------------------------------------------------------------------

    def told(self, *words):
        """The exit code and the document of one command."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run([*words, "-q", "-o", "json"])
        document = json.loads(out.getvalue())
        assert code != 1, err.getvalue()
        assert document["exit"]["code"] == code
        return code, document

    def reads(self, *words):
        """A command that writes nothing to the portal, whatever happens."""
        before = STATE.read_bytes()
        code, document = self.told(*words)
        assert STATE.read_bytes() == before
        assert code in {0, 2, 3, 5, 6} | ({4, 8} if self.troubled else set())
        return code, document

    def calm(self):
        """Bad days end with the command that met them."""
        if self.troubled:
            portal = Portal.open(STATE)
            bad_days.clear(portal)
            portal.save()
            self.troubled = False

    def planned(self, *words):
        """A plan: nothing is destroyed without a line for it, and what could not be read is not taken for absent."""
        code, document = self.reads("plan", *words)
        live = definitions(STATE.read_text("utf-8"))
        for change in document.get("changes", ()):
            assert set(change["destroys"]) <= self.justified(change["destroys"]), change
            if not change["address"].startswith("lifecycleStages"):
                assert change["action"] not in ("create", "restore") or change["address"] not in live
                assert change["action"] != "archive" or change["address"] in live
        return code, document

    def justified(self, addresses):
        """Of these destructions, those that the specs ask for."""
        found = set()
        for address in addresses:
            entry = self.properties.get(address.split("/")[2] if address.startswith("properties/") else "", {})
            exact = isinstance(entry.get("options"), dict) and "/options/" in address
            retyped = "type" in entry and "/options/" not in address
            if address in self.removed or exact or retyped:
                found.add(address)
        return found

    def applied(self, justified, allowed, *words):
        """An apply: what it destroys was asked for and allowed, and what it writes is in its document."""
        before = STATE.read_bytes()
        code, document = self.told("apply", *words)
        after = STATE.read_bytes()
        if code in FAILED_BEFORE_WRITING:
            assert after == before, document
        was, now = definitions(before), definitions(after)
        gone = {address for address in lost(was, now) if not address.startswith("lifecycleStages")}
        assert gone <= justified & allowed, (gone, justified, allowed)
        applied = [change for change in document.get("changes", ()) if "outcome" in change]  # a run may end at its plan
        outcomes = {change["address"]: change["outcome"] for change in applied}
        assert set(outcomes.values()) <= OUTCOMES
        assert len(outcomes) == len(applied)
        moved = {address for address in changed(was, now) if not address.startswith("lifecycleStages")}
        assert moved <= {
            address for address, word in outcomes.items() if word not in ("satisfied", "blocked", "skipped")
        }
        self.only_planned_fields(was, now, document)
        self.calm()
        return code, document

    def only_planned_fields(self, was, now, document):
        """Of what is there before and after, nothing moved but the planned fields."""
        fields = {}
        for change in document.get("changes", ()):
            live_ids = change.get("remote", {}).get("ids", {}).values()  # a stage goes by its name in specs
            for address in (change["address"], *map(STAGE.format, live_ids)):
                fields[address] = {one["path"] for one in change["fields"]}
        for address in was.keys() & now.keys():
            paths = fields.get(address, set())
            for key in ("label", "type", "fieldType", "groupName", "description"):
                assert was[address].get(key) == now[address].get(key) or key in paths, (address, key)
            old, new = was[address].get("options", {}), now[address].get("options", {})
            touched = {path.split("/")[1] for path in paths if path.startswith("options/")}
            for value in old.keys() | new.keys() if "options" not in paths and "type" not in paths else ():
                same = {k: v for k, v in old.get(value, {}).items() if k != "displayOrder"} == {
                    k: v for k, v in new.get(value, {}).items() if k != "displayOrder"
                }
                assert same or value in touched, (address, value)

    @rule(detailed=st.booleans())
    def plan(self, detailed):
        code, _ = self.planned(*(["--detailed-exitcode"] if detailed else []))
        assert code != 2 or detailed
        self.calm()

    @rule()
    def drift(self):
        self.reads("drift")
        self.calm()

    @rule(allow=st.booleans(), insist=st.booleans())
    def apply(self, allow, insist):
        words = ["--on-conflict", "spec"] if insist else []
        destroys = set()
        if allow:
            _, document = self.planned(*words)
            destroys = {address for change in document.get("changes", ()) for address in change["destroys"]}
        words += [word for address in sorted(destroys) for word in ("--allow", address)]
        before = definitions(STATE.read_bytes())
        code, document = self.applied(self.justified(destroys), destroys, "--auto-approve", *words)
        if code == 0:
            self.nothing_left_to_do(document)
        self.undoable = (before, document, definitions(STATE.read_bytes())) if code == 0 else None

    def nothing_left_to_do(self, document):
        """Right after an apply that went well, the portal is as declared and the plan is empty."""
        code, after = self.planned("--detailed-exitcode")
        assert code == 0, after["changes"]
        assert after["changes"] == []
        _, drift = self.reads("drift")
        written = {(change["address"], one["path"]) for change in document["changes"] for one in change["fields"]}
        drifted = {
            (item["address"], one["path"])
            for item in drift["items"]
            for one in item.get("fields", ())
            if not item["address"].startswith("lifecycleStages")
        }
        assert not written & drifted
        live = definitions(STATE.read_text("utf-8"))
        for address, entry in self.desired().items():
            self.as_declared(address, entry, live[address])
        assert not self.removed & (live.keys() | lost({}, live))

    def desired(self):
        found = {PROPERTY.format(name): entry for name, entry in self.properties.items()}
        found |= {GROUP.format(name): {"label": label} for name, label in self.groups.items()}
        return found | {LABEL.format(name): {"label": one["label"]} for name, one in self.texts.items()}

    def as_declared(self, address, entry, live):
        for key in entry.keys() & {"label", "type", "groupName"}:
            assert entry[key] == live[key], (address, key)
        assert entry.get("description", live.get("description")) in (live.get("description"), None), address
        options = entry.get("options", [])
        exact = isinstance(options, dict)
        options = options["values"] if exact else options
        shown = sorted(live.get("options", {}).values(), key=lambda option: option["displayOrder"])
        order = [option["value"] for option in shown]
        declared = [option["value"] for option in options]
        assert [value for value in order if value in declared] == declared, address
        assert not exact or order == declared
        assert all(live["options"][option["value"]]["label"] == option["label"] for option in options), address

    @rule(allow=st.booleans())
    def save_a_plan(self, allow):
        _, document = self.planned()
        destroys = {address for change in document.get("changes", ()) for address in change["destroys"]}
        if allow and destroys:
            _, document = self.planned(*(word for address in sorted(destroys) for word in ("--allow", address)))
        self.calm()
        if "digest" in document:
            Path("plan.json").write_text(json.dumps(document), "utf-8")
            self.saved = (document, self.justified(destroys), destroys if allow else set())

    @precondition(lambda self: self.saved)
    @rule()
    def apply_the_saved_plan(self):
        plan, justified, allowed = self.saved
        code, document = self.applied(justified, allowed, "plan.json")
        if code == 0:
            live = definitions(STATE.read_text("utf-8"))
            for change in plan["changes"]:
                for one in change["fields"]:
                    if one["path"] in ("label", "groupName", "type") and change["address"] in live and "after" in one:
                        assert live[change["address"]][one["path"]] == one["after"]
            assert document["digest"] == plan["digest"]

    @precondition(lambda self: getattr(self, "undoable", None))
    @rule()
    def undo(self):
        before, document, after = self.undoable
        receipts = sorted(Path(".reconciler/receipts/demo").glob("*.jsonl"))
        touched = {change["address"] for change in document["changes"] if change["outcome"] != "satisfied"}
        touched -= changed(after, definitions(STATE.read_bytes()))  # by somebody else, meanwhile
        if not receipts or not document.get("receipt"):
            return
        self.undoable = None
        where = str(receipts[-1].with_name(document["receipt"]))
        _, back = self.reads("plan", "--inverse", where)
        destroys = {address for change in back.get("changes", ()) for address in change["destroys"]}
        if "digest" not in back or self.troubled:
            return
        allow = [word for address in sorted(destroys) for word in ("--allow", address)]
        _, back = self.reads("plan", "--inverse", where, *allow)
        Path("back.json").write_text(json.dumps(back), "utf-8")
        code, _ = self.applied(destroys, destroys, "back.json")
        partial = {finding.get("address") for finding in back["findings"] if finding["rule"].startswith("inverse")}
        live = definitions(STATE.read_text("utf-8"))
        if code == 0:
            for address in touched - partial:
                if not address.startswith("lifecycleStages"):
                    self.is_back(before.get(address), live.get(address), address)

    def is_back(self, before, now, address):
        assert (before is None) == (now is None), address
        for key in ("label", "type", "groupName", "inverse"):
            assert before is None or before.get(key) == now.get(key), (address, key)
        assert before is None or before.get("options", {}).keys() == now.get("options", {}).keys(), address

    @rule()
    def accept(self):
        before = STATE.read_bytes()
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(out):
            code = run(["accept", "--all", "--reason", "seen", "-q"])
        assert STATE.read_bytes() == before
        assert code in {0, 3} | ({4, 8} if self.troubled else set()), out.getvalue()
        troubled = self.troubled
        self.calm()
        if code == 0 and not troubled:
            code, document = self.reads("drift")
            assert code == 0, document["items"]

    @rule()
    def lose_the_baseline(self):
        self.calm()
        _, before = self.planned()
        shutil.rmtree("specs/baselines", ignore_errors=True)
        _, after = self.planned()
        destroys = [{a for change in one.get("changes", ()) for a in change["destroys"]} for one in (before, after)]
        assert destroys[1] <= destroys[0]


EXAMPLES = int(os.environ.get("RECONCILER_EXAMPLES", "12"))


def test_every_story_keeps_the_laws(monkeypatch):
    """Whatever happens in whatever order: nothing is destroyed unasked, reads write nothing, an apply converges."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # waiting costs nothing in a portal of one's own
    monkeypatch.delenv("RECONCILER_SPECS", raising=False)
    run_state_machine_as_test(
        Stories,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=int(os.environ.get("RECONCILER_STEPS", "8")),
            derandomize="RECONCILER_EXAMPLES" not in os.environ,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
