import httpx
import pytest

from reconciler.emulator import faults

PROPERTIES = "/crm/v3/properties/contacts"
NOTE = {"name": "note", "label": "Note", "type": "string", "fieldType": "text", "groupName": "contactinformation"}


def names(portal):
    return portal.definitions("0-1")["properties"].keys()


@pytest.mark.parametrize(
    ("rule", "status", "words"),
    [
        ({"status": 429}, 429, '"policyName":"TEN_SECONDLY_ROLLING"'),
        ({"status": 429, "policyName": "SECONDLY"}, 429, "You have reached your secondly limit."),
        ({"status": 429, "policyName": "DAILY"}, 429, '"policyName":"DAILY"'),
        ({"status": 423}, 423, "locked"),
        ({"status": 477}, 477, "migrated"),
        ({"status": 500}, 500, "internal error"),
        ({"status": 502}, 502, "<html>"),
        ({"status": 503}, 503, "<html>"),
        ({"status": 504}, 504, "<html>"),
        ({"status": 521}, 521, "<html>"),
        ({"kind": "forbidden"}, 403, "MISSING_SCOPES"),
        ({"kind": "html"}, 200, "<html>"),
        ({"kind": "broken_json"}, 200, '{"results":[{"name":"broken'),
    ],
)
def test_each_kind_of_refusal(client, portal, rule, status, words):
    """A rule answers in HubSpot's words once, is in the log, and has no effect; the next request is normal."""
    faults.add(portal, **rule)
    struck = client.post(PROPERTIES, json=NOTE)

    assert (struck.status_code, words in struck.text, "note" in names(portal)) == (status, True, False)
    assert portal.log[0]["status"] == status
    assert portal.log[0]["fault"] == rule.get("kind", "status")
    assert client.post(PROPERTIES, json=NOTE).status_code == 201


@pytest.mark.parametrize(("kind", "error"), [("timeout", TimeoutError), ("drop", ConnectionError)])
@pytest.mark.parametrize(("when", "effect"), [("before", False), ("after", True)])
def test_a_lost_answer_before_and_after_the_effect(client, portal, kind, error, when, effect):
    """In process a lost answer is an exception; whether the write took place is the rule's choice."""
    faults.add(portal, kind=kind, when=when)
    with pytest.raises(error):
        client.post(PROPERTIES, json=NOTE)

    assert ("note" in names(portal)) is effect
    assert portal.log == [
        {"method": "POST", "path": PROPERTIES, "query": "", "status": 0, "fault": kind},
    ]


def test_a_lost_write_is_on_disk(tmp_path, connect):
    """A write whose answer got lost is there for the next process."""
    from reconciler.emulator import Portal

    portal = Portal.open(tmp_path / "portal.json", seed="empty")
    faults.add(portal, kind="drop", when="after")
    with pytest.raises(ConnectionError):
        connect(portal).post(PROPERTIES, json=NOTE)

    assert "note" in names(Portal.open(tmp_path / "portal.json"))


def test_retry_after_is_told_when_the_rule_says_so(client, portal):
    """With and without the header, as HubSpot does both."""
    faults.add(portal, status=429)
    faults.add(portal, status=477, retryAfter=30, nth=2)
    bare, told = client.get(PROPERTIES), client.get(PROPERTIES)

    assert "Retry-After" not in bare.headers
    assert told.headers["Retry-After"] == "30"


def test_a_truncated_answer_announces_its_whole_length(client, portal):
    """Half of the body arrives, and the length of the whole was promised."""
    whole = client.get(PROPERTIES).content
    faults.add(portal, kind="truncate", when="after")
    cut = client.get(PROPERTIES)

    assert cut.headers["Content-Length"] == str(len(whole))
    assert cut.content == whole[: len(whole) // 2]


def test_rules_choose_method_path_and_turn(client, portal):
    """Only the second and third write of groups are struck."""
    faults.add(portal, method="POST", path="/groups$", nth=2, count=2, status=500)
    statuses = []
    for name in ("a", "b", "c", "d"):
        client.get(f"{PROPERTIES}/groups")
        statuses.append(client.post(f"{PROPERTIES}/groups", json={"name": name, "label": name}).status_code)

    assert statuses == [201, 500, 500, 201]


def test_a_count_of_zero_strikes_for_ever_until_cleared(client, portal):
    """A collection can be closed for good, and opened again."""
    faults.add(portal, kind="forbidden", path="/companies", count=0)
    closed = [client.get("/crm/v3/properties/companies").status_code for _ in range(3)]
    open_ = client.get(PROPERTIES).status_code
    faults.clear(portal)

    assert (closed, open_) == ([403, 403, 403], 200)
    assert client.get("/crm/v3/properties/companies").status_code == 200


def test_chance_is_repeatable(portal, connect):
    """The same seed strikes the same requests, about as many as the probability says."""
    runs = []
    for _ in range(2):
        faults.clear(portal)
        faults.add(portal, probability=0.3, count=0, seed=5)
        client = connect(portal)
        runs.append([client.get(f"{PROPERTIES}/email").status_code for _ in range(60)])

    assert runs[0] == runs[1]
    assert 8 <= runs[0].count(500) <= 28


def test_rules_come_over_http_too(client, portal):
    """Rules are added one by one or as a list, read with their counters, and cleared."""
    client.post("/_emulator/faults", json={"status": 503})
    client.post("/_emulator/faults", json=[{"kind": "drop", "nth": 5}])
    struck = client.get(PROPERTIES).status_code
    rules = client.get("/_emulator/faults").json()["results"]

    assert struck == 503
    assert [(rule["kind"], rule["seen"]) for rule in rules] == [("status", 1), ("drop", 1)]
    assert client.post("/_emulator/faults", json={"kind": "earthquake"}).status_code == 400
    client.delete("/_emulator/faults")
    assert isinstance(client.get(PROPERTIES), httpx.Response)


def test_what_is_no_list_is_not_paged(client, portal):
    """A rule for every path leaves writes and single reads as they are."""
    faults.add(portal, kind="page", when="after", count=0)

    assert client.get("/crm/v3/properties/contacts/email").json()["name"] == "email"
    assert client.post("/crm/v3/properties/contacts/batch/archive", json={"inputs": []}).status_code == 204
