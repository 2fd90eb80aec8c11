import pytest
from embedded_account import Account

LIFECYCLE = "/crm/v3/pipelines/contacts/contacts-lifecycle-pipeline"
COMPANIES = "/crm/v3/pipelines/companies/companies-lifecycle-pipeline"
DEALS = "/crm/v3/pipelines/deals"
TICKETS = "/crm/v3/pipelines/tickets"
EPOCH = "1970-01-01T00:00:00Z"
FAMILIES = ["cumulative_time_in", "date_entered", "date_exited", "latest_time_in"]


def stage(label, order, **metadata):
    return {"label": label, "displayOrder": order, "metadata": metadata}


def deal_stage(label, order, probability="0.5", **more):
    return {"label": label, "displayOrder": order, "metadata": {"probability": probability}, **more}


def orders(account, path):
    return {one["label"]: one["displayOrder"] for one in account.get(path)["stages"]}


def labels(account, path):
    return [one["label"] for one in sorted(account.get(path)["stages"], key=lambda one: one["displayOrder"])]


def pipeline_of_deals(account, *stages, label="Partners", **more):
    return account.made(DEALS, {"label": label, "displayOrder": 1, "stages": [*stages], **more})["id"]


def test_lifecycle_starts_with_eight_stages_from_the_epoch():
    """A portal that nobody customised has HubSpot's eight stages, dated 1970."""
    [pipeline] = Account().get("/crm/v3/pipelines/contacts")["results"]
    assert pipeline["id"] == "contacts-lifecycle-pipeline"
    assert pipeline["label"] == "Lifecycle Stage Pipeline"
    assert [one["id"] for one in pipeline["stages"]] == [
        "subscriber",
        "lead",
        "marketingqualifiedlead",
        "salesqualifiedlead",
        "opportunity",
        "customer",
        "evangelist",
        "other",
    ]
    assert pipeline["stages"][7] == {
        "label": "Other",
        "displayOrder": 7,
        "metadata": {"isClosed": "true", "state": "CLOSED"},
        "id": "other",
        "createdAt": EPOCH,
        "updatedAt": EPOCH,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        "archived": False,
    }
    assert (pipeline["createdAt"], pipeline["updatedAt"]) == (EPOCH, EPOCH)


def test_first_customisation_dates_all_stages_at_once():
    """After one edit all stages share a creation and an update time, and the pipeline still dates from 1970."""
    account = Account()
    account.made(LIFECYCLE + "/stages", stage("Trial", 8, state="OPEN"))
    pipeline = account.get(LIFECYCLE)
    assert pipeline["createdAt"] == EPOCH
    assert {one["createdAt"] for one in pipeline["stages"]} == {pipeline["updatedAt"]}
    assert {one["updatedAt"] for one in pipeline["stages"]} == {pipeline["updatedAt"]}


def test_a_later_edit_moves_every_update_time_and_no_creation_time():
    """Any edit gives all stages and the pipeline one new updatedAt."""
    account = Account()
    account.made(LIFECYCLE + "/stages", stage("Trial", 8, state="OPEN"))
    before = account.get(LIFECYCLE)
    account.call("PATCH", LIFECYCLE + "/stages/lead", {"label": "Prospect"})
    after = account.get(LIFECYCLE)
    assert after["updatedAt"] > before["updatedAt"]
    assert {one["updatedAt"] for one in after["stages"]} == {after["updatedAt"]}
    assert [one["createdAt"] for one in after["stages"]] == [one["createdAt"] for one in before["stages"]]


@pytest.mark.parametrize(
    ("mirror", "write", "read", "seen"),
    [
        ("none", LIFECYCLE, COMPANIES, False),
        ("both", LIFECYCLE, COMPANIES, True),
        ("both", COMPANIES, LIFECYCLE, True),
        ("contacts_to_companies", LIFECYCLE, COMPANIES, True),
        ("contacts_to_companies", COMPANIES, LIFECYCLE, False),
    ],
)
def test_the_lifecycle_mirror_is_a_switch(mirror, write, read, seen):
    """Create, rename and delete reach the other object's lifecycle exactly as the switch says, under one id."""
    account = Account(lifecycleMirror=mirror)
    made = account.made(write + "/stages", stage("Trial", 2, state="OPEN"))["id"]
    assert made.isdigit()
    assert (made in [one["id"] for one in account.get(read)["stages"]]) is seen
    account.call("PATCH", f"{write}/stages/{made}", {"label": "Pilot"})
    assert ("Pilot" in labels(account, read)) is seen
    account.call("DELETE", f"{write}/stages/{made}")
    assert len(account.get(read)["stages"]) == 8


