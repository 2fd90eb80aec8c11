import json

import pytest

from reconciler.address import join
from reconciler.diff import FieldChange, compare, sides
from reconciler.errors import RequestRefused
from reconciler.kinds import Scope, lifecycle_stages
from reconciler.model import Answer, Reads, Resource, Snapshot, Source, Tombstone
from reconciler.paths import Api
from reconciler.plan import Change

CONTACTS, COMPANIES = "/crm/v3/pipelines/contacts", "/crm/v3/pipelines/companies"
STAGES = CONTACTS + "/contacts-lifecycle-pipeline/stages"
COMPANY_STAGES = COMPANIES + "/companies-lifecycle-pipeline/stages"
LEAD, TRIAL, CUSTOMER = ("lead", "Lead"), ("77", "Trial"), ("customer", "Customer")


def pipelines(object_type, *stages):
    """The answer to a list of pipelines; the stages in it are in no order."""
    listed = [
        {"id": number, "label": label, "displayOrder": at, "metadata": {}, "archived": False}
        for at, (number, label) in enumerate(stages)
    ]
    pipeline = {"id": f"{object_type}-lifecycle-pipeline", "stages": listed[::-1]}
    return Answer(200, {"results": [{"id": "another", "stages": []}, pipeline]})


def reads(*stages, companies=None):
    """What is live, in both objects alike unless said otherwise."""
    there = stages if companies is None else companies
    return Reads({CONTACTS: pipelines("contacts", *stages), COMPANIES: pipelines("companies", *there)})


def declared(*lists):
    """The declarations of several files, as the spec loader unites them."""
    found = {}
    for number, section in enumerate(lists):
        places = {index: Source(f"{number}.yaml", index + 1, 1) for index in range(len(section))}
        for one in lifecycle_stages.parse(section, lambda _, index, places=places: places[index]):
            first = found.get(one.address)
            found[one.address] = lifecycle_stages.unite(first, one) if first else one
    return Snapshot(found.values())


def named(*names):
    """Entries whose label is their name with a capital."""
    return [{"name": name, "label": name.capitalize()} for name in names]


def accepted(*names, ids=None):
    """A baseline that holds these stages in this order."""
    return Snapshot(
        Resource(
            "lifecycleStages",
            join("lifecycleStages", name),
            {one: {"label": name.capitalize(), "position": at} for one in ("contacts", "companies")},
            {"ids": dict.fromkeys(("contacts", "companies"), (ids or {}).get(name, name))},
        )
        for at, name in enumerate(names)
    )


def observed(scope, live):
    return Snapshot(lifecycle_stages.observe(scope, live))


def planned(scope, live):
    """The field changes and the ids of every stage that changes."""
    before = observed(scope, live)
    after = [
        lifecycle_stages.settle(one, before.get(one.address), scope, live).planned for one in scope.desired.values()
    ]
    differences = compare(before, before.replaced(one for one in after if one))
    return {
        one.address.removeprefix("lifecycleStages/"): list(map(sides, lifecycle_stages.fields(one)))
        for one in differences
    }


def refused(scope, live, name):
    """The rules that stand in the way of one declared stage."""
    address = join("lifecycleStages", name)
    settled = lifecycle_stages.settle(scope.desired[address], observed(scope, live).get(address), scope, live)
    return [finding.rule for finding in settled.findings]


# --- the spec side ---------------------------------------------------------------------------------------------------


def test_an_entry_says_only_what_is_declared():
    """The label is optional, and the order is a fact of the list."""
    (lead, trial) = declared([{"name": "lead"}, {"name": "trial", "label": "Trial", "id": "77"}]).values()

    assert (lead.address, lead.attributes) == ("lifecycleStages/lead", {})
    assert (trial.attributes, trial.facts["id"]) == ({"label": "Trial"}, "77")
    assert trial.facts["orders"] == [["lead", "trial"]]


def test_lists_of_several_files_are_joined():
    """Each list orders only the stages it names; one that both name may be described in either."""
    desired = declared(
        [{"name": "lead"}, {"name": "trial"}], [{"name": "trial", "label": "Trial"}, {"name": "customer"}]
    )

    assert desired["lifecycleStages/trial"].attributes == {"label": "Trial"}
    assert list(lifecycle_stages.conflicts(desired.values())) == []


