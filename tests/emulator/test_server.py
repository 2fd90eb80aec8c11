import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from reconciler.emulator import faults, serve

PROPERTIES = "/crm/v3/properties/contacts"
NOTE = {"name": "note", "label": "Note", "type": "string", "fieldType": "text", "groupName": "contactinformation"}
HEADERS = {"Authorization": "Bearer a-token", "Accept": "application/json"}


@pytest.fixture
def server(portal):
    with serve(portal) as running:
        yield running


@pytest.fixture
def online(server):
    with httpx.Client(base_url=server.url, headers=HEADERS) as client:
        yield client


def test_the_server_is_on_loopback_and_keeps_connections(server):
    """Requests of one client go over one connection, each with its own answer."""
    address = urlsplit(server.url)
    assert address.hostname == "127.0.0.1"
    connection = http.client.HTTPConnection(address.hostname, address.port)
    seen = set()
    for name in ("email", "firstname", "nope"):
        connection.request("GET", f"{PROPERTIES}/{name}", headers=HEADERS)
        answer = connection.getresponse()
        seen.add((connection.sock.getsockname()[1], answer.status, answer.version, bool(answer.read())))
    connection.close()

    assert {(status, version, body) for _, status, version, body in seen} == {(200, 11, True), (404, 11, True)}
    assert len({port for port, *_ in seen}) == 1


def test_requests_side_by_side_all_take_effect(online, portal):
    """Creates from many threads neither get lost nor share a time."""

    def create(number):
        name = f"note_{number}"
        body = {"name": name, "label": name, "type": "string", "fieldType": "text", "groupName": "contactinformation"}
        return online.post(PROPERTIES, json=body).json()["createdAt"]

    with ThreadPoolExecutor(8) as pool:
        times = set(pool.map(create, range(24)))

    assert len(times) == 24
    assert len([name for name in portal.definitions("0-1")["properties"] if name.startswith("note_")]) == 24


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({"kind": "drop"}, httpx.ReadError),
        ({"kind": "timeout"}, httpx.ReadError),
        ({"kind": "truncate", "when": "after"}, httpx.RemoteProtocolError),
    ],
)
def test_a_lost_answer_is_seen_on_the_socket(online, portal, rule, error):
    """A dropped, hanging or cut answer breaks the connection, and the next one works again."""
    faults.add(portal, **rule)
    with pytest.raises(error):
        online.get(PROPERTIES)

    assert online.get(PROPERTIES).status_code == 200
    assert [entry.get("fault") for entry in portal.log] == [rule["kind"], None]


def test_a_closed_server_answers_no_more(portal):
    """After close the port is free, also when an answer still hangs."""
    faults.add(portal, kind="timeout", delay=60)
    server = serve(portal)
    address = urlsplit(server.url)
    hanging = socket.create_connection((address.hostname, address.port))
    hanging.sendall(f"GET {PROPERTIES} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n\r\n".encode())
    server.close()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address.hostname, address.port))
    hanging.close()


def exchange(server, request):
    """What comes back on a new connection, until the server closes it."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(request)
        return connection.makefile("rb").read()


HEAD = "Host: x\r\nAuthorization: Bearer x\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
LAST = f"GET {PROPERTIES}/note HTTP/1.1\r\n{HEAD}Connection: close\r\n\r\n".encode()


def test_a_body_may_come_in_chunks(server):
    """Tools that stream their bodies announce no length, and the request after it on the connection is its own."""
    body = json.dumps(NOTE).encode()
    chunks = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in (body[:40], body[40:]))
    head = f"POST {PROPERTIES} HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode()
    answers = exchange(server, head + chunks + b"0\r\nTrailer: x\r\n\r\n" + LAST)

    assert answers.startswith(b"HTTP/1.1 201 Created")
    assert b"HTTP/1.1 200 OK" in answers


@pytest.mark.parametrize(
    "length", ["Content-Length: many", "Content-Length: -5", "Transfer-Encoding: chunked", "Transfer-Encoding: Chunked"]
)
def test_a_body_of_unknown_length_ends_the_connection(server, length):
    """400 to whoever sent it, since nobody can tell where the next request begins."""
    answer = exchange(server, f"POST {PROPERTIES} HTTP/1.1\r\n{HEAD}{length}\r\n\r\n-1\r\n{{}}".encode())

    assert answer.startswith(b"HTTP/1.1 400 the length of ")


def test_half_a_body_is_no_request(server, portal):
    """A client that goes away in the middle of its body changes nothing."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        path = f"{PROPERTIES}/groups/contactinformation"
        connection.sendall(f'PATCH {path} HTTP/1.1\r\n{HEAD}Content-Length: 90\r\n\r\n{{"label": "X"}}'.encode())
        connection.shutdown(socket.SHUT_WR)
        with pytest.raises(ConnectionResetError):
            connection.recv(1)

    assert portal.log == []


def test_a_bug_of_the_emulator_is_a_500(server, portal, capfd):
    """The client gets an error body, the trace goes to whoever started the server, and the connection lives on."""
    del portal.state["users"]
    bug = f"GET /crm/v3/owners HTTP/1.1\r\n{HEAD}\r\n".encode()
    answers = exchange(server, bug + LAST)

    assert answers.startswith(b"HTTP/1.1 500 Internal Server Error")
    assert b"HTTP/1.1 404 Not Found" in answers
    assert "KeyError: 'users'" in capfd.readouterr().err


def test_a_method_that_nothing_has_is_answered_like_any_other(online):
    """OPTIONS is a 405 in HubSpot's error body."""
    answer = online.options(PROPERTIES)

    assert (answer.status_code, answer.json()["status"]) == (405, "error")