@pytest.mark.parametrize(("allowed", "chosen"), [(True, True), (False, False)])
def test_chosen_ids_of_lifecycle_stages_are_a_switch(allowed, chosen):
    """Where chosen ids are off, HubSpot gives a number instead and says nothing."""
    account = Account(lifecycleStageIds=allowed)
    made = account.made(LIFECYCLE + "/stages", {**stage("Trial", 8, state="OPEN"), "stageId": "trial"})
    assert (made["id"] == "trial") is chosen
    assert made["id"] in [one["id"] for one in account.get(LIFECYCLE)["stages"]]


def test_options_of_lifecyclestage_mirror_the_stages_without_moving_its_time():
    """The property shows the stages in their order, and its updatedAt stays."""
    account = Account("default")
    before = account.properties("contacts")["lifecyclestage"]
    made = account.made(LIFECYCLE + "/stages", stage("Trial", 1, state="OPEN"))["id"]
    after = account.properties("contacts")["lifecyclestage"]
    assert [one["value"] for one in after["options"]][:4] == ["subscriber", "lead", made, "marketingqualifiedlead"]
    assert after["options"][2] == {"label": "Trial", "value": made, "displayOrder": 2, "hidden": False}
    assert after["updatedAt"] == before["updatedAt"]


def test_a_custom_stage_owns_four_properties_that_come_and_go_with_it():
    """A new stage adds its four properties, a rename relabels them, a delete removes them."""
    account = Account("default")
    made = account.made(LIFECYCLE + "/stages", stage("Trial", 8, state="OPEN"))["id"]
    names = [f"hs_v2_{family}_{made}" for family in FAMILIES]
    entered = account.properties("contacts")[names[1]]
    assert entered["label"] == 'Date entered "Trial (Lifecycle Stage Pipeline)"'
    assert (entered["groupName"], entered["hubspotDefined"], entered["archived"]) == ("contactlcs", True, False)
    assert entered["updatedUserId"] == "1001"
    assert "createdUserId" not in entered
    assert entered["updatedAt"] == account.get(LIFECYCLE)["updatedAt"]
    account.call("PATCH", f"{LIFECYCLE}/stages/{made}", {"label": "Pilot"})
    assert account.properties("contacts")[names[0]]["label"] == 'Cumulative time in "Pilot (Lifecycle Stage Pipeline)"'
    account.call("DELETE", f"{LIFECYCLE}/stages/{made}")
    assert not account.properties("contacts").keys() & {*names}


def test_properties_of_default_stages_are_global_and_follow_a_rename_silently():
    """HubSpot's own stages have properties without an archived key, whose label changes without any trace."""
    account = Account("default")
    name = "hs_v2_date_entered_lead"
    before = account.properties("companies")[name]
    assert "archived" not in before
    assert "updatedUserId" not in before
    account.call("PATCH", COMPANIES + "/stages/lead", {"label": "Prospect"})
    after = account.properties("companies")[name]
    assert after["label"] == 'Date entered "Prospect (Lifecycle Stage Pipeline)"'
    assert (after["updatedAt"], after["groupName"]) == (before["updatedAt"], "companylcs")
    assert "updatedUserId" not in after


def test_a_uuid_stage_id_becomes_underscores_and_a_number_in_property_names():
    """Property names of such a stage start with its id, but cannot be derived from it."""
    account = Account("default")
    chosen = "0b5ee5f2-58ba-4b7f-8d3e-1f6f3a9c1d20"
    pipeline_of_deals(account, deal_stage("New", 0, stageId=chosen))
    prefix = "hs_v2_date_entered_0b5ee5f2_58ba_4b7f_8d3e_1f6f3a9c1d20_"
    [name] = [one for one in account.properties("deals") if one.startswith(prefix)]
    assert name.removeprefix(prefix).isdigit()


def test_deleting_a_pipeline_takes_its_stage_properties_along():
    """After a pipeline is gone no property of its stages is listed."""
    account = Account("default")
    before = account.properties("deals").keys()
    pipeline = pipeline_of_deals(account, deal_stage("New", 0))
    assert len(account.properties("deals").keys() - before) == 4
    assert account.call("DELETE", f"{DEALS}/{pipeline}") == (204, None)
    assert account.properties("deals").keys() == before