@pytest.mark.parametrize(
    ("lists", "rules"),
    [
        ([named("lead", "trial"), [{"name": "trial"}, {"name": "lead"}]], ["stage-order", "stage-order"]),
        ([[{"name": "a", "label": "Trial"}, {"name": "b", "label": " TRIAL"}]], ["stage-label-duplicate"]),
        ([named("lead", "trial"), [{"name": "lead"}, {"name": "customer"}]], []),
    ],
)
def test_contradictions_between_lists_are_found(lists, rules):
    """Lists must agree about the order, and no two stages may share a label, whatever its case and outer blanks."""
    found = lifecycle_stages.conflicts(list(declared(*lists).values()))

    assert [finding.rule for finding in found] == rules


def test_a_list_names_a_stage_once():
    """A stage that stands twice in a list has no place."""
    first, *_ = lifecycle_stages.parse(named("lead", "trial", "lead"), lambda *path: Source("s.yaml", 1, 1))

    assert [finding.rule for finding in lifecycle_stages.check(first)] == ["stage-twice"]


# --- identity --------------------------------------------------------------------------------------------------------


def test_stages_are_one_resource_for_both_objects():
    """Contacts and companies may hold different ids; the order is that of displayOrder, not of the list."""
    live = reads(LEAD, TRIAL, companies=[("88", "trial "), LEAD])

    trial = observed(Scope(watch=("contacts",)), live)["lifecycleStages/trial"]

    assert trial.attributes == {
        "contacts": {"label": "Trial", "position": 1},
        "companies": {"label": "trial ", "position": 0},
    }
    assert trial.facts["ids"] == {"contacts": "77", "companies": "88"}


@pytest.mark.parametrize(
    ("desired", "baseline", "live", "name"),
    [
        ([{"name": "test_drive", "id": "77"}], Snapshot(), TRIAL, "test_drive"),
        ([{"name": "test_drive", "label": " TRIAL"}], Snapshot(), TRIAL, "test_drive"),
        (
            [{"name": "test_drive", "label": "New"}],
            accepted("test_drive", ids={"test_drive": "77"}),
            TRIAL,
            "test_drive",
        ),
        ([], accepted("test_drive", ids={"test_drive": "77"}), TRIAL, "test_drive"),
        ([{"name": "trial"}], Snapshot(), TRIAL, "trial"),
        ([], Snapshot(), ("77", "Im Gespräch"), "im_gespr_ch"),
        ([], Snapshot(), ("77", "Lead"), "lead_2"),
        ([{"name": "trial", "label": "Lead"}], Snapshot(), LEAD, "lead"),
        ([], Snapshot(), ("lead", "Interessent"), "lead"),
    ],
)
def test_a_stage_is_known_by_id_then_default_name_then_record_then_label(desired, baseline, live, name):
    """A stage that nobody named goes by its label; a default one is never anything else."""
    scope = Scope(watch=("contacts",), desired=declared(desired), baseline=baseline)

    assert list(observed(scope, reads(live))) == [f"lifecycleStages/{name}"]


def test_both_lifecycles_are_read_where_stages_matter():
    """Stages that are declared, recorded or to be removed are looked at in both objects; otherwise nothing is read."""
    stone = Tombstone("lifecycleStages/trial", "gone")
    asked = [
        Scope(desired=declared(named("lead"))),
        Scope(baseline=accepted("lead")),
        Scope(removed={stone.address: stone}),
        Scope(watch=("companies",)),
        Scope(watch=("deals",)),
    ]

    paths = [[listing.path for listing in lifecycle_stages.listings(scope, Reads())] for scope in asked]

    assert paths == [[CONTACTS, COMPANIES]] * 4 + [[]]


def test_a_stage_that_is_declared_by_its_id_is_no_other_one():
    """The portal has a stage whose label makes the same name, and it is not the one that is meant."""
    scope = Scope(desired=declared([{"name": "trial", "id": "77"}]))

    assert list(observed(scope, reads(LEAD, ("88", "Trial")))) == ["lifecycleStages/lead", "lifecycleStages/trial_2"]


