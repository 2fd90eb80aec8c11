import gzip
import json
import logging
import socket
import threading
import time
import traceback

import pytest

from reconciler.client import Client, Retries
from reconciler.errors import (
    AccessError,
    ExitCode,
    ReadOnlyViolation,
    ReconcilerError,
    RequestRefused,
    UnavailableError,
    UnknownOutcome,
    UsageError,
    worst,
)
from reconciler.model import UNAVAILABLE
from reconciler.read_list import only_reads

TOKEN = "pat-na1-canary-canary-canary"
LIST = "/crm/v3/properties/contacts"


class FakeClock:
    """Time that passes only when somebody waits."""

    def __init__(self):
        self.time = 0.0

    def now(self):
        return self.time

    def wait(self, seconds):
        self.time += seconds


def answer(status, body=b"", **headers):
    """One scripted answer; header names with underscores, bodies as JSON unless they are bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return status, content, [(name.replace("_", "-"), value) for name, value in headers.items()]


class Script:
    """A WSGI server that gives its answers in turn, the last one again and again; an exception is a broken line."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.seen = []

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read()
        self.seen.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], body, environ))
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(given, Exception):
            raise given
        status, content, headers = given
        start_response(f"{status} .", headers)
        return [content]


def client_of(*answers, **options):
    script = Script(*answers)
    waits = []
    options = {"clock": FakeClock(), "on_wait": lambda reason, seconds: waits.append(seconds)} | options
    return Client.for_app(script, TOKEN, **options), script, waits


EMPTY = answer(200, {"results": []})
ROLLING = answer(429, {"status": "error", "policyName": "TEN_SECONDLY_ROLLING", "errorType": "RATE_LIMIT"})
HTML = b"<html><body>Please log in</body></html>"
LOGIN = answer(302, HTML, Location="https://elsewhere.invalid/login")


# --- reads -----------------------------------------------------------------------------------------------------------

TRANSIENT_READS = {
    "429 of the burst limit": (ROLLING, [10.0]),
    "429 of the second limit": (answer(429, {"policyName": "SECONDLY"}), [1.0]),
    "429 that names its policy in the message only": (
        answer(429, {"message": "You have reached your ten_secondly_rolling limit."}),
        [10.0],
    ),
    "429 that says when": (answer(429, {"policyName": "TEN_SECONDLY_ROLLING"}, Retry_After="3"), [3.0]),
    "429 with a shorter window": (
        answer(
            429,
            {"policyName": "TEN_SECONDLY_ROLLING"},
            X_HubSpot_RateLimit_Max="190",
            X_HubSpot_RateLimit_Interval_Milliseconds="4000",
        ),
        [4.0],
    ),
    "429 without anything": (answer(429), [5.0]),
    "423 locked": (answer(423), [2.0]),
    "423 that asks for one second": (answer(423, Retry_After="1"), [2.0]),
    "423 that asks for five": (answer(423, Retry_After="5"), [5.0]),
    "477 moving": (answer(477, Retry_After="4"), [4.0]),
    "408": (answer(408), [0.5]),
    "500": (answer(500, {"message": "internal error"}), [0.5]),
    "502 in HTML": (answer(502, HTML), [0.5]),
    "503 with a time": (answer(503, Retry_After="7"), [7.0]),
    "503 with a nonsensical time": (answer(503, Retry_After="soon"), [0.5]),
    "504": (answer(504), [0.5]),
    "521": (answer(521), [0.5]),
    "523": (answer(523), [0.5]),
    "524": (answer(524), [0.5]),
    "a time-out": (TimeoutError("timed out"), [0.5]),
    "a dropped connection": (ConnectionResetError("reset by peer"), [0.5]),
    "a refused connection": (ConnectionRefusedError("refused"), [0.5]),
    "broken JSON": (answer(200, b'{"results": [{"name": "em'), [0.5]),
    "broken gzip": (answer(200, b"no gzip at all", Content_Encoding="gzip"), [0.5]),
    "HTML in a success": (answer(200, HTML), [0.5]),
    "nothing in a success": (answer(200), [0.5]),
    "a bare list": (answer(200, [1, 2]), [0.5]),
    "no results": (answer(200, {"status": "error", "message": "sorry"}), [0.5]),
    "results that are none": (answer(200, {"results": None}), [0.5]),
    "results that are no objects": (answer(200, {"results": ["email"]}), [0.5]),
    "half of a list": (answer(200, {"results": [], "paging": {"next": {"after": "2"}}}), [0.5]),
    "a strange 404": (answer(404, HTML), [0.5]),
}