def test_the_deal_pipeline_has_seven_stages_with_canonical_probabilities():
    """The default deal pipeline is HubSpot's, probabilities are texts."""
    [pipeline] = Account().get(DEALS)["results"]
    assert (pipeline["id"], pipeline["label"]) == ("default", "Sales Pipeline")
    assert {one["id"]: one["metadata"]["probability"] for one in pipeline["stages"]} == {
        "appointmentscheduled": "0.2",
        "qualifiedtobuy": "0.4",
        "presentationscheduled": "0.6",
        "decisionmakerboughtin": "0.8",
        "contractsent": "0.9",
        "closedwon": "1.0",
        "closedlost": "0.0",
    }


def test_a_write_echoes_what_was_sent_and_a_read_tells_what_is_stored():
    """The answer to a write repeats the request; the read has canonical metadata and the real order."""
    account = Account()
    body = {"label": " Won ", "displayOrder": 0, "metadata": {"probability": 1, "isClosed": "false", "colour": "red"}}
    made = account.made(DEALS + "/default/stages", body)
    assert made["metadata"] == {"probability": "1", "isClosed": "false", "colour": "red"}
    assert made["displayOrder"] == 0
    stored = account.get(f"{DEALS}/default/stages/{made['id']}")
    assert stored["metadata"] == {"isClosed": "true", "probability": "1.0"}
    assert (stored["label"], stored["displayOrder"]) == (" Won ", 1)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (stage("Won", 9), (400, None, None)),
        (deal_stage("Won", 9, "1.5"), (400, None, None)),
        (deal_stage("Won", 9, "often"), (400, None, None)),
        (deal_stage(" CLOSED WON ", 9), (400, "VALIDATION_ERROR", "PipelineError.STAGE_LABEL_EXISTS")),
        (deal_stage("Won", -1), (400, "VALIDATION_ERROR", None)),
        ({"label": "Won", "metadata": {"probability": "1"}}, (400, None, None)),
        (deal_stage("Won", 9, stageId="closedwon"), (400, None, None)),
        (deal_stage("Won", 9, stageId="x" * 101), (500, None, None)),
    ],
)
def test_a_stage_that_cannot_be_is_refused(body, refusal):
    """Each wrong stage gets HubSpot's own refusal, and nothing is stored."""
    account = Account()
    assert account.refused("POST", DEALS + "/default/stages", body) == refusal
    assert len(account.get(DEALS + "/default")["stages"]) == 7


def test_a_patch_keeps_what_it_does_not_send():
    """Empty metadata keep the values, a null probability is refused, the id cannot be changed."""
    account = Account()
    path = DEALS + "/default/stages/contractsent"
    assert account.call("PATCH", path, {"metadata": {}})[0] == 200
    assert account.get(path)["metadata"] == {"isClosed": "false", "probability": "0.9"}
    assert account.refused("PATCH", path, {"metadata": {"probability": None}}) == (400, None, None)
    assert account.call("PATCH", path, {"label": "Paper out", "stageId": "other", "metadata": {}})[0] == 200
    assert account.get(path)["label"] == "Paper out"


def test_a_write_on_a_taken_slot_lands_after_the_holder_and_renumbers():
    """Slots are 0 to n-1 again after a stage was put on a taken one."""
    account = Account()
    pipeline = pipeline_of_deals(account, deal_stage("A", 0), deal_stage("B", 5), deal_stage("C", 9))
    path = f"{DEALS}/{pipeline}"
    account.made(path + "/stages", deal_stage("D", 5))
    assert orders(account, path) == {"A": 0, "B": 1, "D": 2, "C": 3}


def test_a_write_on_a_free_slot_moves_only_that_stage():
    """Gaps survive when nobody is in the way."""
    account = Account()
    pipeline = pipeline_of_deals(account, deal_stage("A", 0), deal_stage("B", 5), deal_stage("C", 9))
    path = f"{DEALS}/{pipeline}"
    [first] = [one["id"] for one in account.get(path)["stages"] if one["label"] == "A"]
    account.call("PATCH", f"{path}/stages/{first}", {"displayOrder": 7})
    assert orders(account, path) == {"B": 5, "A": 7, "C": 9}