# --- what should be --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("live", "lists", "positions"),
    [
        ("lead customer", ["lead trial customer"], {"trial": 1}),
        ("lead other customer", ["lead trial customer"], {"trial": 1}),
        ("lead other customer", ["trial customer"], {"trial": 2}),
        ("lead customer", ["trial"], {"trial": 2}),
        ("lead customer", ["trial lead customer"], {"trial": 0}),
        ("lead customer", ["lead one two customer"], {"one": 1, "two": 2}),
        ("lead other customer", ["customer lead"], {"lead": 2}),
        ("subscriber lead opportunity customer", ["customer subscriber lead opportunity"], {"customer": 0}),
        ("lead opportunity customer", ["lead one two", "lead opportunity customer"], {"one": 1, "two": 2}),
        ("lead one opportunity", ["lead opportunity", "one opportunity"], {}),
        ("lead other customer", ["lead customer"], {}),
    ],
)
def test_only_what_has_to_move_moves(live, lists, positions):
    """A new stage follows its nearest declared predecessor; undeclared ones stay; the fewest declared ones move."""
    stages = declared(*([{"name": name} for name in names.split()] for names in lists)).values()
    scope = Scope(desired=Snapshot(one._replace(attributes={"label": one.name.capitalize()}) for one in stages))

    changes = planned(scope, reads(*((name, name.capitalize()) for name in live.split())))

    assert {
        name: field["after"] for name, fields in changes.items() for field in fields if field["path"] == "position"
    } == positions


def test_the_order_of_files_changes_nothing():
    """Two lists that say nothing of each other give one plan, whichever is read first."""
    one, two = named("lead", "one"), [{"name": "lead"}, {"name": "two", "label": "Two"}]
    live = reads(LEAD, CUSTOMER)

    assert planned(Scope(desired=declared(one, two)), live) == planned(Scope(desired=declared(two, one)), live)


def test_a_new_stage_is_planned_for_both_objects_at_once():
    """What is the same for contacts and companies is one field."""
    assert planned(Scope(desired=declared(named("lead", "trial"))), reads(LEAD, CUSTOMER)) == {
        "trial": [{"path": "label", "after": "Trial"}, {"path": "position", "after": 1}]
    }


def test_a_stage_that_one_object_lacks_is_added_there():
    """The other object keeps what it has."""
    live = reads(LEAD, TRIAL, companies=[LEAD, CUSTOMER])

    assert planned(Scope(desired=declared(named("lead", "trial"))), live) == {
        "trial": [{"path": "companies", "after": {"label": "Trial", "position": 1}}]
    }


def test_orders_that_differ_are_two_fields():
    """Where contacts and companies stand differently, each is told apart."""
    live = reads(CUSTOMER, LEAD, companies=[LEAD, TRIAL, CUSTOMER])
    scope = Scope(desired=declared(named("lead", "customer")))

    assert planned(scope, live) == {"customer": [{"path": "contacts/position", "before": 0, "after": 1}]}


def test_a_stage_that_is_about_to_go_still_counts():
    """Deletes come last, so while the others are written the positions are those of a longer list."""
    stone = Tombstone("lifecycleStages/other", "gone")
    scope = Scope(desired=declared(named("lead", "trial")), removed={stone.address: stone})

    assert planned(scope, reads(("9", "Other one"), LEAD))["trial"][1] == {"path": "position", "after": 2}


@pytest.mark.parametrize(
    ("entry", "live", "rules"),
    [
        ({"name": "lead", "label": "Lead"}, [CUSTOMER], ["default-stage-deleted"]),
        ({"name": "trial"}, [LEAD], ["stage-label"]),
        ({"name": "trial", "label": "lead "}, [LEAD], ["stage-label-taken"]),
        ({"name": "lead", "label": "Trial"}, [LEAD, TRIAL], ["stage-label-taken"]),
        ({"name": "trial", "label": "Trial"}, [], ["no-lifecycle"]),
        ({"name": "lead", "label": "Interessent"}, [LEAD], []),
    ],
)
def test_what_hubspot_cannot_do_is_refused(entry, live, rules):
    """A default that was deleted does not come back, and a label belongs to one stage."""
    assert refused(Scope(desired=declared([entry])), reads(*live), entry["name"]) == rules