@pytest.mark.parametrize("trouble", TRANSIENT_READS)
def test_a_read_gets_over_a_trouble(trouble):
    """Whatever goes wrong once, the second try is sent after the right time and its answer counts."""
    given, pauses = TRANSIENT_READS[trouble]
    client, script, waits = client_of(given, answer(200, {"results": [{"name": "email"}]}))

    answers = client.reader().get_all([LIST])

    assert answers[LIST].results == [{"name": "email"}]
    assert waits == pauses
    assert len(script.seen) == 2


@pytest.mark.parametrize("trouble", TRANSIENT_READS)
def test_unreadable_never_becomes_absent(trouble):
    """A trouble that stays is an answer that says so, after at most 5 tries and 20 s, and never an empty list."""
    client, script, waits = client_of(TRANSIENT_READS[trouble][0])

    got = client.reader().get_all([LIST])[LIST]

    assert got.status == UNAVAILABLE
    assert not got.ok
    assert LIST in got.body
    assert "given up after" in got.body
    assert len(script.seen) <= 5
    assert sum(waits) <= 20


@pytest.mark.parametrize(
    ("given", "tries", "waited"),
    [
        (answer(503), 5, [0.5, 1.0, 2.0, 4.0]),
        (ROLLING, 3, [10.0, 10.0]),
        (answer(429), 5, [5.0, 5.0, 5.0, 5.0]),
        (answer(423), 5, [2.0, 2.0, 2.0, 2.0]),
        (answer(477, Retry_After="86400"), 1, []),
        (answer(429, {"policyName": "DAILY"}), 1, []),
        (answer(429, {"message": "You have reached your daily limit."}), 1, []),
        (LOGIN, 1, []),
    ],
)
def test_patience_ends(given, tries, waited):
    """Five tries and twenty seconds of waiting are the most; where waiting is no use, it is not begun."""
    client, script, waits = client_of(given)

    with pytest.raises(UnavailableError) as caught:
        client.reader().get(LIST)

    assert caught.value.code == "unavailable"
    assert len(script.seen) == tries
    assert waits == waited


def test_patience_is_a_setting():
    """Two tries are two tries, and a wait that is too long is not begun."""
    client, script, _ = client_of(answer(500), retries=Retries(tries=2))
    with pytest.raises(UnavailableError, match="500"):
        client.reader().get(LIST)
    assert len(script.seen) == 2

    client, script, waits = client_of(ROLLING, retries=Retries(wait_seconds=9))
    with pytest.raises(UnavailableError, match="TEN_SECONDLY_ROLLING"):
        client.reader().get(LIST)
    assert waits == []


def test_an_exhausted_day_says_when_it_ends():
    """The daily limit is not waited for; the hint says when it is full again."""
    client, _, _ = client_of(answer(429, {"policyName": "DAILY"}))

    with pytest.raises(UnavailableError, match="the day's budget") as caught:
        client.reader().get(LIST)

    assert caught.value.hint == "it is full again at midnight in the portal's time zone"


