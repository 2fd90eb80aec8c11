import json
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import baseline as baselines
from reconciler.address import join
from reconciler.baseline import Baseline
from reconciler.errors import UsageError
from reconciler.kinds.properties import canonical
from reconciler.model import Resource, Snapshot

PLAN_TIER = {
    "name": "cs_plan_tier",
    "label": "Plan tier",
    "type": "enumeration",
    "fieldType": "select",
    "groupName": "customer_success",
    "description": "",
    "displayOrder": -1,
    "hidden": False,
    "formField": False,
    "hasUniqueValue": False,
    "externalOptions": False,
    "options": [
        {"value": "gold", "label": "Gold", "displayOrder": 1, "hidden": True, "description": "the best"},
        {"value": "free", "label": "Free", "displayOrder": 0, "hidden": False},
    ],
    "createdAt": "2025-01-02T03:04:05.678Z",
    "updatedAt": "2025-02-03T04:05:06.789Z",
    "createdUserId": "9001",
    "updatedUserId": "9002",
    "archived": False,
    "calculated": False,
    "modificationMetadata": {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False},
}
FILE = """\
{
  "collections": [
    "properties/contacts"
  ],
  "definitions": {
    "cs_plan_tier": {
      "description": "",
      "displayOrder": -1,
      "externalOptions": false,
      "facts": {
        "archived": false,
        "calculated": false,
        "createdAt": "2025-01-02T03:04:05.678Z",
        "createdUserId": "9001",
        "modificationMetadata": {"archivable": true, "readOnlyDefinition": false, "readOnlyValue": false},
        "updatedAt": "2025-02-03T04:05:06.789Z",
        "updatedUserId": "9002"
      },
      "fieldType": "select",
      "formField": false,
      "groupName": "customer_success",
      "hasUniqueValue": false,
      "hidden": false,
      "label": "Plan tier",
      "options": [
        {"label": "Free", "value": "free"},
        {"description": "the best", "hidden": true, "label": "Gold", "value": "gold"}
      ],
      "type": "enumeration"
    }
  },
  "formatVersion": "1.0",
  "kind": "properties",
  "managed": [
    "cs_plan_tier"
  ],
  "portalId": 1234567,
  "scope": [
    "contacts"
  ]
}
"""


def prop(name, object_type="contacts", **raw):
    raw = {**PLAN_TIER, "name": name, **raw}
    return Resource("properties", join("properties", object_type, name), canonical(raw), raw)


def stage(name, position, number):
    here = {"label": name.title(), "position": position}
    raw = {"id": number, "label": name.title(), "displayOrder": position, "metadata": {"isClosed": "false"}}
    facts = {"ids": {"contacts": number}, "stages": {"contacts": {**raw, "writePermissions": "READ_ONLY"}}}
    return Resource("lifecycleStages", f"lifecycleStages/{name}", {"contacts": here}, facts)


def recorded(*resources, portal_id=None, **more):
    observed = Snapshot(resources)
    return baselines.moved(None, observed, list(observed), **more)._replace(portal_id=portal_id)


def test_a_file_reads_as_a_history(tmp_path):
    """Keys are sorted, a definition is a block, and an option is a line, in display order."""
    one = recorded(
        prop("cs_plan_tier"),
        managed=frozenset({"properties/contacts/cs_plan_tier"}),
        collections=["properties/contacts"],
        portal_id=1234567,
    )

    baselines.save(tmp_path, one)

    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"properties.contacts.json": FILE}


def test_a_loaded_definition_looks_like_an_observed_one(tmp_path):
    """What drift and the kinds read of an observed property is there after loading, in the same order."""
    baselines.save(tmp_path, recorded(prop("cs_plan_tier")))

    loaded = baselines.load(tmp_path).snapshot["properties/contacts/cs_plan_tier"]

    observed = prop("cs_plan_tier")
    assert loaded.attributes == observed.attributes
    assert json.dumps(loaded.attributes["options"]) == json.dumps(observed.attributes["options"])
    assert loaded.facts["modificationMetadata"] == PLAN_TIER["modificationMetadata"]
    assert loaded.facts["updatedUserId"] == "9002"