@pytest.mark.parametrize(
    ("labels", "rules"),
    [
        ({"lead": "Trial", "trial": "Pilot"}, []),
        ({"lead": "Trial", "trial": "Lead"}, ["stage-label-taken"]),
        ({"lead": "Trial", "trial": "Customer", "customer": "Lead"}, ["stage-label-taken"]),
    ],
)
def test_labels_can_be_handed_on_but_not_changed_over(labels, rules):
    """HubSpot refuses a label that is taken, so one of the stages has to make way first."""
    desired = declared([{"name": name, "label": label} for name, label in labels.items()])
    scope = Scope(desired=desired, baseline=accepted("trial", ids={"trial": "77"}))

    assert refused(scope, reads(LEAD, TRIAL, CUSTOMER), "lead") == rules


@pytest.mark.parametrize(
    ("order", "rules"),
    [
        (["lead", "customer", "other", "new", "trial"], ["stage-label-taken"]),  # moved to behind the new one
        (["lead", "new", "customer", "other", "trial"], []),  # moved to behind another one
        (["lead", "new", "trial", "customer", "other"], []),  # not moved
    ],
)
def test_a_label_is_not_handed_on_to_a_stage_that_has_to_be_there_first(order, rules):
    """The old stage gives the label up in one go with its move to behind the new one, and neither can be first."""
    labels = {"new": "Trial", "trial": "Old trial"}
    desired = declared([{"name": name, "label": labels.get(name, name.capitalize())} for name in order])
    scope = Scope(desired=desired, baseline=accepted("trial", ids={"trial": "77"}))

    assert refused(scope, reads(LEAD, TRIAL, CUSTOMER, ("other", "Other")), "new") == rules


def test_a_default_stage_is_never_deleted():
    """A tombstone takes stages of the portal's own only, and those only under a name that the baseline knows."""
    lead, trial = observed(Scope(watch=("contacts",)), reads(LEAD, TRIAL)).values()
    stones = [Tombstone(one.address, "gone") for one in (lead, trial)]

    assert [one.rule for one in lifecycle_stages.remove(stones[0], lead, Scope()).findings] == ["hubspot-defined"]
    known = Scope(baseline=Snapshot([trial]))
    assert lifecycle_stages.remove(stones[1], trial, known) == lifecycle_stages.Settled()
    guessed = lifecycle_stages.remove(stones[1], trial, Scope())
    assert (guessed.planned, [one.rule for one in guessed.findings]) == (trial, ["guessed-name"])


@pytest.mark.parametrize(
    ("live", "want", "known"),
    [
        ("extra lead trial customer", "lead customer trial", 2),  # only an extra came: nobody moved it
        ("customer extra lead trial", "lead trial customer", 3),  # the spec still says what the baseline says
        ("trial lead customer", "lead customer trial", 1),  # all three differ
    ],
)
def test_what_the_baseline_knows_of_a_place_is_told_in_todays_numbers(live, want, known):
    """Stages that nobody declared come and go without making a conflict."""
    baseline = accepted("lead", "trial", "customer")
    scope = Scope(desired=declared(named(*want.split())), baseline=baseline)
    now = reads(*((name, name.capitalize()) for name in live.split()))
    before = observed(scope, now)
    after = [
        lifecycle_stages.settle(one, before.get(one.address), scope, now).planned for one in scope.desired.values()
    ]

    (difference,) = compare(before, before.replaced(one for one in after if one))
    (place,) = lifecycle_stages.fields(difference)

    assert lifecycle_stages.value_at(baseline[difference.address], place) == (True, known)


def test_how_bad_a_change_is():
    """A deletion is for good, a default that is called otherwise surprises people, the rest is safe."""
    scope = Scope(desired=declared([{"name": "lead", "label": "Prospect"}, *named("trial", "new")]))
    live = reads(LEAD, ("77", "Trial"))
    before = observed(scope, live)
    after = [
        lifecycle_stages.settle(one, before.get(one.address), scope, live).planned for one in scope.desired.values()
    ]
    risks = [lifecycle_stages.risk(one) for one in compare(before, before.replaced(one for one in after if one))]
    (gone,) = compare(before, before.replaced((), ["lifecycleStages/trial"]))

    assert risks == ["caution", "safe"]
    assert (lifecycle_stages.risk(gone), lifecycle_stages.destroys(gone)) == (
        "irreversible",
        ("lifecycleStages/trial",),
    )


def test_import_says_only_what_both_objects_share():
    """An entry for a stage that one object lacks, or calls otherwise, would not be what is live."""
    live = reads(LEAD, TRIAL, ("9", "Alone"), companies=[LEAD, ("77", "Probe")])

    rows = [lifecycle_stages.rows(one) for one in observed(Scope(watch=("contacts",)), live).values()]

    assert rows == [{"name": "lead", "label": "Lead"}, {}, {}]


