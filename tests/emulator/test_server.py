import http.client
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from reconciler.emulator import faults, serve

PROPERTIES = "/crm/v3/properties/contacts"
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
