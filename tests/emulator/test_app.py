import json
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from reconciler.emulator import Portal, create_app

PROPERTIES = "/crm/v3/properties/contacts"
NOTE = {"name": "note", "label": "Note", "type": "string", "fieldType": "text", "groupName": "contactinformation"}


def plain_call(app, method, path, accept="application/json"):
    """Calls an application as a strict WSGI server would."""
    environ = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": ""}
    environ |= {"HTTP_ACCEPT": accept, "HTTP_AUTHORIZATION": "Bearer x"}
    setup_testing_defaults(environ)
    started = []
    body = app(environ, lambda status, headers, exc_info=None: started.append((status, dict(headers))))
    try:
        return (*started[0], b"".join(body))
    finally:
        body.close()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", PROPERTIES, "200 OK"),
        ("GET", "/crm/v3/nowhere", "404 Not Found"),
        ("DELETE", f"{PROPERTIES}/email", "400 Bad Request"),
        ("POST", f"{PROPERTIES}/batch/archive", "400 Bad Request"),
        ("DELETE", "/_emulator/log", "204 No Content"),
        ("PUT", PROPERTIES, "405 Method Not Allowed"),
    ],
)
def test_the_application_is_sound_wsgi(portal, method, path, status):
    """A strict validator finds nothing in any kind of answer."""
    assert plain_call(validator(create_app(portal)), method, path)[0] == status


def test_a_missing_or_unknown_token_is_refused(client, portal, connect):
    """401 with HubSpot's category, once for no token and once for one that is not the account's."""
    missing = client.get(PROPERTIES, headers={"Authorization": ""})
    portal.state["tokens"] = {"known": {"userId": 7}}
    unknown = client.get(PROPERTIES)

    assert (missing.status_code, unknown.status_code) == (401, 401)
    assert unknown.json()["category"] == "INVALID_AUTHENTICATION"
    assert connect(portal, "known").get(PROPERTIES).status_code == 200


def test_scopes_open_what_they_name(portal, connect):
    """A read key is told the scope that a write needs; a write-only key is told nothing."""
    portal.state["tokens"] = {
        "read": {"scopes": ["crm.schemas.contacts.read"]},
        "write": {"scopes": ["crm.schemas.contacts.write"]},
    }
    reader, writer = connect(portal, "read"), connect(portal, "write")
    refused = reader.post(PROPERTIES, json=NOTE)
    blind = writer.get(PROPERTIES)

    assert reader.get(PROPERTIES).status_code == 200
    assert refused.json()["context"] == {"requiredGranularScopes": ["crm.schemas.contacts.write"]}
    assert writer.post(PROPERTIES, json=NOTE).status_code == 201
    assert (blind.status_code, blind.json()["category"]) == (403, "MISSING_SCOPES")
    assert "context" not in blind.json()
    assert reader.get("/crm/v3/properties/deals").status_code == 403


def test_an_unknown_path_is_a_page_or_empty(client):
    """Who asks for JSON gets an empty 404, anybody else HTML."""
    page = client.get("/crm/v3/nowhere", headers={"Accept": "*/*"})
    empty = client.get("/crm/v3/nowhere")

    assert (page.status_code, empty.status_code) == (404, 404)
    assert page.headers["content-type"].startswith("text/html")
    assert empty.content == b""


def test_a_body_that_is_no_json(client):
    """The deserialiser says line and column, and gives no category."""
    answer = client.post(PROPERTIES, content=b'{"name": oops}', headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Invalid input JSON on line 1, column 10")
    assert "category" not in answer.json()


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_that_does_not_call_itself_json_is_not_read(client, kind):
    """415, as whoever forgets the content type is answered by HubSpot."""
    answer = client.post(PROPERTIES, content=json.dumps(NOTE), headers={"Content-Type": kind})

    assert (answer.status_code, answer.json()["message"]) == (415, "HTTP 415 Unsupported Media Type")
    assert client.get(f"{PROPERTIES}/note").status_code == 404


@pytest.mark.parametrize("path", ["Größe", "GrÃ¶Ã\x9fe", "группа"])
def test_a_path_may_come_in_any_letters(portal, connect, path):
    """WSGI hands on bytes in disguise, httpx real letters; both name the same group."""
    name = "группа" if path == "группа" else "Größe"
    connect(portal).post(f"{PROPERTIES}/groups", json={"name": name, "label": "Size"})

    status, _, _ = plain_call(validator(create_app(portal)), "GET", f"{PROPERTIES}/groups/{path}")
    assert status == "200 OK"


def test_a_read_or_a_delete_has_no_body(client):
    """What some tools send along with it is not looked at."""
    client.post(PROPERTIES, json=NOTE)

    assert client.request("GET", f"{PROPERTIES}/note", content="{").status_code == 200
    assert client.request("DELETE", f"{PROPERTIES}/note", content="null").status_code == 204


def test_a_head_is_a_get_without_its_body(client):
    """Status and length are those of the GET."""
    got, head = client.get(f"{PROPERTIES}/email"), client.head(f"{PROPERTIES}/email")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(got.content))
    assert client.head(f"{PROPERTIES}/nope").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        f"{PROPERTIES}?dataSensitivity=secret",
        f"{PROPERTIES}/email?dataSensitivity=secret",
        "/crm/v3/owners?limit=many",
        "/crm/v3/owners?after=-1",
        "/account-info/v3/activity/audit-logs?limit=x",
    ],
)
def test_a_query_that_cannot_be_read_is_refused(client, path):
    """A word that is none of the list, or no number, is a 400 and not an empty answer."""
    answer = client.get(path)

    assert (answer.status_code, answer.json()["status"]) == (400, "error")


