"""Recorded reads of one portal a week apart, through the command line, with the oddities of real lists."""

import copy
import json
import shlex

import pytest

from reconciler.cli import run

LISTS = "/crm/v3/properties/contacts"
STAGES = [f"/crm/v3/pipelines/{name}" for name in ("contacts", "companies")]
LABELS = ["/crm/v4/associations/contacts/companies/labels", "/crm/v4/associations/companies/contacts/labels"]
THEN, LATER = "2026-04-01T00:00:00.000Z", "2026-04-06T10:00:00.000Z"
SETTINGS = "version: 1\nportals: {demo: {portalId: 1, tokenEnv: T}}\nwatch: [contacts, companies, deals, tickets]\n"
UUID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


def prop(name, **raw):
    """A default as HubSpot sends it."""
    base = {"name": name, "label": name.title(), "type": "string", "fieldType": "text", "groupName": "info"}
    rights = {"archivable": True, "readOnlyDefinition": True, "readOnlyValue": False}
    flags = {"hidden": False, "formField": False, "hasUniqueValue": False, "calculated": False, "displayOrder": -1}
    times = {"createdAt": THEN, "updatedAt": THEN, "description": "", "options": [], "hubspotDefined": True}
    return {**base, **flags, **times, "modificationMetadata": rights, **raw}