def test_files_are_named_by_kind_and_object_type(tmp_path):
    """One file per kind and object type, one for the lifecycle that contacts and companies share."""
    label = Resource(
        "associationLabels",
        "associationLabels/contacts/companies/billing",
        {"label": "Billing", "inverseLabel": "Billed"},
        {"typeIds": [1, 2], "name": "billing", "category": "USER_DEFINED", "portal": "no"},
    )
    group = Resource("propertyGroups", "propertyGroups/deals/sales", {"label": "Sales", "displayOrder": 3}, {"x": 1})

    baselines.save(
        tmp_path,
        recorded(
            prop("a"),
            prop("b", "p1_car"),
            stage("trial", 1, "77"),
            label,
            group,
            collections=["lifecycleStages/contacts"],
        ),
    )

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "associationLabels.contacts.companies.json",
        "lifecycleStages.json",
        "properties.contacts.json",
        "properties.p1_car.json",
        "propertyGroups.deals.json",
    ]
    loaded = baselines.load(tmp_path)
    assert loaded.collections == {"lifecycleStages/contacts"}
    assert loaded.snapshot[label.address].facts == {"typeIds": [1, 2], "name": "billing", "category": "USER_DEFINED"}
    assert loaded.snapshot["lifecycleStages/trial"].facts == {
        "ids": {"contacts": "77"},
        "stages": {"contacts": {"id": "77", "metadata": {"isClosed": "false"}}},
    }
    assert loaded.snapshot[group.address].facts == {}


def test_only_files_that_change_are_written(tmp_path):
    """An unchanged file keeps its time; one that became empty is removed; nothing else in the directory is touched."""
    (tmp_path / "README").write_text("ours")
    baselines.save(tmp_path, recorded(prop("a"), prop("b", "deals"), prop("c", "tickets")))
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    known = baselines.load(tmp_path)

    observed = Snapshot([prop("a", label="Other"), prop("b", "deals", label="Not taken")])
    baselines.save(tmp_path, baselines.moved(known, observed, ["properties/contacts/a", "properties/tickets/c"]))

    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert sorted(after) == ["README", "properties.contacts.json", "properties.deals.json"]
    assert [name for name in after if after[name] != before[name]] == ["properties.contacts.json"]


def test_a_collection_recorded_whole_may_be_empty(tmp_path):
    """That a list was empty is knowledge, and is kept."""
    baselines.save(tmp_path, recorded(collections=["associationLabels/contacts/deals"]))

    assert baselines.load(tmp_path).collections == {"associationLabels/contacts/deals"}


def test_no_baseline_is_none(tmp_path):
    """A directory that is not there, or holds no file of a baseline, is no baseline."""
    assert baselines.load(tmp_path / "nothing") is None
    assert baselines.load(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("<<<<<<< HEAD\n{}\n=======", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("\xff".encode("latin-1"), "is not JSON"),
        ("[]", "is not a baseline"),
        ('{"formatVersion": 1}', "is not a baseline"),
        ('{"formatVersion": "2.0"}', "has format 2.0; this version reads 1.0"),
        (FILE.replace('"definitions"', '"definition"'), "is not a baseline"),
        (FILE.replace('"facts": {', '"fact": {'), "is not a baseline"),
        (FILE.replace('"value": "gold"', '"valve": "gold"'), "is not a baseline"),
        (FILE.replace('"scope": [\n    "contacts"', '"scope": [\n    "deals"'), "properties.deals.json"),
    ],
)
def test_a_file_that_cannot_be_used_says_which_and_the_way_out(tmp_path, text, message):
    """Broken, foreign and newer files are named, with what to do."""
    path = tmp_path / "properties.contacts.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(UsageError) as caught:
        baselines.load(tmp_path)

    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert caught.value.where == str(path)
    assert caught.value.hint