@pytest.mark.parametrize(
    ("given", "status", "scopes"),
    [
        (answer(404, {"category": "OBJECT_NOT_FOUND"}), 404, ()),
        (answer(404), 404, ()),
        (answer(400, {"message": "Unable to infer object type from: nothing"}), 400, ()),
        (
            answer(403, {"context": {"requiredGranularScopes": ["crm.schemas.contacts.read"]}}),
            403,
            ("crm.schemas.contacts.read",),
        ),
        (answer(403, {"errors": [{"context": {"requiredScopes": ["a", "b"]}}, "odd"]}), 403, ("a", "b")),
        (answer(403, {"context": "odd", "errors": None}), 403, ()),
        (answer(403, HTML), 403, ()),
    ],
)
def test_what_hubspot_denies_is_an_answer(given, status, scopes):
    """403 and 404 come back at once, with the scopes that are missing."""
    client, script, waits = client_of(given)

    got = client.reader().get(LIST)

    assert (got.status, got.denied_scopes) == (status, scopes)
    assert not got.ok
    assert (len(script.seen), waits) == (1, [])


def test_an_unknown_token_ends_the_run():
    """A 401 is no answer about a path: the error names the variable that holds the token."""
    client, _, _ = client_of(answer(401, {"correlationId": "c-1"}), token_name="MY_TOKEN")

    for read in (lambda: client.reader().get(LIST), lambda: client.reader().get_all([LIST, LIST + "/groups"])):
        with pytest.raises(AccessError) as caught:
            read()
        assert "MY_TOKEN" in caught.value.hint
        assert caught.value.correlation_id == "c-1"


def test_many_paths_are_read_at_once_and_keep_their_order():
    """Twelve requests are under way together; answers stand in the order of the paths, each asked for once."""
    together = threading.Barrier(12, timeout=10)

    def app(environ, start_response):
        together.wait()
        start_response("200 .", [])
        return [json.dumps({"results": [{"name": environ["PATH_INFO"]}]}).encode()]

    paths = [f"/crm/v3/properties/type{number}" for number in range(24)]
    client = Client.for_app(app, TOKEN)
    answers = client.reader().get_all([*paths, paths[0]])

    assert list(answers) == paths
    assert all(answers[path].results == [{"name": path}] for path in paths)
    assert client.requests_sent.total() == 24


def test_one_bad_path_does_not_spoil_the_others():
    """A list that stays unavailable is reported beside those that came."""

    def app(environ, start_response):
        start_response("500 ." if "deals" in environ["PATH_INFO"] else "200 .", [])
        return [b'{"results": []}']

    paths = [LIST, "/crm/v3/properties/deals", "/crm/v3/properties/tickets"]
    answers = Client.for_app(app, TOKEN, clock=FakeClock()).reader().get_all(paths)

    assert [one.status for one in answers.values()] == [200, UNAVAILABLE, 200]


def test_single_things_are_no_lists():
    """Account details and one schema have no results, and are believed."""
    for path in ("/account-info/v3/details", "/crm-object-schemas/v3/schemas/contacts", "/crm/v3/limits/records"):
        client, _, _ = client_of(answer(200, {"portalId": 1}))
        assert client.reader().get_all([path])[path].body == {"portalId": 1}


def test_a_full_window_holds_up_everybody():
    """After a 429 the next request of the same family waits too, though it was not refused itself."""
    clock = FakeClock()
    client, _, _ = client_of(ROLLING, EMPTY, clock=clock, retries=Retries(tries=1))
    with pytest.raises(UnavailableError):
        client.reader().get(LIST)

    client.reader().get(LIST)

    assert clock.time == 10.0


def test_a_window_that_stays_closed_for_long_is_not_waited_for():
    """After one 429 with a Retry-After of ten minutes no request waits: the next ones end too, and are not sent."""
    clock = FakeClock()
    client, script, _ = client_of(answer(429, Retry_After="600"), EMPTY, clock=clock)
    for read in (lambda: client.reader().get(LIST), lambda: client.reader().get(LIST + "/groups")):
        with pytest.raises(UnavailableError):
            read()
    with pytest.raises(UnavailableError) as caught:
        client.writer().send("POST", LIST, {})

    assert str(caught.value) == f"{LIST}: HubSpot takes no requests for another 600 s (429)"
    assert caught.value.hint == "try again after that"
    assert (len(script.seen), clock.time) == (1, 0.0)
    clock.time = 590.0
    assert client.reader().get(LIST).ok