def custom(name, **raw):
    """A property of the portal's own."""
    free = {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": False}
    made = prop(name, archived=False, createdUserId="7", updatedUserId="7", modificationMetadata=free, **raw)
    return {key: one for key, one in made.items() if key != "hubspotDefined"}


def options(*pairs, order=None):
    return [
        {"value": value, "label": label, "displayOrder": at if order is None else order, "hidden": False}
        for at, (value, label) in enumerate(pairs)
    ]


CHOICE = {"type": "enumeration", "fieldType": "select"}
ODD = [  # real-drift.md 7, "Weird but real"
    prop("hs_descr", **CHOICE, options=options(("EMPTY_DESCRIPTION", ""), ("HOLD", "Hold"))),
    prop("hs_status", **CHOICE, options=options(("", ""), ("a", "A"))),
    custom("survey_id", **CHOICE, options=options(("", ""), ("1", "One"))),
    prop("hs_bounce_reason", label="Bounce", options=options(("X", "X"), ("Y", "Y"), order=-1)),
    prop("hs_bounce_reason_enum", label="Bounce", **CHOICE, options=options(("X", "X"), ("Y", "Y"), order=-1)),
    custom("same_place", **CHOICE, options=options(("b", "B"), ("a", "A"), order=0)),
    prop("hs_send_time", label=" Send time ", description="Date  this  contact  first \n"),
    custom("notes__", label=" Notes \u201cquoted\u201d", description="One\nTwo", fieldType="textarea"),
    custom("mixed", **CHOICE, options=options(("\u2013", "-"), ("\U0001f600 yes, a/b", "Yes"), ("true", "True"))),
    custom("odd_bool", type="bool", fieldType=""),
    custom("scored", type="number", fieldType="calculation_score"),
    prop("hs_no_group", groupName=""),
    prop("hs_testpurge", createdAt=None, updatedAt=None),
    prop("hs_when", type="datetime", fieldType="text"),
    prop("hs_lead_status", **CHOICE, options=options(("NEW", "New"))),
    prop("hs_source", **CHOICE, options=options(("OFFLINE", "Offline"))),
    prop("fax"),
    prop("hs_owner", **CHOICE, externalOptions=True),
]


def stage(name, at, label=""):
    """A lifecycle stage as HubSpot sends it."""
    metadata = {"isClosed": "false", "state": "OPEN"}
    return {
        "id": name,
        "label": label or name.title(),
        "displayOrder": at,
        "metadata": metadata,
        "createdAt": THEN,
        "updatedAt": THEN,
        "archived": False,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }


def lifecycle(object_type):
    return {
        "label": "Lifecycle Stage Pipeline",
        "id": f"{object_type}-lifecycle-pipeline",
        "displayOrder": 0,
        "stages": [stage("lead", 0), stage("customer", 1), stage("17", 2, "Trial"), stage(UUID, 3, "Churned")],
    }


def label(number, text, category="USER_DEFINED"):
    return {"category": category, "typeId": number, "label": text}


ELSEWHERE = {  # the lists of other object types, the stages, the labels; and pipelines that are not ours
    "/crm/v3/properties/companies": [prop("domain"), custom("tier")],
    "/crm/v3/properties/deals": [
        prop("amount", type="number", fieldType="number"),
        prop(f"hs_v2_date_entered_{UUID.replace('-', '_')}_17", label="Date entered X (Sales)", archived=False),
        prop("dealstage", **CHOICE, options=options(("a", "A"), ("b", "B"))),
    ],
    "/crm/v3/properties/contacts/groups": [{"name": "own", "label": "Own", "displayOrder": 7, "archived": False}],
    STAGES[0]: [lifecycle("contacts")],
    STAGES[1]: [lifecycle("companies")],
    "/crm/v3/pipelines/deals": [{**lifecycle("deals"), "id": UUID, "label": "Sales"}],
    LABELS[0]: [label(1, "Primary", "HUBSPOT_DEFINED"), label(101, "Buyer")],
    LABELS[1]: [label(2, "Primary", "HUBSPOT_DEFINED"), label(102, "Bought by")],
}


class Reads:
    """A directory into which one read was imported, and what commands say of another one."""

    def __init__(self, path, capsys):
        self.path, self.capsys = path, capsys
        self.listed = copy.deepcopy(ODD)
        self.elsewhere = {}

    def says(self, command, *words, codes=(0, 2)):
        """The document of a command on the read as it is now."""
        lists = {**self.elsewhere, **({LISTS: self.listed} if self.listed else {})}
        responses = {path: {"results": listed} for path, listed in lists.items()}
        recorded = {"formatVersion": "1.0", "responses": responses}
        (self.path / "read.json").write_text(json.dumps(recorded))
        self.capsys.readouterr()
        code = run([command, "--from-snapshot", "read.json", *words, "-o", "json"])
        assert code in codes, self.capsys.readouterr()
        return json.loads(self.capsys.readouterr().out)

    def moved(self):
        items = self.says("drift")["items"]
        return [(one["class"], one["address"].rpartition("/")[2], one["actor"]["type"]) for one in items]

    def change(self, name, **fields):
        next(one for one in self.listed if one["name"] == name).update(fields)


@pytest.fixture
def reads(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/reconciler.yaml").write_text(SETTINGS)
    found = Reads(tmp_path, capsys)
    found.says("import")
    return found


def test_a_list_of_oddities_is_adopted_whole(reads):
    """Plan and drift are empty right after the import, and what the specs cannot say is watched all the same."""
    assert reads.says("plan")["changes"] == []
    assert reads.moved() == []
    text = "".join(path.read_text() for path in (reads.path / "specs").glob("*.yaml"))
    assert "hs_" not in text
    reads.change("odd_bool", label="Odd", updatedAt=LATER, updatedUserId="8")
    assert reads.moved() == [("unmanaged.changed", "odd_bool", "user")]


SECRETS = LISTS + "?dataSensitivity=sensitive"
DECLARED = "properties: {contacts: {secret: {label: Secret, dataSensitivity: sensitive}}}\n"


def test_what_is_sensitive_is_looked_at_as_long_as_anybody_knows_of_it(reads):
    """It is in a list of its own, and is not gone because no spec declares it any more."""
    reads.elsewhere = {SECRETS: [custom("secret", dataSensitivity="sensitive")]}
    spec = reads.path / "specs/secret.yaml"
    spec.write_text(DECLARED)
    found = reads.says("plan")
    assert ("properties/contacts", len(ODD) + 1) in [(one["collection"], one["count"]) for one in found["reads"]]
    assert run(["accept", "--from-snapshot", "read.json", "--all", "--reason", "secret"]) == 0
    spec.unlink()

    assert reads.moved() == []
    assert reads.says("plan")["drift"] == []
    reads.elsewhere[SECRETS][0] |= {"label": "Known", "updatedAt": LATER, "updatedUserId": "8"}
    assert reads.moved() == [("unmanaged.changed", "secret", "user")]


def test_four_that_hubspot_added_are_four_findings(reads):
    """Nothing else is told, whatever was touched meanwhile."""
    reads.listed += [prop(f"hs_new_{at}", createdAt=LATER, updatedAt=LATER) for at in range(4)]

    assert reads.moved() == [("vendor.added", f"hs_new_{at}", "hubspot") for at in range(4)]


def test_a_week_in_which_nothing_happened(reads):
    """Touched times, another order and keys that HubSpot fills in are no findings."""
    reads.listed = [{**one, "updatedAt": LATER, "dataSensitivity": "non_sensitive"} for one in reads.listed[::-1]]
    for one in reads.listed:
        one |= {"showCurrencySymbol": False, "referencedObjectType": None}
        one["options"] = [{**each, "description": ""} for each in one["options"][::-1]]

    assert reads.moved() == []


def described(one):
    return {"options": [{**each, "description": f"About {each['label']}"} for each in one["options"]]}


@pytest.mark.parametrize("names", [["hs_lead_status", "hs_source"], ["hs_lead_status", "hs_source", "hs_status"]])
def test_a_key_that_hubspot_newly_sends_is_nobodys_change(reads, names):
    """Told in one muted line; no time moved, so nobody is blamed, though a portal may edit one of them."""
    for one in reads.listed:
        if one["name"] in names:
            one |= described(one)
    found = reads.says("drift")

    assert found["items"] == []
    cause = "`options/description` newly sent, or no longer sent, by HubSpot"
    assert [(one["cause"], one["count"]) for one in found["muted"]] == [(cause, len(names))]


def test_the_same_key_set_by_a_person_is_that_persons_change(reads):
    """Where HubSpot tells of a user, or only one definition that a portal may edit gained a text."""
    (status,) = [one for one in reads.listed if one["name"] == "hs_lead_status"]
    reads.change("hs_lead_status", **described(status))
    assert reads.moved() == [("portal.changed", "hs_lead_status", "user")]
    for one in reads.listed:
        if one["name"] in ("hs_lead_status", "mixed"):
            one |= {**described(one), "updatedAt": LATER, "updatedUserId": "8"}
    found = reads.says("drift")["items"]

    assert [(one["class"], one["actor"]["type"], one["actor"]["id"]) for one in found] == [
        ("managed.modified", "user", "8"),
        ("portal.changed", "user", "8"),
    ]


MORE = options(("NEW", "New"), ("NURTURE", "Nurture"))


@pytest.mark.parametrize(
    ("name", "fields", "found"),
    [
        ("hs_when", {"type": "string", "updatedAt": LATER}, ("vendor.type-changed", "hubspot")),
        ("fax", {"label": "Fax (deprecated)", "updatedAt": LATER}, ("vendor.relabelled", "hubspot")),
        (
            "hs_source",
            {"options": options(("OFFLINE", "Offline"), ("AI", "AI")), "updatedAt": LATER},
            ("vendor.options-changed", "hubspot"),
        ),
        ("hs_lead_status", {"options": MORE}, ("portal.changed", "user")),
        ("fax", {"groupName": "unused"}, ("portal.changed", "user")),
        ("fax", {"hidden": True}, ("portal.changed", "user")),
        ("notes__", {"label": "Notes", "updatedAt": LATER, "updatedUserId": "8"}, ("managed.modified", "user")),
    ],
)
def test_each_change_has_its_class_and_author(reads, name, fields, found):
    """What HubSpot shipped and what people did are told apart by what a read holds."""
    reads.change(name, **fields)

    assert reads.moved() == [(found[0], name, found[1])]


@pytest.fixture
def whole(reads):
    """The same for a read of everything."""
    reads.elsewhere = copy.deepcopy(ELSEWHERE)
    reads.says("import")
    return reads


def test_a_quiet_week_of_everything(whole):
    """Touched, reshuffled and renumbered stages, labels, groups and per-stage properties are no findings."""
    for path, listed in whole.elsewhere.items():
        listed.reverse()
        for one in listed:
            one["newKey"] = None
            for at, each in enumerate(one.get("stages", [])):
                each |= {"updatedAt": LATER, "displayOrder": at * 10, "metadata": {"isClosed": "false"}}
            one.get("stages", []).reverse()
            if path.endswith("groups"):
                one |= {"displayOrder": 99, "label": one["label"] + " "}
            if path in LABELS:
                one["label"] = f" {one['label']}"
            if path.endswith("deals"):
                one |= {"label": one["label"] + " ", "updatedAt": LATER}
    for one in whole.listed:
        one["options"] = [{**each, "label": each["label"] + " "} for each in one["options"]]
    whole.elsewhere["/crm/v3/properties/deals"][0]["options"].pop()  # dealstage, which mirrors its pipelines
    whole.elsewhere["/crm/v3/pipelines/deals"][0]["stages"].pop()

    assert whole.moved() == []
    assert whole.says("plan")["changes"] == []


@pytest.mark.parametrize("path", [None, *ELSEWHERE])
def test_a_list_that_one_read_lacks(whole, path):
    """What was not read, then or now, is not reported, whatever else was."""
    if path:
        del whole.elsewhere[path]
    else:
        whole.listed = []
    assert whole.moved() == []


NAMED = {
    path: [f"there is no baseline of {name}"]
    for path, name in {
        "/crm/v3/properties/companies": "properties/companies",
        "/crm/v3/properties/deals": "properties/deals",
        "/crm/v3/properties/contacts/groups": "propertyGroups/contacts",
    }.items()
}


@pytest.mark.parametrize("path", ELSEWHERE)
def test_a_list_that_the_baseline_lacks(reads, path):
    """The other way round: nothing is new of a list that the first read did not hold; a watched one is named."""
    reads.elsewhere = {name: copy.deepcopy(listed) for name, listed in ELSEWHERE.items() if name != path}
    reads.says("import")
    reads.elsewhere = copy.deepcopy(ELSEWHERE)

    found = reads.says("drift", codes=(0, 3))

    assert found["items"] == []
    assert [error["message"].partition(",")[0] for error in found["errors"]] == NAMED.get(path, [])


def both(whole, change):
    for path in STAGES:
        change(whole.elsewhere[path][0]["stages"])


def rename(stages):
    for one in stages:
        one |= {"updatedAt": LATER, **({"label": "Lost"} if one["id"] == UUID else {})}


def swap(stages):
    for one in stages:
        one |= {"updatedAt": LATER, "displayOrder": {"17": 3, UUID: 2}.get(one["id"], one["displayOrder"])}


ANOTHER = stage("7e57d004-2b97-4e7a-b45f-5387367791cd", 0, "Fan")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (rename, ("managed.modified", "churned", "user")),
        (swap, ("managed.reordered", "churned", "user")),
        (lambda stages: stages.pop(), ("managed.missing", "churned", "unknown")),
        (lambda stages: stages.insert(0, dict(ANOTHER)), ("unmanaged.added", "fan", "unknown")),
    ],
)
def test_stages_by_their_ids(whole, change, found):
    """A stage whose id is a UUID is told by its name; what follows from it is not told again."""
    both(whole, change)

    assert whole.moved() == [found]