def test_a_newer_minor_version_is_read(tmp_path):
    """Minor versions add; what this version does not know is ignored."""
    newer = FILE.replace('"formatVersion": "1.0"', '"formatVersion": "1.7",\n  "note": "new"')
    (tmp_path / "properties.contacts.json").write_text(newer)

    assert list(baselines.load(tmp_path).snapshot) == ["properties/contacts/cs_plan_tier"]


def test_files_of_two_portals_are_refused(tmp_path):
    """A file that was copied from the baseline of another portal is not believed."""
    baselines.save(tmp_path, recorded(prop("a"), portal_id=1))
    other = tmp_path / "other"
    baselines.save(other, recorded(prop("a", "deals"), portal_id=2))
    (other / "properties.deals.json").rename(tmp_path / "properties.deals.json")

    with pytest.raises(UsageError, match="different portals"):
        baselines.load(tmp_path)


def test_moving_takes_these_addresses_and_no_others():
    """Taken ones are as observed now, absent ones are dropped, the rest stays as it was accepted."""
    known = recorded(prop("a"), prop("b"), prop("gone"), managed=frozenset({"properties/contacts/a"}))
    observed = Snapshot([prop("a", label="New"), prop("b", label="Not accepted"), prop("c")])

    moved = baselines.moved(known, observed, [f"properties/contacts/{name}" for name in ("a", "c", "gone")])

    labels = {one.name: one.attributes["label"] for one in moved.snapshot.values()}
    assert labels == {"a": "New", "b": "Plan tier", "c": "Plan tier"}
    assert moved.managed == {"properties/contacts/a"}


def test_both_forms_of_a_formula_are_kept():
    """What was declared stays beside HubSpot's canonical form until that form changes."""
    address = "properties/contacts/f"
    first = baselines.moved(
        None,
        Snapshot([prop("f", calculationFormula="a + b")]),
        [address],
        declared_formulas={address: "A+b"},
    )
    same = baselines.moved(first, Snapshot([prop("f", calculationFormula="a + b", label="New")]), [address])
    other = baselines.moved(first, Snapshot([prop("f", calculationFormula="a + c")]), [address])

    assert first.snapshot[address].facts["declaredFormula"] == "A+b"
    assert same.snapshot[address].facts["declaredFormula"] == "A+b"
    assert "declaredFormula" not in other.snapshot[address].facts


def test_a_moved_stage_renumbers_the_others_and_accepts_nothing_of_them():
    """Positions follow from the whole list, so the untouched stages keep their order and their old labels."""
    known = recorded(stage("lead", 0, "1"), stage("trial", 1, "2"), stage("customer", 2, "3"))
    renamed = stage("trial", 2, "2")
    renamed.attributes["contacts"]["label"] = "Not accepted"
    observed = Snapshot([stage("lead", 0, "1"), stage("demo", 1, "9"), renamed, stage("customer", 3, "3")])

    moved = baselines.moved(known, observed, ["lifecycleStages/demo"])

    assert {one.name: one.attributes["contacts"] for one in moved.snapshot.values()} == {
        "lead": {"label": "Lead", "position": 0},
        "trial": {"label": "Trial", "position": 2},
        "customer": {"label": "Customer", "position": 3},
        "demo": {"label": "Demo", "position": 1},
    }


def test_a_pending_reorder_is_not_accepted_with_another_stage():
    """Where the others changed places, their known order stays, so that drift still tells it."""
    known = recorded(stage("lead", 0, "1"), stage("trial", 1, "2"))
    observed = Snapshot([stage("demo", 0, "9"), stage("trial", 1, "2"), stage("lead", 2, "1")])

    moved = baselines.moved(known, observed, ["lifecycleStages/demo"])

    places = {one.name: one.attributes["contacts"]["position"] for one in moved.snapshot.values()}
    assert places == {"lead": 0, "demo": 1, "trial": 2}