def test_waiting_for_a_closed_window_is_waiting():
    """What one request waits, for its own 429 and for those of others, is twenty seconds in all."""
    clock = FakeClock()
    client, script, _ = client_of(answer(429, Retry_After="12"), clock=clock, retries=Retries(tries=1))
    with pytest.raises(UnavailableError):
        client.reader().get(LIST)
    client.retries = Retries()

    with pytest.raises(UnavailableError) as caught:
        client.reader().get(LIST)

    assert caught.value.hint == "given up after 1 try, 12 s waited"
    assert (len(script.seen), clock.time) == (2, 12.0)


def test_whoever_wants_the_run_to_end_ends_the_waiting():
    """Neither the pause after a failure nor a closed window outlasts a signal by more than half a second."""
    clock = FakeClock()
    client, script, _ = client_of(answer(429, Retry_After="15"), clock=clock, cancelled=lambda: clock.time >= 3)

    for sent in (1, 1):  # the first waits after its answer, the second for the window that this one has closed
        with pytest.raises(UnavailableError):
            client.reader().get(LIST)
        assert (len(script.seen), clock.time) == (sent, 3.0)


def test_every_request_says_who_asks_and_for_what():
    """Token, JSON, gzip and our name are in the headers, and paths go out as they were built."""
    body = gzip.compress(json.dumps({"results": [{"name": "é"}]}).encode())
    client, script, _ = client_of(answer(200, body, Content_Encoding="gzip"))

    got = client.reader().get(LIST + "?archived=true")

    method, path, _, environ = script.seen[0]
    assert got.results == [{"name": "é"}]
    assert (method, path, environ["QUERY_STRING"]) == ("GET", LIST, "archived=true")
    assert environ["HTTP_AUTHORIZATION"] == f"Bearer {TOKEN}"
    assert environ["HTTP_ACCEPT"] == "application/json"
    assert environ["HTTP_ACCEPT_ENCODING"] == "gzip"
    assert environ["HTTP_USER_AGENT"] == "hubspot-reconciler/0.1.0"


def test_requests_are_counted():
    """Each try counts, by verb and path."""
    client, _, _ = client_of(answer(500), EMPTY)

    client.reader().get(LIST + "?archived=true")
    client.writer().send("DELETE", LIST + "/old")

    assert client.requests_sent == {f"GET {LIST}": 2, f"DELETE {LIST}/old": 1}


# --- the read list ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", LIST),
        ("GET", "/crm/properties/2026-09/0-1?archived=true"),
        ("GET", "/crm/v4/associations/contacts/companies/labels"),
        ("GET", "/crm-object-schemas/v3/schemas"),
        ("GET", "/account-info/v3/details"),
        ("POST", "/crm/v3/objects/contacts/search"),
        ("POST", "/crm/objects/2026-03/0-1/search"),
        ("POST", "/crm/v3/properties/contacts/batch/read"),
        ("POST", "/oauth/v2/private-apps/get/access-token-info"),
    ],
)
def test_reads_are_on_the_list(method, path):
    """What a plan has to ask is allowed."""
    assert only_reads(method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", LIST),
        ("POST", LIST + "/batch/create"),
        ("POST", LIST + "/batch/archive"),
        ("POST", LIST + "/search"),
        ("POST", "/crm/v3/objects/contacts/search/more"),
        ("POST", "/crm/v3/objects/contacts/search%2Fmore"),
        ("POST", "/crm/v3/objects/contacts?x=/search"),
        ("POST", "/automation/v4/flows/search"),
        ("POST", "/x/oauth/v2/private-apps/get/access-token-info"),
        ("PATCH", LIST + "/email"),
        ("PUT", LIST + "/email"),
        ("DELETE", LIST + "/email"),
        ("HEAD", LIST),
        ("GET", "/automation/v4/flows"),
        ("GET", "/oauth/v1/refresh-tokens/x"),
    ],
)
def test_nothing_else_leaves_the_process(method, path):
    """The transport of a reader refuses it, however it is asked; the server sees nothing."""
    client, script, _ = client_of(EMPTY)
    reader = client.reader()

    with pytest.raises(ReadOnlyViolation) as caught:
        reader._http.request(method, path)  # past the reader's own methods, on purpose

    assert not only_reads(method, path)
    assert caught.value.code == "internal"
    assert script.seen == []