def test_other_object_types_and_labels(whole):
    """Each list has its own findings, each definition its own."""
    whole.elsewhere["/crm/v3/properties/deals"][0] |= {"type": "string", "fieldType": "text", "updatedAt": LATER}
    whole.elsewhere["/crm/v3/properties/companies"][0]["hidden"] = True
    whole.elsewhere["/crm/v3/properties/companies"].append(prop("hs_new", createdAt=LATER))
    whole.elsewhere[LABELS[0]][1]["label"] = "Purchaser"

    assert whole.moved() == [
        ("vendor.type-changed", "amount", "hubspot"),
        ("managed.modified", "bought_by", "unknown"),
        ("portal.changed", "domain", "user"),
        ("vendor.added", "hs_new", "hubspot"),
    ]


def test_the_way_back_of_several_is_one_command_that_works(reads):
    """`--only` takes one address, so it is said for each."""
    for name in ("notes__", "survey_id"):
        reads.change(name, label="Other", updatedAt=LATER, updatedUserId="8")
    reads.says("drift")
    run(["drift", "--from-snapshot", "read.json"])
    text = reads.capsys.readouterr().out

    (command,) = [line.partition("reconciler ")[2] for line in text.splitlines() if "put it back" in line]
    assert run(["plan", "--from-snapshot", "read.json", *shlex.split(command)[1:]]) == 0