@pytest.mark.parametrize(
    ("live", "orders", "told"),
    [
        ("lead trial", [["lead", "trial"]], True),
        ("trial lead", [["lead", "trial"]], False),
        ("trial other lead", [["trial", "lead"]], True),
        ("lead trial", [["trial"]], False),
        ("lead trial", [["lead", "trial"], ["trial", "gone"]], True),
    ],
)
def test_a_stage_stands_as_a_list_says_that_names_it_beside_others(live, orders, told):
    """A list of one says nothing of places, and a stage that is not live has none."""
    now = observed(Scope(watch=("contacts",)), reads(*((name, name.capitalize()) for name in live.split())))
    trial = Resource("lifecycleStages", "lifecycleStages/trial", {}, {"orders": orders})

    assert lifecycle_stages.as_ordered(trial, now) is told


# --- writing ---------------------------------------------------------------------------------------------------------


def change(action, fields, remote):
    return Change("lifecycleStages/trial", action, fields=tuple(fields), remote=remote)


def driven(write, *answers):
    """The requests of a write that is given these answers: methods, paths and bodies."""
    sent = []
    try:
        request = next(write)
        for answer in answers:
            sent.append((request.method, request.path, request.body))
            request = write.throw(answer) if isinstance(answer, Exception) else write.send(answer)
        sent.append((request.method, request.path, request.body))
    except StopIteration:
        pass
    return sent


def writes(sent):
    return [request for request in sent if request[0] != "GET"]


AFTER_LEAD = {"id": "lead", "label": "Lead"}
CREATE = change(
    "create",
    [FieldChange("label", after="Trial", how="added"), FieldChange("position", after=1, how="added")],
    {"ids": {}, "after": {"contacts": AFTER_LEAD, "companies": AFTER_LEAD}},
)
NEW = {"label": "Trial", "displayOrder": 0, "metadata": {"isClosed": "false", "state": "OPEN"}}
MADE = Answer(201, {"id": "77", "label": "Trial"})


def test_a_stage_that_hubspot_mirrors_is_posted_once():
    """Contacts first; where companies show it by then, nothing is sent there."""
    without, there = [LEAD, CUSTOMER], [LEAD, TRIAL, CUSTOMER]
    sent = driven(
        lifecycle_stages.write(CREATE, Api()),
        pipelines("contacts", *without),
        MADE,
        pipelines("contacts", *there),
        pipelines("companies", *there),
        pipelines("companies", *there),
    )

    assert writes(sent) == [("POST", STAGES, NEW)]


def test_a_stage_that_is_not_mirrored_gets_the_same_id():
    """The id that contacts were given is chosen for companies, also where a read does not show the new stage yet."""
    without = [LEAD, CUSTOMER]
    sent = driven(
        lifecycle_stages.write(CREATE, Api()),
        pipelines("contacts", *without),
        MADE,
        pipelines("contacts", *without),
        pipelines("companies", *without),
        MADE,
        pipelines("companies", LEAD, TRIAL, CUSTOMER),
    )

    assert writes(sent) == [("POST", STAGES, NEW), ("POST", COMPANY_STAGES, {**NEW, "stageId": "77"})]


def test_an_id_that_hubspot_refuses_is_left_to_it():
    """Then contacts and companies hold different ids, and both are recorded."""
    without = [LEAD, CUSTOMER]
    sent = driven(
        lifecycle_stages.write(CREATE, Api()),
        pipelines("contacts", *without),
        MADE,
        pipelines("contacts", LEAD, TRIAL, CUSTOMER),
        pipelines("companies", *without),
        RequestRefused(400, {"message": "no such id"}),
        Answer(201, {"id": "88"}),
        pipelines("companies", LEAD, ("88", "Trial"), CUSTOMER),
    )

    assert writes(sent)[1:] == [("POST", COMPANY_STAGES, {**NEW, "stageId": "77"}), ("POST", COMPANY_STAGES, NEW)]


