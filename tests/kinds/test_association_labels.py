import pytest

from reconciler.diff import FieldChange, compare, sides
from reconciler.kinds import Scope, association_labels
from reconciler.model import Answer, Reads, Resource, Snapshot, Source, Tombstone
from reconciler.paths import Api
from reconciler.plan import Change

THERE = "/crm/v4/associations/contacts/companies/labels"
BACK = "/crm/v4/associations/companies/contacts/labels"
ITSELF = "/crm/v4/associations/companies/companies/labels"
SCHEMA = "/crm-object-schemas/v3/schemas/contacts"
OBJECTS = "/crm-object-schemas/v3/schemas"
PAYER = "associationLabels/contacts/companies/payer"
RESELLER = "associationLabels/companies/companies/reseller"
TEXTS = {"label": "Payer", "inverseLabel": "Paid by"}


def labels(entries, category="USER_DEFINED"):
    """The answer to a list of labels; HubSpot's own and the plain association are always in it."""
    mine = [{"category": category, "typeId": number, "label": text} for number, text in entries.items()]
    own = [{"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"}]
    return Answer(200, {"results": [*mine, *own, {"category": "USER_DEFINED", "typeId": 99, "label": None}]})


def live(there, back, **more):
    """What is live between contacts and companies, read from either side."""
    return Reads({THERE: labels(there), BACK: labels(back), **more})


def schema(names):
    """A schema that knows these names by type id, and names of HubSpot's own under the same ids."""
    own = [{"id": "1", "name": "CONTACT_TO_COMPANY"}]
    return Answer(200, {"associations": [*own, *({"id": str(number), "name": name} for number, name in names.items())]})


def declared(section):
    return Snapshot(association_labels.parse(section, lambda *path: Source("s.yaml", 1, 1)))


def payer(entry=TEXTS):
    return declared({"contacts": {"companies": {"payer": entry}}})


def recorded(address, label, inverse, *ids):
    return Resource("associationLabels", address, {"label": label, "inverseLabel": inverse}, {"typeIds": list(ids)})


def observed(scope, reads):
    return Snapshot(association_labels.observe(scope, reads))


def seen(scope, reads):
    """The live labels: address, type ids and texts."""
    found = observed(scope, reads).items()
    return {address: (*one.facts["typeIds"], *one.attributes.values()) for address, one in found}


def planned(scope, reads):
    """The field changes of every label that changes."""
    before = observed(scope, reads)
    after = [
        association_labels.settle(one, before.get(one.address), scope, reads).planned for one in scope.desired.values()
    ]
    return {
        one.address: list(map(sides, association_labels.fields(one)))
        for one in compare(before, before.replaced(one for one in after if one))
    }


def refused(scope, reads, address=PAYER):
    settled = association_labels.settle(scope.desired[address], observed(scope, reads).get(address), scope, reads)
    return [finding.rule for finding in settled.findings]


# --- the spec side ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "label", "rules"),
    [
        ("billing_contact", "Billing contact", []),
        ("billing-contact", "Billing contact", ["label-name"]),
        ("2nd_contact", "Second contact", ["label-name"]),
        ("Payer", "Payer", ["label-name"]),
        ("payer", "Pays €", ["label-text"]),
    ],
)
def test_names_and_texts_are_checked_offline(name, label, rules):
    """HubSpot takes no hyphen and no digit first; what it makes of odd signs is not known, so they are a warning."""
    (resource,) = declared({"contacts": {"companies": {name: {"label": label}}}}).values()

    assert [finding.rule for finding in association_labels.check(resource)] == rules


@pytest.mark.parametrize(
    ("section", "rules"),
    [
        (
            {"contacts": {"companies": {"payer": TEXTS}}, "companies": {"contacts": {"payer": TEXTS}}},
            ["label-direction"],
        ),
        (
            {
                "contacts": {"companies": {"payer": TEXTS}},
                "companies": {"contacts": {"paid": {"label": "Paid by", "inverseLabel": "Payer"}}},
            },
            ["label-text-duplicate"],
        ),
        ({"contacts": {"companies": {"payer": TEXTS, "payer_2": {"label": "PAYER"}}}}, ["label-text-duplicate"]),
        ({"companies": {"companies": {"peer": {"label": "Peer"}}}}, []),
        ({"companies": {"companies": {"reseller": TEXTS}}}, []),
        ({"contacts": {"companies": {"payer": TEXTS}, "deals": {"payer_of": TEXTS}}}, []),
    ],
)
def test_a_label_is_declared_in_one_direction(section, rules):
    """The other direction is its inverse label, and a side of a pair has each text once, whatever its case."""
    found = association_labels.direction_conflicts(declared(section).values())

    assert [finding.rule for finding in found] == rules