def test_ties_inside_one_create_resolve_against_the_order_of_the_request():
    """Of two stages sent with one slot the later one comes first."""
    account = Account()
    pipeline = pipeline_of_deals(account, deal_stage("A", 0), deal_stage("B", 0), deal_stage("C", 1))
    assert orders(account, f"{DEALS}/{pipeline}") == {"B": 0, "A": 1, "C": 2}


def test_the_list_is_in_no_order_and_knows_no_paging():
    """Pipelines come as they were made, whatever their order, limit or archived flag."""
    account = Account()
    account.made(DEALS, {"label": "Early", "displayOrder": 0, "stages": [deal_stage("New", 0)]})
    account.call("PATCH", DEALS + "/default", {"displayOrder": 5})
    answer = account.get(DEALS + "?limit=1&archived=true")
    assert [(one["label"], one["displayOrder"]) for one in answer["results"]] == [("Sales Pipeline", 5), ("Early", 0)]
    assert answer.keys() == {"results"}


@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        (DEALS, {"pipelineId": "mine"}, (400, "VALIDATION_ERROR", None)),
        (TICKETS, {"pipelineId": "mine"}, (409, "CONFLICT", "PipelineError.STAGE_ID_EXISTS_IN_ANOTHER_PIPELINE")),
        (DEALS, {"stageId": "taken"}, (409, "CONFLICT", "PipelineError.STAGE_ID_EXISTS_IN_ANOTHER_PIPELINE")),
        (DEALS, {"pipelineId": "p" * 37}, (500, None, None)),
        (DEALS, {"label": "PARTNERS "}, (400, "VALIDATION_ERROR", None)),
        (DEALS, {"stages": []}, (400, "VALIDATION_ERROR", None)),
    ],
)
def test_a_pipeline_that_cannot_be_is_refused(path, body, refusal):
    """The refusals of taken ids differ by who holds the id, and nothing is stored."""
    account = Account()
    pipeline_of_deals(account, deal_stage("New", 0, stageId="taken"), pipelineId="mine")
    metadata = {"probability": "0.5", "ticketState": "CLOSED"}
    first = {"label": "New", "displayOrder": 0, "metadata": metadata, "stageId": body.pop("stageId", "free")}
    asked = {"label": "Other", "displayOrder": 2, "stages": [first], **body}
    assert account.refused("POST", path, asked) == refusal
    assert [len(account.get(one)["results"]) for one in (DEALS, TICKETS)] == [2, 1]


def test_stage_labels_within_one_create_are_unique_without_a_sub_category():
    """A label twice in one pipeline body is refused, in other words than on a stage."""
    body = {"label": "P", "displayOrder": 0, "stages": [deal_stage("New", 0), deal_stage("new ", 1)]}
    assert Account().refused("POST", DEALS, body) == (400, "VALIDATION_ERROR", None)


def test_a_ticket_pipeline_keeps_a_closed_stage():
    """Create, PATCH and DELETE that would leave no CLOSED stage are refused."""
    account = Account()
    missing = (400, "VALIDATION_ERROR", "PipelineError.MISSING_CLOSED_STAGE")
    body = {"label": "P", "displayOrder": 1, "stages": [stage("New", 0)]}
    assert account.refused("POST", TICKETS, body) == missing
    assert account.refused("PATCH", TICKETS + "/0/stages/4", {"metadata": {"ticketState": "OPEN"}}) == missing
    assert account.refused("DELETE", TICKETS + "/0/stages/4") == missing
    wrong = {"metadata": {"ticketState": "closed"}}
    invalid = (400, "VALIDATION_ERROR", "PipelineError.INVALID_PIPELINE_STAGE_METADATA")
    assert account.refused("PATCH", TICKETS + "/0/stages/4", wrong) == invalid


def test_deleting_a_stage_answers_204_for_anything():
    """Only a read proves a delete: a wrong pipeline or an unknown id are 204 too, and change nothing."""
    account = Account()
    pipeline = pipeline_of_deals(account, deal_stage("New", 0), deal_stage("Old", 1))
    assert account.call("DELETE", f"{DEALS}/{pipeline}/stages/closedwon") == (204, None)
    assert account.call("DELETE", DEALS + "/default/stages/nobody") == (204, None)
    assert account.call("DELETE", DEALS + "/nowhere/stages/closedwon") == (204, None)
    assert len(account.get(DEALS + "/default")["stages"]) == 7
    assert account.call("DELETE", DEALS + "/default/stages/closedwon") == (204, None)
    assert len(account.get(DEALS + "/default")["stages"]) == 6