def test_a_token_that_may_not_write_is_not_tried_twice():
    """A missing scope is no refusal of the id."""
    write = lifecycle_stages.write(CREATE, Api())
    answers = [pipelines("contacts", LEAD), MADE, pipelines("contacts", LEAD, TRIAL), pipelines("companies", LEAD)]

    with pytest.raises(RequestRefused):
        driven(write, *answers, RequestRefused(403, {}))


def test_a_create_that_was_cut_off_is_completed():
    """What is there already, by its label, is not made again, and is put where it belongs."""
    misplaced, there = [LEAD, CUSTOMER, TRIAL], [LEAD, TRIAL, CUSTOMER]
    sent = driven(
        lifecycle_stages.write(CREATE, Api()),
        pipelines("contacts", *misplaced),
        pipelines("contacts", *misplaced),
        Answer(200, {}),
        pipelines("companies", *there),
        pipelines("companies", *there),
    )

    assert writes(sent) == [("PATCH", f"{STAGES}/77", {"displayOrder": 0})]


def test_to_become_the_first_a_stage_changes_places_with_the_first():
    """HubSpot puts a stage after the holder of a place, and knows no place before the first."""
    move = change(
        "update",
        [FieldChange("contacts/position", 2, 0)],
        {"ids": {"contacts": "77", "companies": "77"}, "after": {"contacts": None, "companies": AFTER_LEAD}},
    )
    sent = driven(
        lifecycle_stages.write(move, Api()),
        pipelines("contacts", LEAD, CUSTOMER, TRIAL),
        pipelines("contacts", LEAD, CUSTOMER, TRIAL),
        Answer(200, {}),
        pipelines("contacts", LEAD, TRIAL, CUSTOMER),
        Answer(200, {}),
        pipelines("contacts", TRIAL, LEAD, CUSTOMER),
    )

    assert writes(sent) == [
        ("PATCH", f"{STAGES}/77", {"displayOrder": 0}),
        ("PATCH", f"{STAGES}/lead", {"displayOrder": 1}),
    ]


def test_a_new_label_is_written_to_both_unless_it_is_there():
    """Each object is looked at first."""
    relabel = change("update", [FieldChange("label", "Trial", "Probe")], {"ids": {"contacts": "77", "companies": "88"}})
    sent = driven(
        lifecycle_stages.write(relabel, Api()),
        pipelines("contacts", ("77", "Probe")),
        pipelines("companies", ("88", "Trial")),
        Answer(200, {}),
    )

    assert writes(sent) == [("PATCH", f"{COMPANY_STAGES}/88", {"label": "Probe"})]


def test_a_stage_that_is_gone_is_not_made_by_an_update():
    """Only what the plan calls a create creates."""
    relabel = change("update", [FieldChange("label", "Trial", "Probe")], {"ids": {"contacts": "77", "companies": "77"}})
    sent = driven(lifecycle_stages.write(relabel, Api()), pipelines("contacts", LEAD), pipelines("companies", LEAD))

    assert writes(sent) == []


def test_a_deletion_always_asks_hubspot_to_check_for_records():
    """It is sent where the stage is, and not for what is gone from the other object by then."""
    delete = change(
        "archive", [FieldChange("label", "Trial", how="removed")], {"ids": {"contacts": "77", "companies": "77"}}
    )
    sent = driven(
        lifecycle_stages.write(delete, Api()),
        pipelines("contacts", LEAD, TRIAL),
        Answer(204),
        pipelines("companies", LEAD),
    )

    assert writes(sent) == [("DELETE", f"{STAGES}/77?validateReferencesBeforeDelete=true", None)]


def stage_change(name, action, fields, remote):
    return Change(f"lifecycleStages/{name}", action, fields=tuple(fields), remote={"ids": {}, **remote})


def test_a_stage_is_written_after_those_that_make_way_for_it():
    """What it stands after is there and in its place, in either object, and the label it takes is free."""
    place = FieldChange("companies/position", 9, 3)
    other = stage_change("other", "update", [place], {"ids": {"companies": "other"}})
    after = {"contacts": None, "companies": {"id": "other", "label": "Other"}}
    made = [FieldChange("label", after="New", how="added"), FieldChange("contacts/position", after=0, how="added")]
    new = stage_change("a_new", "create", made, {"after": after})
    behind = {"contacts": {"id": None, "label": "New"}}
    second = stage_change("a_second", "update", [FieldChange("contacts/position", 5, 0)], {"after": behind})
    takes = stage_change("a_trial", "update", [FieldChange("label", "Trial", "Probe")], {})
    gives = stage_change("b_probe", "update", [FieldChange("label", "probe ", "Done")], {})

    turns = lifecycle_stages.write_order([takes, second, new, other, gives])

    assert [one.name for one in turns] == ["b_probe", "a_trial", "other", "a_new", "a_second"]