# --- identity --------------------------------------------------------------------------------------------------------


def test_only_pairs_that_somebody_named_are_read():
    """One list a direction, one for an object with itself, and custom objects by their type id."""
    stone = Tombstone(RESELLER, "gone")
    scope = Scope(desired=declared({"contacts": {"cat": {"owner": TEXTS}}}), removed={stone.address: stone})
    cats = Reads({OBJECTS: Answer(200, {"results": [{"name": "Cat", "objectTypeId": "2-7"}]})})

    def paths(reads):
        return [listing.path for listing in association_labels.listings(scope, reads)]

    assert paths(Reads()) == [ITSELF, OBJECTS]
    assert paths(cats)[2:] == ["/crm/v4/associations/contacts/2-7/labels", "/crm/v4/associations/2-7/contacts/labels"]


def test_a_label_is_known_by_its_recorded_ids():
    """Whatever its texts are by now."""
    scope = Scope(desired=payer(), baseline=Snapshot([recorded(PAYER, "Old", "Older", 5, 6)]))

    assert seen(scope, live({5: "Odd", 7: "Payer"}, {6: "Even", 8: "Paid by"}))[PAYER] == (5, 6, "Odd", "Even")


def test_a_label_is_known_by_its_name_in_the_schema():
    """Ids of HubSpot's own associations overlap with those of a portal, and their names do not count."""
    reads = live({1: "Pays"}, {2: "Is paid by"}, **{SCHEMA: schema({1: "payer", 2: "payer"})})

    assert seen(Scope(desired=payer()), reads) == {PAYER: (1, 2, "Pays", "Is paid by")}


def test_a_label_is_known_by_its_texts():
    """A label whose name nobody can tell is not absent when it has exactly the declared texts."""
    assert seen(Scope(desired=payer()), live({5: "Payer"}, {6: "Paid by"})) == {PAYER: (5, 6, "Payer", "Paid by")}


@pytest.mark.parametrize(
    ("desired", "there", "asked"),
    [
        (TEXTS, {5: "Payer"}, False),
        (TEXTS, {}, False),
        (TEXTS, {5: "Pays"}, True),
    ],
)
def test_a_schema_is_read_only_where_a_name_is_in_question(desired, there, asked):
    """It is 400 kB, so what ids and texts tell is not asked again."""
    reads = live(there, dict.fromkeys((6,), "Paid by") if there else {})
    listed = list(association_labels.listings(Scope(desired=payer(desired)), reads))

    assert (SCHEMA in [listing.path for listing in listed]) is asked
    assert [listing.refines for listing in listed if listing.path == SCHEMA] == [True] * asked


@pytest.mark.parametrize(
    ("there", "ids"),
    [
        ({5: "Reseller", 6: "Resold by"}, (5, 6, "Reseller", "Resold by")),
        ({6: "Reseller", 5: "Resold by"}, (6, 5, "Reseller", "Resold by")),
    ],
)
def test_an_object_with_itself_has_both_halves_in_one_list(there, ids):
    """The texts tell which half is which."""
    desired = declared({"companies": {"companies": {"reseller": {"label": "Reseller", "inverseLabel": "Resold by"}}}})

    assert seen(Scope(desired=desired), Reads({ITSELF: labels(there)})) == {RESELLER: ids}


@pytest.mark.parametrize("there", [{5: "Peer"}, {5: "Peer", 6: "Peer"}])
def test_one_text_both_ways_has_one_id_or_two(there):
    """Neither is a difference."""
    desired = declared({"companies": {"companies": {"peer": {"label": "Peer"}}}})
    scope = Scope(desired=desired)

    assert planned(scope, Reads({ITSELF: labels(there)})) == {}
    assert list(seen(scope, Reads({ITSELF: labels(there)}))) == ["associationLabels/companies/companies/peer"]


def test_a_pair_that_is_read_from_both_sides_shows_each_label_once():
    """An import asks for pairs in its own order; what specs declare the other way round keeps its address."""
    scope = Scope(desired=payer(), pairs=(("companies", "contacts"),))
    reads = live({5: "Payer", 7: "Fan"}, {6: "Paid by", 8: "Idol"})

    assert seen(scope, reads) == {
        PAYER: (5, 6, "Payer", "Paid by"),
        "associationLabels/contacts/companies/fan": (7, 8, "Fan", "Idol"),
    }


# --- what should be --------------------------------------------------------------------------------------------------