def test_every_answer_carries_id_and_budget(client):
    """Correlation id and rate limit headers are on successes and on refusals."""
    good, bad = client.get(PROPERTIES), client.get(f"{PROPERTIES}/nope")

    assert bad.json()["correlationId"] == bad.headers["X-HubSpot-Correlation-Id"]
    assert good.headers["X-HubSpot-RateLimit-Max"] == bad.headers["X-HubSpot-RateLimit-Max"] == "190"
    assert good.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"


def test_the_window_rolls(client, portal, clock):
    """The third request in ten seconds is one too many, and the first place is free again ten seconds later."""
    portal.switches.update(rateLimit=2, retryAfter=True)
    first = client.get(PROPERTIES)
    clock.seconds += 4
    second, third = client.get(PROPERTIES), client.get(PROPERTIES)
    clock.seconds += 6
    fourth, fifth = client.get(PROPERTIES), client.get(PROPERTIES)

    assert [one.status_code for one in (first, second, third, fourth, fifth)] == [200, 200, 429, 200, 429]
    assert [one.headers["X-HubSpot-RateLimit-Remaining"] for one in (first, second, third)] == ["1", "0", "0"]
    assert third.json()["policyName"] == "TEN_SECONDLY_ROLLING"
    assert (third.headers["Retry-After"], fifth.headers["Retry-After"]) == ("6", "4")


def test_a_day_ends_at_midnight_in_the_zone_of_the_account(client, portal, clock):
    """What is left of a day's requests is in every answer; what is too many is refused until the day is over."""
    portal.switches["dailyLimit"] = 2
    clock.seconds = 1_790_053_199.0  # a second before five o'clock at Greenwich, midnight in New York's winter
    first, second, third = (client.get(PROPERTIES) for _ in range(3))
    clock.seconds += 1
    next_day = client.get(PROPERTIES)

    assert [one.status_code for one in (first, second, third, next_day)] == [200, 200, 429, 200]
    left = [one.headers["X-HubSpot-RateLimit-Daily-Remaining"] for one in (first, second, third, next_day)]
    assert left == ["1", "0", "0", "1"]
    assert (third.json()["policyName"], third.json()["message"]) == ("DAILY", "You have reached your daily limit.")


def test_searches_have_a_budget_of_their_own(client, portal, clock):
    """A search is limited by the second and tells nothing of any budget."""
    portal.switches["searchRateLimit"] = 1
    search = "/crm/v3/objects/contacts/search"
    first, second = (client.post(search, json={"filterGroups": [], "limit": 1}) for _ in range(2))
    clock.seconds += 1
    third = client.post(search, json={"filterGroups": [], "limit": 1})

    assert [one.status_code for one in (first, second, third)] == [200, 429, 200]
    assert second.json()["policyName"] == "SECONDLY"
    assert not [name for name in first.headers if "ratelimit" in name.lower()]


def test_the_log_has_every_request_but_those_about_the_emulator(client):
    """Method, path and status stand in the log in order, and it can be cleared."""
    client.get(f"{PROPERTIES}?archived=true")
    client.post(PROPERTIES, json={})
    log = client.get("/_emulator/log", headers={"Authorization": ""}).json()["results"]

    assert log == [
        {"method": "GET", "path": PROPERTIES, "query": "archived=true", "status": 200},
        {"method": "POST", "path": PROPERTIES, "query": "", "status": 400},
    ]
    assert client.delete("/_emulator/log").status_code == 204
    assert client.get("/_emulator/log").json() == {"results": []}


def test_a_portal_lives_in_its_file(tmp_path, connect):
    """A write is in the file when its answer is there, and the next process goes on from it; reads write nothing."""
    file = tmp_path / "portal.json"
    portal = Portal.open(file, seed="empty")
    client = connect(portal)
    client.get(PROPERTIES)
    assert not file.exists()

    made = client.post(PROPERTIES, json=NOTE).json()
    again = connect(Portal.open(file))
    assert again.get(f"{PROPERTIES}/note").json() == made
    assert client.get(PROPERTIES).content == again.get(PROPERTIES).content
    assert [one.name for one in tmp_path.iterdir()] == ["portal.json"]
    assert json.loads(file.read_text())["objects"]["0-1"]["properties"]["note"]["label"] == "Note"