def test_hostile_texts_are_escaped_in_the_file_and_whole_after_loading(tmp_path):
    """Signs that turn a diff around are written as escapes; lone surrogates survive."""
    hostile = "a\u202eb\x1b[31m\u2028\x85\ud800"
    baselines.save(tmp_path, recorded(prop("x", description=hostile)))

    text = (tmp_path / "properties.contacts.json").read_text("utf-8")

    assert '"description": "a\\u202eb\\u001b[31m\\u2028\\u0085\\ud800"' in text
    assert baselines.load(tmp_path).snapshot["properties/contacts/x"].attributes["description"] == hostile


names = st.text("abc_/.%é", min_size=1, max_size=6)
texts = st.text(max_size=12)
options = st.dictionaries(
    texts, st.fixed_dictionaries({"label": texts}, optional={"description": texts, "hidden": st.just(True)}), max_size=4
)
resources = st.one_of(
    st.builds(
        lambda object_type, name, label, options, facts: Resource(
            "properties", join("properties", object_type, name), {"label": label, "options": options}, facts
        ),
        names,
        names,
        texts,
        options,
        st.fixed_dictionaries(
            {},
            optional={"updatedAt": texts, "hubspotDefined": st.just(True), "modificationMetadata": st.just({"a": 1})},
        ),
    ),
    st.builds(
        lambda name, label, position: Resource(
            "lifecycleStages",
            join("lifecycleStages", name),
            {"contacts": {"label": label, "position": position}},
            {"ids": {"contacts": label}, "stages": {}},
        ),
        names,
        texts,
        st.integers(0, 99),
    ),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(resources, max_size=6),
    st.frozensets(st.builds(lambda name: join("properties", "contacts", name), names), max_size=3),
    st.frozensets(st.sampled_from(["properties/contacts", "lifecycleStages/companies"])),
    st.none() | st.integers(1, 99),
)
def test_the_round_trip_is_exact(tmp_path_factory, listed, managed, collections, portal_id):
    """Whatever is saved is loaded again: values, order of options, what is managed, and the same digest."""
    one = Baseline(Snapshot(listed), managed, collections, portal_id)
    directory = tmp_path_factory.mktemp("baseline")

    baselines.save(directory, one)
    loaded = baselines.load(directory) or Baseline(portal_id=portal_id)

    if not (listed or managed or collections):
        assert loaded.snapshot == {}
        return
    assert loaded._replace(digest="") == one
    assert all(
        list(resource.attributes.get("options", ())) == list(loaded.snapshot[address].attributes.get("options", ()))
        for address, resource in one.snapshot.items()
    )
    baselines.save(again := tmp_path_factory.mktemp("again"), loaded)
    assert baselines.load(again).digest == loaded.digest


def test_the_digest_does_not_depend_on_the_order_of_reading(tmp_path_factory):
    """Equal baselines have equal digests; another label, order of options or portal is another one."""

    def digest(one):
        baselines.save(directory := tmp_path_factory.mktemp("baseline"), one)
        return baselines.load(directory).digest

    base = recorded(prop("a"), prop("b"))

    assert digest(base) == digest(recorded(prop("b"), prop("a")))
    assert digest(base) != digest(recorded(prop("a"), prop("b", label="x")))
    turned = [{**option, "displayOrder": 1 - option["displayOrder"]} for option in PLAN_TIER["options"]]
    assert digest(base) != digest(recorded(prop("a"), prop("b", options=turned)))
    assert digest(base) != digest(recorded(prop("a"), prop("b"), portal_id=1))


def test_a_diff_of_one_changed_label_is_one_line(tmp_path):
    """The file is written so that version control shows what moved and nothing else."""
    known = recorded(*(prop(f"p{number}") for number in range(20)))
    baselines.save(tmp_path / "a", known)
    baselines.save(
        tmp_path / "b", baselines.moved(known, Snapshot([prop("p7", label="New")]), ["properties/contacts/p7"])
    )

    done = subprocess.run(["diff", "-r", "a", "b"], cwd=tmp_path, capture_output=True, text=True, check=False)

    changed = [line.strip() for line in done.stdout.splitlines() if line[:1] in "<>"]
    assert changed == ['<       "label": "Plan tier",', '>       "label": "New",']