def test_a_new_label_is_planned_with_both_texts():
    """Without an inverse one, HubSpot uses the same text both ways."""
    assert planned(Scope(desired=payer({"label": "Peer"})), live({}, {})) == {
        PAYER: [{"path": "inverseLabel", "after": "Peer"}, {"path": "label", "after": "Peer"}]
    }


def test_an_inverse_label_that_is_not_declared_is_not_ours():
    """Only the declared text is compared."""
    baseline = Snapshot([recorded(PAYER, "Payer", "Paid by", 5, 6)])
    scope = Scope(desired=payer({"label": "Pays"}), baseline=baseline)

    assert planned(scope, live({5: "Payer"}, {6: "Paid by"})) == {
        PAYER: [{"path": "label", "before": "Payer", "after": "Pays"}]
    }


def test_a_label_with_one_text_keeps_having_one():
    """Renamed in one direction only, it would go on being called as before in the other."""
    baseline = Snapshot([recorded(PAYER, "Peer", "Peer", 5, 6)])
    scope = Scope(desired=payer({"label": "Colleague"}), baseline=baseline)

    assert planned(scope, live({5: "Peer"}, {6: "Peer"})) == {
        PAYER: [
            {"path": "inverseLabel", "before": "Peer", "after": "Colleague"},
            {"path": "label", "before": "Peer", "after": "Colleague"},
        ]
    }


@pytest.mark.parametrize(
    ("label", "other", "rules"),
    [
        ("Fan", None, ["label-text-taken"]),  # live, and in no spec
        ("FAN", {"label": "Fan"}, ["label-text-taken"]),
        ("Fan", {"label": "Follower"}, []),  # which makes way first
        ("Fan", {"label": "Payer"}, ["label-text-taken"]),  # neither can go first
    ],
)
def test_a_text_that_another_label_has_is_free_once_that_one_gives_it_up(label, other, rules):
    """What HubSpot would refuse in the end is refused at plan."""
    entries = {"payer": {"label": label}} | ({"fan": other} if other else {})
    known = [recorded(PAYER, "Payer", "Paid by", 5, 6)]
    known.append(recorded("associationLabels/contacts/companies/fan", "Fan", "Idol", 7, 8))
    scope = Scope(desired=declared({"contacts": {"companies": entries}}), baseline=Snapshot(known))

    assert refused(scope, live({5: "Payer", 7: "Fan"}, {6: "Paid by", 8: "Idol"})) == rules


@pytest.mark.parametrize(
    ("there", "back", "rules"),
    [
        ({5: "payer"}, {6: "Someone"}, ["label-text-taken"]),
        ({5: "Someone"}, {6: "paid by"}, ["label-text-taken"]),
        (dict.fromkeys(range(2, 51), "x"), dict.fromkeys(range(52, 101), "y"), []),
        (dict.fromkeys(range(2, 52), "x"), dict.fromkeys(range(52, 102), "y"), ["label-count"]),
    ],
)
def test_what_hubspot_would_refuse_is_refused_at_plan(there, back, rules):
    """A side of a pair has a text once, whatever its case, and a pair has fifty labels."""
    texts = {number: f"{text} {number}" if len(text) == 1 else text for number, text in {**there, **back}.items()}
    reads = live({one: texts[one] for one in there}, {one: texts[one] for one in back})

    assert refused(Scope(desired=payer()), reads) == rules


@pytest.mark.parametrize(
    ("reseller", "peer", "rules"),
    [
        ({"label": "Resold by"}, None, []),  # its own text
        ({"label": "Peer of"}, None, ["label-text-taken"]),  # the other one's inverse text
        ({"label": "Peer of"}, {"label": "Equal", "inverseLabel": "Same"}, []),
    ],
)
def test_an_object_with_itself_has_one_side(reseller, peer, rules):
    """Its labels are in one list, so the text of one is none for the other, whichever way it is read."""
    known = [recorded(RESELLER, "Reseller", "Resold by", 5, 6)]
    known.append(recorded("associationLabels/companies/companies/peer", "Peer", "Peer of", 7, 8))
    entries = {"reseller": reseller} | ({"peer": peer} if peer else {})
    scope = Scope(desired=declared({"companies": {"companies": entries}}), baseline=Snapshot(known))
    reads = Reads({ITSELF: labels({5: "Reseller", 6: "Resold by", 7: "Peer", 8: "Peer of"})})

    assert refused(scope, reads, RESELLER) == rules