def test_two_times_are_never_the_same(portal):
    """The clock stands still and the portal's time goes on, so that the order of writes can be told."""
    times = [portal.now() for _ in range(3)]

    assert times == sorted(set(times))
    assert times[0] == "2026-09-21T14:13:20.000Z"


def test_switches_are_set_over_http(client, portal):
    """A known switch is set and all are shown; an unknown one is refused."""
    answer = client.post("/_emulator/switches", json={"staleReads": 3})

    assert answer.json()["staleReads"] == portal.switches["staleReads"] == 3
    assert client.post("/_emulator/switches", json={"stalereads": 3}).status_code == 400


def test_records_count_in_searches(client):
    """Records that were put in are found by search."""
    records = [{"properties": {"hs_lead_status": status}} for status in ("NEW", "NEW", "OPEN")]
    ids = client.post("/_emulator/records", json={"objectType": "contacts", "records": records}).json()["results"]
    new = {"filters": [{"propertyName": "hs_lead_status", "operator": "EQ", "value": "NEW"}]}
    answer = client.post("/crm/v3/objects/contacts/search", json={"filterGroups": [new], "limit": 1})

    assert len(set(ids)) == 3
    assert answer.json()["total"] == 2


def test_the_state_can_be_carried_elsewhere(client, portal, connect):
    """What one portal says it is makes another one the same."""
    client.post(PROPERTIES, json=NOTE)
    other = connect(Portal.seeded("empty"))
    other.get(PROPERTIES)
    other.put("/_emulator/state", json=client.get("/_emulator/state").json())

    assert other.get(PROPERTIES).content == client.get(PROPERTIES).content


def test_objects_without_schema_scopes_open_to_those_they_have(portal, connect):
    """Leads have scopes for their records only, and communications those of contacts."""
    portal.state["tokens"] = {
        "leads": {"scopes": ["crm.objects.leads.read", "crm.objects.leads.write"]},
        "contacts": {"scopes": ["crm.objects.contacts.read"]},
    }
    leads, contacts = connect(portal, "leads"), connect(portal, "contacts")
    asked = contacts.get("/crm/v3/pipelines/leads").json()["context"]["requiredGranularScopes"]
    group = {"name": "own", "label": "Own"}

    assert asked == ["crm.objects.leads.read", "crm.objects.leads.write"]
    assert leads.post("/crm/v3/properties/leads/groups", json=group).status_code == 201
    assert contacts.get("/crm/v3/properties/communications").status_code == 200
    assert contacts.post("/crm/v3/properties/communications/groups", json=group).status_code == 403


def test_a_refusal_names_what_is_counted_together(client, portal):
    """The group of a limit has the portal and the app in it, as client libraries that read it expect."""
    portal.switches.update(rateLimit=1, searchRateLimit=1)
    search = {"filterGroups": []}
    named = [client.get(PROPERTIES).json().get("groupName") for _ in range(2)]
    found = [client.post("/crm/v3/objects/contacts/search", json=search).json().get("groupName") for _ in range(2)]

    assert named == [None, "publicapi:private_app-api-calls-ten-secondly:12345678:1"]
    assert found == [None, "publicapi:crm:search:oauth:12345678:1"]


@pytest.mark.parametrize(
    ("body", "total"),
    [
        ({"filterGroups": [{"filters": [{"propertyName": "createdate", "operator": "GTE", "value": "20"}]}]}, 2),
        ({"filterGroups": [{"filters": [{"propertyName": "createdate", "operator": "GT", "value": "20"}]}]}, 1),
        ({"filterGroups": [{"filters": [{"propertyName": "createdate", "operator": "LT", "value": "20"}]}]}, 1),
        ({"filterGroups": [{"filters": [{"propertyName": "createdate", "operator": "LTE", "value": "9"}]}]}, 1),
        (
            {
                "filterGroups": [
                    {
                        "filters": [
                            {"propertyName": "createdate", "operator": "BETWEEN", "value": "9", "highValue": "20"}
                        ]
                    }
                ]
            },
            2,
        ),
        ({"filterGroups": [{"filters": [{"propertyName": "hs_object_id", "operator": "EQ", "value": "7"}]}]}, 1),
        ({"query": "ANN"}, 1),
    ],
)
def test_a_search_counts_what_it_is_asked_for(client, body, total):
    """Ranges, record ids and a word count as the operators say, and none is left out without a word."""
    people = [("7", "ann@a.test", "9"), ("8", "bob@a.test", "20"), ("9", "cleo@a.test", "100")]
    records = [{"id": one, "properties": {"email": email, "createdate": date}} for one, email, date in people]
    client.post("/_emulator/records", json={"objectType": "contacts", "records": records})

    assert client.post("/crm/v3/objects/contacts/search", json=body).json()["total"] == total