def test_a_reader_asks_only_what_reads():
    """A POST that is no read raises, a search count does not."""
    client, script, _ = client_of(answer(200, {"total": 3, "results": []}))

    assert client.reader().ask("/crm/v3/objects/contacts/search", {"limit": 0}).body["total"] == 3
    with pytest.raises(ReadOnlyViolation):
        client.reader().ask(LIST, {"name": "x"})

    assert [seen[:3] for seen in script.seen] == [("POST", "/crm/v3/objects/contacts/search", b'{"limit": 0}')]


# --- writes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "given", "status"),
    [
        ("POST", answer(201, {"name": "x"}), 201),
        ("POST", answer(207, {"results": [], "errors": [{"message": "no"}]}), 207),
        ("POST", answer(204), 204),
        ("PATCH", answer(200, {"name": "x"}), 200),
        ("PATCH", answer(200), 200),
        ("PUT", answer(204), 204),
        ("DELETE", answer(204), 204),
    ],
)
def test_a_write_is_sent_once(method, given, status):
    """Every success is an answer."""
    client, script, _ = client_of(given)

    got = client.writer().send(method, LIST, {"label": "\ud83d half a sign"})

    assert (got.status, len(script.seen)) == (status, 1)
    assert json.loads(script.seen[0][2]) == {"label": "\ud83d half a sign"}


SAFE = {"429": ROLLING, "423": answer(423), "477": answer(477, Retry_After="1"), "refused": ConnectionRefusedError()}


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("trouble", SAFE)
def test_a_write_that_was_not_begun_is_repeated(method, trouble):
    """Where nothing can have happened, a write has the patience of a read; then nothing was written."""
    client, script, _ = client_of(SAFE[trouble], answer(200, {"name": "x"}))
    assert client.writer().send(method, LIST, {}).status == 200
    assert len(script.seen) == 2

    client, script, waits = client_of(SAFE[trouble])
    with pytest.raises(UnavailableError):
        client.writer().send(method, LIST, {})
    assert len(script.seen) <= 5
    assert sum(waits) <= 20


UNSURE = {
    "500": answer(500),
    "502": answer(502, HTML),
    "503": answer(503),
    "504": answer(504),
    "524": answer(524),
    "501": answer(501),
    "408": answer(408),
    "a time-out": TimeoutError("timed out"),
    "a dropped connection": ConnectionResetError("reset by peer"),
    "broken JSON": answer(201, b'{"name": "x'),
    "HTML": answer(200, HTML),
    "a login page": LOGIN,
    "a bare list": answer(200, []),
}


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("trouble", UNSURE)
def test_a_write_is_never_repeated_blindly(method, trouble):
    """Where something may have happened, the write is sent once and its outcome is called unknown."""
    client, script, waits = client_of(UNSURE[trouble])

    with pytest.raises(UnknownOutcome) as caught:
        client.writer().send(method, LIST, {})

    assert f"{method} {LIST}" in str(caught.value)
    assert caught.value.code == "partial"
    assert (len(script.seen), waits) == (1, [])


def test_a_create_that_says_nothing_is_unknown():
    """A POST that is answered with 200 and no body tells nothing of what was made."""
    client, _, _ = client_of(answer(200))

    with pytest.raises(UnknownOutcome):
        client.writer().send("POST", LIST, {})


IN_USE = {
    "status": "error",
    "message": "Property is currently used in 2 places",
    "category": "VALIDATION_ERROR",
    "subCategory": "PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE",
    "correlationId": "c-2",
    "context": {"usageCount": ["2"]},
    "errors": [
        {
            "message": "in use",
            "subCategory": "PropertyValidationError.PROPERTY_USAGE",
            "context": {"parentType": ["WORKFLOW"], "parentDisplayType": ["Workflow"], "parentName": ["Nurture"]},
        },
        {"message": "in use", "context": {"parentType": ["CALCULATED_PROPERTY"], "parentName": ["0-1/cs_sum"]}},
    ],
}
IN_GROUP = {"category": "VALIDATION_ERROR", "subCategory": "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES"}