def test_the_last_stage_stays():
    """A pipeline cannot lose its only stage."""
    account = Account()
    pipeline = pipeline_of_deals(account, deal_stage("New", 0))
    [only] = account.get(f"{DEALS}/{pipeline}")["stages"]
    refusal = account.refused("DELETE", f"{DEALS}/{pipeline}/stages/{only['id']}")
    assert refusal == (400, "VALIDATION_ERROR", None)


@pytest.mark.parametrize(
    ("version", "query", "guarded"),
    [
        ("/crm/v3/pipelines", "", False),
        ("/crm/v3/pipelines", "?validateReferencesBeforeDelete=true", True),
        ("/crm/pipelines/2026-09", "?validateReferencesBeforeDelete=false", True),
    ],
)
def test_a_stage_in_use_is_guarded_by_the_flag_and_always_on_2026_09(version, query, guarded):
    """Records keep a stage where the check runs, but not those in the recycle bin."""
    account = Account(lifecycleMirror="none")
    account.portal.add_records("0-1", [{"id": "7", "properties": {"lifecyclestage": "lead"}}])
    path = f"{version}/contacts/contacts-lifecycle-pipeline/stages/lead{query}"
    status, body = account.call("DELETE", path)
    assert status == (400 if guarded else 204)
    if guarded:
        assert body["subCategory"] == "PipelineError.STAGE_ID_IN_USE"
        assert body["context"] == {"stageIds": ["lead"], "objectIds": ["7"]}
    account.portal.state["records"]["0-1"]["7"]["archived"] = True
    assert account.call("DELETE", path) == (204, None)
    assert len(account.get(LIFECYCLE)["stages"]) == 7


def test_replacing_a_pipeline_drops_the_stages_that_are_left_out():
    """PUT keeps stages by id, numbers those without one, and refuses on 2026-09 to drop one in use."""
    account = Account()
    account.portal.add_records("0-3", [{"properties": {"dealstage": "closedlost"}}])
    body = {
        "label": "Sales",
        "displayOrder": 0,
        "stages": [deal_stage("Won", 0, "1", stageId="closedwon"), deal_stage("New", 1)],
    }
    in_use = (400, "VALIDATION_ERROR", "PipelineError.STAGE_ID_IN_USE")
    assert account.refused("PUT", "/crm/pipelines/2026-09/deals/default", body) == in_use
    assert account.call("PUT", DEALS + "/default", body)[0] == 200
    stages = account.get(DEALS + "/default")["stages"]
    assert [(one["id"].isdigit(), one["label"]) for one in stages] == [(False, "Won"), (True, "New")]