def test_a_name_never_changes():
    """The same texts under another name are a rename, which HubSpot cannot do."""
    baseline = Snapshot([recorded("associationLabels/contacts/companies/biller", "Payer", "Paid by", 5, 6)])
    scope = Scope(desired=payer(), baseline=baseline)

    (finding,) = association_labels.settle(
        scope.desired[PAYER], None, scope, live({5: "Payer"}, {6: "Paid by"})
    ).findings

    assert finding.rule == "label-text-taken"
    assert "biller" in finding.fix


def test_a_label_that_is_recorded_the_other_way_round_is_not_made_again():
    """It would be the same label."""
    baseline = Snapshot([recorded("associationLabels/companies/contacts/paid", "Paid by", "Payer", 6, 5)])

    assert refused(Scope(desired=payer(), baseline=baseline), live({5: "Payer"}, {6: "Paid by"})) == [
        "label-text-taken"
    ]


def test_a_deleted_label_is_gone_for_good():
    """So it needs its own consent; another text is safe."""
    before = Snapshot([recorded(PAYER, "Payer", "Paid by", 5, 6)])
    (gone,) = compare(before, Snapshot())
    (relabelled,) = compare(before, Snapshot([recorded(PAYER, "Pays", "Paid by", 5, 6)]))

    assert (association_labels.risk(gone), association_labels.destroys(gone)) == ("irreversible", (PAYER,))
    assert (association_labels.risk(relabelled), association_labels.destroys(relabelled)) == ("safe", ())


@pytest.mark.parametrize(("inverse", "row"), [("Paid by", TEXTS), ("Payer", {"label": "Payer"})])
def test_import_says_no_more_than_needed(inverse, row):
    """One text is enough where both are the same."""
    assert association_labels.rows(recorded(PAYER, "Payer", inverse, 5, 6)) == row


# --- writing ---------------------------------------------------------------------------------------------------------


def change(action, fields, **remote):
    return Change(PAYER, action, fields=tuple(fields), remote={"from": "contacts", "to": "companies", **remote})


def driven(write, *answers):
    """The requests of a write that is given these answers."""
    sent = []
    try:
        request = next(write)
        for answer in answers:
            sent.append((request.method, request.path, request.body))
            request = write.send(answer)
        sent.append((request.method, request.path, request.body))
    except StopIteration:
        pass
    return sent


CREATE = change("create", [FieldChange(path, after=text, how="added") for path, text in TEXTS.items()])


def test_a_label_is_made_with_its_name_and_both_texts():
    """HubSpot answers with the ids of both directions."""
    assert driven(association_labels.write(CREATE, Api()), labels({}), Answer(200, {"results": []}))[1:] == [
        ("POST", THERE, {"name": "payer", "label": "Payer", "inverseLabel": "Paid by"})
    ]


def test_a_create_that_was_cut_off_is_not_sent_again():
    """The texts are there already."""
    assert driven(association_labels.write(CREATE, Api()), labels({5: "Payer"})) == [("GET", THERE, None)]


def test_both_texts_are_always_sent():
    """A PUT without the inverse label overwrites it, so the text that stays is read right before."""
    relabel = change("update", [FieldChange("label", "Payer", "Pays")], typeIds=[5, 6])

    assert driven(association_labels.write(relabel, Api()), labels({6: "Paid by"}), Answer(204)) == [
        ("GET", BACK, None),
        ("PUT", THERE, {"associationTypeId": 5, "inverseLabel": "Paid by", "label": "Pays"}),
    ]


def test_a_label_that_is_gone_is_not_written():
    """There is nothing to keep the other text of; reading back says that it is gone."""
    relabel = change("update", [FieldChange("inverseLabel", "Paid by", "Is paid by")], typeIds=[5, 6])

    assert driven(association_labels.write(relabel, Api()), labels({})) == [("GET", THERE, None)]


def test_a_label_is_deleted_by_its_forward_id():
    """Either id takes the pair."""
    delete = change("archive", [FieldChange("label", "Payer", how="removed")], typeIds=[5, 6])

    assert driven(association_labels.write(delete, Api()), Answer(204)) == [("DELETE", f"{THERE}/5", None)]


def test_a_deletion_can_be_read_back():
    """An apply that looks at its own work declares no texts of what it deleted."""
    left = Resource("associationLabels", PAYER, {}, {"from": "contacts", "to": "companies", "typeIds": [5, 6]})
    scope = Scope(desired=Snapshot([left]), baseline=Snapshot([left]))
    reads = live({7: "Fan"}, {8: "Idol"})

    assert PAYER not in observed(scope, reads)
    assert SCHEMA not in [listing.path for listing in association_labels.listings(scope, reads)]