@pytest.mark.parametrize(
    ("status", "body", "message", "sub_category"),
    [
        (
            400,
            IN_USE,
            "HubSpot refused it (400): Property is currently used in 2 places; "
            "still used by workflow 'Nurture', calculated property '0-1/cs_sum'",
            "PropertyValidationError.CANNOT_DELETE_PROPERTY_IN_USE",
        ),
        (
            400,
            {"message": json.dumps({"message": "the group has 3 active properties", **IN_GROUP}), "status": "error"},
            "HubSpot refused it (400): the group has 3 active properties",
            "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES",
        ),
        (
            400,
            {"message": 'Not valid: [{"isValid": false, "message": "no such group"}]'},
            "HubSpot refused it (400): no such group",
            "",
        ),
        (
            400,
            {"message": "Bad request", "errors": [{"message": "label is too long"}, {"message": "Bad request"}]},
            "HubSpot refused it (400): Bad request; label is too long",
            "",
        ),
        (409, {"category": "OBJECT_ALREADY_EXISTS"}, "HubSpot refused it (409): OBJECT_ALREADY_EXISTS", ""),
        (437, {"message": "a {brace} too many"}, "HubSpot refused it (437): a {brace} too many", ""),
        (400, {"message": "odd", "subCategory": {"name": "x"}}, "HubSpot refused it (400): odd", '{"name": "x"}'),
        (400, {"message": 7, "errors": "odd", "context": []}, "HubSpot refused it (400): 7", ""),
        (400, ["odd"], 'HubSpot refused it (400): ["odd"]', ""),
        (404, None, "HubSpot refused it (404): no reason given", ""),
        (400, b"<p>no\n  way</p>", "HubSpot refused it (400): <p>no way</p>", ""),
    ],
)
def test_a_refusal_says_what_hubspot_said(status, body, message, sub_category):
    """Text and category are unpacked, users of a definition are named, and no odd body breaks it."""
    client, script, waits = client_of(answer(status, b"" if body is None else body))

    with pytest.raises(RequestRefused) as caught:
        client.writer().send("DELETE", LIST + "/old")

    refused = caught.value
    assert str(refused) == message
    assert (refused.status, refused.sub_category, refused.where) == (status, sub_category, f"DELETE {LIST}/old")
    assert refused.code == "blocked"
    assert (len(script.seen), waits) == (1, [])


def test_a_refusal_for_want_of_a_scope_is_one_of_access():
    """A 403 on a write names the scopes."""
    body = {"message": "One of these is required.", "context": {"requiredGranularScopes": ["crm.schemas.deals.write"]}}
    client, _, _ = client_of(answer(403, body, X_HubSpot_Correlation_Id="c-3"))

    with pytest.raises(RequestRefused) as caught:
        client.writer().send("POST", LIST, {})

    assert (caught.value.code, caught.value.scopes) == ("access", ("crm.schemas.deals.write",))
    assert caught.value.hint == "give the key one of the scopes crm.schemas.deals.write"
    assert caught.value.correlation_id == "c-3"


def test_an_unknown_token_stops_a_write():
    """A 401 on a write is an error of access: nothing was written."""
    client, _, _ = client_of(answer(401))

    with pytest.raises(AccessError):
        client.writer().send("POST", LIST, {})


# --- the token -------------------------------------------------------------------------------------------------------

LEAKS = [
    answer(400, {"message": f"bad header {TOKEN}"}),
    answer(401, {"message": f"the token {TOKEN} has expired", "correlationId": TOKEN}),
    answer(403, {"context": {"requiredGranularScopes": [TOKEN]}}),
    answer(404, f"<p>{TOKEN}</p>".encode()),
    answer(429, {"policyName": TOKEN}, X_HubSpot_Correlation_Id=TOKEN),
    answer(500, {"correlationId": TOKEN}),
    answer(302, Location=f"https://elsewhere.invalid/{TOKEN}"),
    ConnectionResetError(f"Illegal header value b'Bearer {TOKEN}'"),
    ConnectionRefusedError(f"cannot send {TOKEN}"),
]