@pytest.mark.parametrize(
    ("path", "steps", "value", "told"),
    [
        (LISTS, [0, "name"], None, "name of None is None"),
        (LISTS, [0, "options"], ["a"], "'a' stands where an entry should, in 'hs_descr'"),
        (LISTS, [2, "options", 1, "label"], 5, "label of '1' is 5, in 'survey_id'"),
        (LISTS, [2, "options", 1, "value"], 1, "value of 1 is 1, in 'survey_id'"),
        (LISTS, [2, "options", 1, "displayOrder"], "last", "displayOrder of '1' is 'last', in 'survey_id'"),
        (LISTS, [0, "modificationMetadata"], [1], "modificationMetadata of 'hs_descr' is [1]"),
        (STAGES[0], [0, "stages", 1, "displayOrder"], None, "displayOrder of 'customer' is None, in"),
        (STAGES[1], [0, "stages"], None, "stages of 'companies-lifecycle-pipeline' is None"),
        (LABELS[0], [1, "typeId"], "x", "typeId of 'x' is 'x'"),
        (LISTS + "/groups", [0, "name"], 7, "name of 7 is 7"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "drift", "import"])
def test_an_entry_that_hubspot_never_sends_is_named(whole, command, path, steps, value, told):
    """It is no bug and no absence: the run ends and says which entry of which list is to blame."""
    one = {LISTS: whole.listed, **whole.elsewhere}[path]
    for step in steps[:-1]:
        one = one[step]
    one[steps[-1]] = value

    found = whole.says(command, codes=(8,) if command == "plan" else (0, 2, 8))  # what it does not need, it may ignore

    assert all(error["code"] == "unavailable" for error in found["errors"])
    assert all(error["message"].startswith(f"{path}: {told}") for error in found["errors"])


@pytest.mark.parametrize("other", ["2-5", "p1_machine", "Machine"])
def test_a_custom_object_goes_by_one_of_its_names(reads, other):
    """Declared under two of them, one property would be made twice."""
    schema = {"name": "machine", "objectTypeId": "2-5", "fullyQualifiedName": "p1_machine"}
    reads.elsewhere = {"/crm-object-schemas/v3/schemas": [schema], "/crm/v3/properties/2-5": []}
    reads.elsewhere["/crm/v3/properties/p1_machine"] = []
    entry = "{serial: {label: S, type: string, fieldType: text, groupName: info}}"
    spec = reads.path / "specs/machine.yaml"
    spec.write_text(f"properties: {{machine: {entry}}}\n")
    assert [one["action"] for one in reads.says("plan")["changes"]] == ["create"]
    spec.write_text(f"properties: {{machine: {entry}, {other}: {entry}}}\n")

    wrong = [one for one in reads.says("plan", codes=(3,))["findings"] if one["severity"] == "error"]

    assert [(one["rule"], one["fix"]) for one in wrong] == [("object-type-name", "write machine here as well")]


A, B, X = ("a", "A"), ("b", "B"), ("x", "X")


@pytest.mark.parametrize(
    ("then", "now", "wanted", "ways", "cause"),
    [
        ([A, B, X], [B, A, X], [B, A], [], []),  # as the specs say, whatever stands among them
        ([A, B, X], [B, A, X], [A, B], ["adopt", "apply"], ["revert_drift"]),
        ([A, B, X], [A, X, B], [A, B], ["accept", "adopt"], []),  # the declared ones did not move
        ([A, B], [B, X, A], [A, B], ["adopt", "apply"], ["revert_drift"]),  # one came: no conflict
    ],
)
def test_the_order_of_options_is_that_of_the_declared_ones(reads, then, now, wanted, ways, cause):
    """Options that no spec names stand among them, come and go, and make neither a drift nor a conflict."""
    listed = ", ".join(f"{{value: {value}, label: {label}}}" for value, label in wanted)
    spec = f"label: Tier, type: enumeration, fieldType: select, groupName: info, options: [{listed}]"
    (reads.path / "specs/tier.yaml").write_text(f"properties: {{contacts: {{tier: {{{spec}}}}}}}\n")
    reads.listed.append(custom("tier", **CHOICE, options=options(*then)))
    reads.says("plan")
    assert run(["accept", "--from-snapshot", "read.json", "--all", "--reason", "tier"]) == 0
    reads.change("tier", options=options(*now), updatedAt=LATER, updatedUserId="8")

    items = [one for one in reads.says("drift")["items"] if one["class"] == "managed.reordered"]
    fields = [field for change in reads.says("plan")["changes"] for field in change["fields"]]

    assert [way for one in items for way in one["ways"]] == ways
    assert [field["cause"] for field in fields] == cause