def test_two_stages_that_wait_for_each_other_are_written_all_the_same():
    """They go by their places; HubSpot says what it thinks of that."""
    one = stage_change("one", "update", [FieldChange("label", "A", "B"), FieldChange("position", 3, 1)], {})
    two = stage_change("two", "update", [FieldChange("label", "B", "A"), FieldChange("position", 1, 0)], {})

    assert [change.name for change in lifecycle_stages.write_order([one, two])] == ["two", "one"]


# --- an apply that looks at its own work -----------------------------------------------------------------------------


def looking(one):
    """The scope in which an apply reads back one change."""
    attributes = {field.path: field.after for field in one.fields if field.how != "removed" and "/" not in field.path}
    desired = Resource("lifecycleStages", one.address, attributes, json.loads(json.dumps(one.remote)))
    return Scope(desired=Snapshot([desired]), baseline=Snapshot([desired]))


@pytest.mark.parametrize(
    ("contacts", "companies", "there"),
    [
        ([LEAD, TRIAL, CUSTOMER], [LEAD, TRIAL, CUSTOMER], True),
        ([("5", "Extra"), LEAD, TRIAL], [LEAD, TRIAL], True),
        ([LEAD, TRIAL, CUSTOMER], [LEAD, CUSTOMER], False),
        ([LEAD, CUSTOMER, TRIAL], [LEAD, TRIAL, CUSTOMER], False),
    ],
)
def test_a_half_made_stage_is_as_good_as_absent(contacts, companies, there):
    """A run that was cut off is completed by the next one; a whole stage counts, whatever number its place has."""
    seen = observed(looking(CREATE), reads(*contacts, companies=companies))

    assert ("lifecycleStages/trial" in seen) is there
    if there:
        held = [lifecycle_stages.value_at(seen["lifecycleStages/trial"], field) for field in CREATE.fields]
        assert held == [(True, "Trial"), (True, 1)]


@pytest.mark.parametrize(
    ("contacts", "companies", "value"),
    [("Probe", "Probe", "Probe"), ("Probe", "Trial", "Trial"), ("Trial", "Trial", "Trial"), ("Probe", "Odd", "Odd")],
)
def test_a_label_that_is_written_to_one_object_is_not_done_yet(contacts, companies, value):
    """Half done is as it was before; what somebody else wrote is what it is."""
    relabel = change("update", [FieldChange("label", "Trial", "Probe")], {"ids": {"contacts": "77", "companies": "77"}})
    seen = observed(looking(relabel), reads(("77", contacts), companies=[("77", companies)]))

    assert lifecycle_stages.value_at(seen["lifecycleStages/trial"], relabel.fields[0]) == (True, value)


def test_a_side_that_is_being_added_is_there_once_it_stands_where_it_should():
    """Otherwise the next run finds it and puts it there."""
    added = FieldChange("companies", after={"label": "Trial", "position": 1}, how="added")
    add = change(
        "update", [added], {"ids": {"contacts": "77"}, "after": {"contacts": AFTER_LEAD, "companies": AFTER_LEAD}}
    )

    def side(*companies):
        seen = observed(looking(add), reads(LEAD, TRIAL, companies=companies))
        return lifecycle_stages.value_at(seen["lifecycleStages/trial"], added)

    assert side(LEAD, CUSTOMER)[0] is False
    assert side(LEAD, CUSTOMER, TRIAL)[0] is False
    assert side(("5", "Extra"), LEAD, TRIAL) == (True, {"label": "Trial", "position": 1})


def test_records_in_a_stage_are_counted_in_both_objects():
    """Each object is asked with its own id."""
    delete = Change(
        "lifecycleStages/trial",
        "archive",
        destroys=("lifecycleStages/trial",),
        remote={"ids": {"contacts": "77", "companies": "88"}},
    )

    assert [(one.object_type, one.filter["value"]) for one in lifecycle_stages.counts(delete)] == [
        ("companies", "88"),
        ("contacts", "77"),
    ]