@pytest.mark.parametrize("given", LEAKS)
@pytest.mark.parametrize("do", ["get", "get_all", "send"])
def test_the_token_is_told_to_nobody(given, do, caplog):
    """Whatever a server echoes, the token is in no representation, answer, error, chain or log."""
    told = []
    client, _, _ = client_of(given, on_wait=lambda reason, seconds: told.append(reason))
    reader, writer = client.reader(), client.writer()
    actions = {
        "get": lambda: reader.get(LIST),
        "get_all": lambda: reader.get_all([LIST]),
        "send": lambda: writer.send("PATCH", LIST, {}),
    }
    with caplog.at_level(logging.DEBUG):
        try:
            told.append(repr(actions[do]()))
        except ReconcilerError as error:
            told += [*traceback.format_exception(error), repr(vars(error))]

    told += [repr(client), repr(reader), repr(writer), repr(client.requests_sent), caplog.text]
    assert TOKEN not in "".join(told)


@pytest.mark.parametrize("token", ["", TOKEN + "\n", f'"{TOKEN}" ', " " + TOKEN, TOKEN + "é", TOKEN + "\x7f"])
def test_a_token_that_cannot_be_one_is_refused(token):
    """A line break or a foreign sign is found before anything is sent, and the error does not repeat the token."""
    with pytest.raises(AccessError) as caught:
        Client.for_http("https://api.invalid", token, token_name="MY_TOKEN")

    assert "MY_TOKEN" in caught.value.hint
    assert "canary" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "url",
    [
        "http://api.invalid",
        "http://127.0.0.1.elsewhere.invalid",
        "http://10.0.0.1",
        "ftp://localhost",
        "api.invalid",
        "https://user:word@api.invalid",
        "https://api.invalid?x=1",
    ],
)
def test_a_token_goes_only_to_safe_addresses(url):
    """Plain HTTP is for loopback only, and an address holds no other credentials."""
    with pytest.raises(UsageError) as caught:
        Client.for_http(url, TOKEN)

    assert "word" not in str(caught.value)


# --- over a real connection ------------------------------------------------------------------------------------------


class Line:
    """A loopback server that answers each connection with raw bytes, or hangs up where there are none."""

    def __init__(self, *answers):
        self.answers = answers
        self.heads = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.thread.join(5)
        self.socket.close()

    def serve(self):
        for given in self.answers:
            connection, _ = self.socket.accept()
            with connection:
                self.heads.append(connection.recv(65536).split(b"\r\n")[0].decode())
                connection.sendall(given)


FINE = b'HTTP/1.1 200 OK\r\ncontent-length: 14\r\nconnection: close\r\n\r\n{"results":[]}'
CUT = b'HTTP/1.1 200 OK\r\ncontent-length: 14\r\nconnection: close\r\n\r\n{"resul'


def test_a_read_gets_over_a_line_that_drops():
    """Hung up before the answer, cut in the middle of it, or talking nonsense: the next try counts."""
    with Line(b"", CUT, b"nonsense\r\n\r\n", FINE) as line:
        client = Client.for_http(line.url, TOKEN, clock=FakeClock())
        assert client.reader().get(LIST).results == []

    assert line.heads == [f"GET {LIST} HTTP/1.1"] * 4


@pytest.mark.parametrize("given", [b"", CUT])
def test_a_write_on_a_line_that_drops_is_unknown(given):
    """The request was sent and no answer came: it is not sent again."""
    with Line(given) as line, pytest.raises(UnknownOutcome, match="not known"):
        Client.for_http(line.url, TOKEN, clock=FakeClock()).writer().send("PATCH", LIST + "/x%2Fy", {})

    assert line.heads == [f"PATCH {LIST}/x%2Fy HTTP/1.1"]