def test_what_is_not_there_is_404_in_four_shapes():
    """Reads and PATCHes have no body (HTML without Accept), the stage list no category, the delete a whole error."""
    account = Account()
    assert account.call("GET", DEALS + "/none") == (404, None)
    assert account.call("PATCH", DEALS + "/none", {"label": "x"}) == (404, None)
    assert account.call("GET", DEALS + "/default/stages/none") == (404, None)
    assert account.refused("GET", DEALS + "/none/stages") == (404, None, None)
    assert account.refused("DELETE", DEALS + "/none") == (404, "OBJECT_NOT_FOUND", None)
    page = account.client.get(DEALS + "/none", headers={"Accept": "*/*"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html;charset=utf-8")


def test_lifecycle_pipelines_can_neither_be_added_nor_deleted():
    """Contacts and companies have their one pipeline, for good."""
    account = Account()
    body = {"label": "Mine", "displayOrder": 1, "stages": [stage("New", 0)]}
    assert account.refused("POST", "/crm/v3/pipelines/contacts", body)[0] == 400
    assert account.refused("DELETE", COMPANIES)[0] == 400


def test_the_audit_tells_who_changed_what_and_what_was_before():
    """Every change of a pipeline leaves user, time, action and the text of what it replaced."""
    account = Account(lifecycleMirror="none")
    account.portal.state["tokens"] = {"any": {"userId": "1001"}, "dana": {"userId": "2002"}}
    account.call("PATCH", LIFECYCLE + "/stages/lead", {"label": "Prospect"}, token="dana")
    [entry] = account.get(LIFECYCLE + "/stages/lead/audit")["results"]
    assert (entry["action"], entry["identifier"], entry["fromUserId"]) == ("UPDATE", "lead", 2002)
    assert entry["timestamp"] == account.get(LIFECYCLE)["updatedAt"]
    assert '"label": "Lead"' in entry["rawObject"]
    account.call("DELETE", LIFECYCLE + "/stages/lead")
    assert [one["action"] for one in account.get(LIFECYCLE + "/audit")["results"]] == ["DELETE", "UPDATE"]


@pytest.mark.parametrize(
    ("object_type", "count"),
    [("orders", 0), ("appointments", 1), ("services", 1), ("listings", 1), ("courses", 1), ("products", 0)],
)
def test_other_objects_have_the_pipelines_that_were_seen(object_type, count):
    """Orders start with none; appointments and the like with one under a UUID."""
    found = Account().get(f"/crm/v3/pipelines/{object_type}")["results"]
    assert len(found) == count
    assert all(len(one["id"]) == 36 for one in found)


@pytest.mark.parametrize(
    ("scopes", "status", "named"),
    [
        (["crm.schemas.contacts.read"], 200, None),
        (["crm.schemas.contacts.write"], 403, []),
        (["crm.schemas.deals.read"], 403, ["crm.schemas.contacts.read"]),
    ],
)
def test_reading_needs_a_scope_of_the_object(scopes, status, named):
    """The scope must match the object; a key that may only write is not told what it lacks."""
    account = Account()
    account.portal.state["tokens"] = {"any": {"userId": "1001", "scopes": scopes}}
    got, body = account.call("GET", LIFECYCLE)
    assert got == status
    if named is not None:
        assert body["category"] == "MISSING_SCOPES"
        assert body.get("context", {}).get("requiredGranularScopes", [])[:1] == named


def test_customised_stages_survive_a_restart(tmp_path):
    """The state file keeps what was written, and a read changes nothing."""
    account = Account()
    account.portal.path = tmp_path / "portal.json"
    account.made(LIFECYCLE + "/stages", stage("Trial", 1, state="OPEN"))
    before = account.get(LIFECYCLE)
    again = type(account.portal).open(tmp_path / "portal.json")
    assert again.state["pipelines"]["0-1"]["contacts-lifecycle-pipeline"]["stages"] == before["stages"]


def test_a_new_stage_has_to_say_its_metadata():
    """A body without it is refused by the deserialiser; a PATCH needs none."""
    account = Account()

    assert account.refused("POST", f"{LIFECYCLE}/stages", {"label": "Trial", "displayOrder": 8})[0] == 400
    assert account.call("PATCH", f"{LIFECYCLE}/stages/lead", {"label": "Leads"})[0] == 200


def test_orders_have_room_for_fifty_pipelines():
    """The fifty-first is refused, and the limits say fifty before."""
    account = Account()
    path, open_stage = "/crm/v3/pipelines/orders", stage("Open", 0, state="OPEN")
    for number in range(50):
        account.made(path, {"label": f"P{number}", "displayOrder": number, "stages": [open_stage]})
    rows = account.get("/crm/v3/limits/pipelines")["hubspotDefinedObjectTypes"]

    assert account.refused("POST", path, {"label": "P50", "displayOrder": 50, "stages": [open_stage]})[0] == 400
    assert {row["objectTypeId"]: row["limit"] for row in rows}["0-123"] == 50


@pytest.mark.parametrize(("mirror", "same"), [("both", True), ("contacts_to_companies", True), ("none", False)])
def test_a_replaced_lifecycle_is_mirrored_like_any_other_write(mirror, same):
    """A PUT of the contacts' lifecycle gives the companies' one the same stages, and its property the same options."""
    account = Account(lifecycleMirror=mirror)
    stages = [stage("Lead", 0, state="OPEN") | {"stageId": "lead"}, stage("Trial", 1, state="OPEN")]
    body = {"label": "Lifecycle Stage Pipeline", "displayOrder": 0, "stages": stages}
    assert account.call("PUT", LIFECYCLE, body)[0] == 200

    options = [
        [(option["value"], option["label"]) for option in account.properties(name)["lifecyclestage"]["options"]]
        for name in ("contacts", "companies")
    ]
    assert (options[0] == options[1]) is same
    assert [label for _, label in options[0]] == ["Lead", "Trial"]