def test_where_nobody_listens_nothing_was_written():
    """A connection that is refused is tried five times, for a write too, and then HubSpot is unavailable."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    client = Client.for_http(url, TOKEN, clock=FakeClock())

    with pytest.raises(UnavailableError, match="cannot connect to http://127") as caught:
        client.writer().send("POST", LIST, {})

    assert client.requests_sent.total() == 5
    assert caught.value.hint == "check network and baseUrl; given up after 5 tries, 7.5 s waited"


def test_a_server_that_says_nothing_is_not_waited_for_for_ever():
    """The time for an answer is a setting; a read that gets none is unavailable."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        client = Client.for_http(url, TOKEN, clock=FakeClock(), timeout_seconds=0.05, retries=Retries(tries=2))
        started = time.monotonic()
        got = client.reader().get_all([LIST])[LIST]

    assert got.status == UNAVAILABLE
    assert "timed out" in got.body
    assert time.monotonic() - started < 5


class HurryingClock(FakeClock):
    """A clock on which a minute passes whenever somebody looks."""

    def now(self):
        self.wait(60.0)
        return super().now()


def test_an_answer_that_comes_drop_by_drop_is_not_waited_for_for_ever():
    """Each part comes in time, and all of them together do not: a read gives up, and a write is not known."""
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    dripping = head + b"1\r\n \r\n" * 30 + b"2\r\n{}\r\n0\r\n\r\n"
    with Line(dripping, dripping) as line:
        client = Client.for_http(line.url, TOKEN, clock=HurryingClock(), retries=Retries(tries=1))
        got = client.reader().get_all([LIST])[LIST]
        with pytest.raises(UnknownOutcome, match="the answer was not whole after 600 s"):
            client.writer().send("PATCH", LIST + "/x", {})

    assert got.status == UNAVAILABLE
    assert "the answer was not whole after 600 s" in got.body


def test_a_base_url_may_have_a_path():
    """Behind a gateway the path goes in front, and the read list still holds."""
    with Line(FINE) as line:
        reader = Client.for_http(line.url + "/hubspot/", TOKEN, clock=FakeClock()).reader()
        assert reader.get(LIST).ok
        with pytest.raises(ReadOnlyViolation):
            reader._http.request("DELETE", LIST)

    assert line.heads == [f"GET /hubspot{LIST} HTTP/1.1"]


@pytest.mark.parametrize(("named", "told"), [("proxy.invalid:3128", None), ("ftp://proxy.invalid", "HTTPS_PROXY")])
def test_a_proxy_is_taken_from_the_environment(named, told, monkeypatch):
    """HTTPS_PROXY is honoured with and without a scheme; one that cannot be used is a usage error."""
    monkeypatch.setenv("https_proxy", named)
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    if told is None:
        assert "api.invalid" in repr(Client.for_http("https://api.invalid", TOKEN))
    else:
        with pytest.raises(UsageError) as caught:
            Client.for_http("https://api.invalid", TOKEN)
        assert told in caught.value.hint


# --- exit codes ------------------------------------------------------------------------------------------------------


def test_the_worst_exit_code_wins():
    """When several apply, the first of 130, 143, 7, 1, 4, 5, 6, 8, 3, 2, 0."""
    order = [130, 143, 7, 1, 4, 5, 6, 8, 3, 2, 0]

    assert [int(worst(map(ExitCode, order[place:]))) for place in range(len(order))] == order
    assert worst([]) == ExitCode.OK


def test_every_error_has_an_exit_code():
    """The codes of the tree are names of exit codes; cancelled runs share a name."""
    codes = {kind.code: int(ExitCode.named(kind.code)) for kind in [ReconcilerError, *every_kind(ReconcilerError)]}

    assert codes == {"internal": 1, "usage": 3, "access": 4, "stale": 5, "blocked": 6, "partial": 7, "unavailable": 8}
    assert [ExitCode(code).label for code in (0, 2, 130, 143)] == ["ok", "differences", "cancelled", "cancelled"]


def every_kind(kind):
    return [below for one in kind.__subclasses__() for below in (one, *every_kind(one))]
