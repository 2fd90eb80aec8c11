"""The token is in no output, no file, no error and no receipt, whoever sends it back to us."""

import json
import threading
from pathlib import Path
from urllib.parse import quote
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from small_portal import small_portal

from reconciler.cli import run
from reconciler.emulator import Portal, serve

CANARY = "pat-eu1-canary/0+1f2e=3d4c5b6a-7988"
SPEC = "propertyGroups: {contacts: {g: {label: G}}}\nproperties: {contacts: {one: {label: %s, type: string, " + (
    "fieldType: text, groupName: g}}}\n"
)


def settle_in(url):
    portals = (
        f"portals: {{real: {{baseUrl: '{url}', tokenEnv: CANARY_TOKEN}}}}\nretries: {{tries: 1, waitSeconds: 1}}\n"
    )
    Path("specs").mkdir()
    Path("specs/reconciler.yaml").write_text(f"version: 1\n{portals}watch: [contacts]\n", "utf-8")
    Path("specs/spec.yaml").write_text(SPEC % "One", "utf-8")


def found(capfd):
    """Where the token is, in any of the forms it may come in."""
    streams = capfd.readouterr()
    texts = {"stdout": streams.out, "stderr": streams.err}
    texts |= {str(path): path.read_text("utf-8", "replace") for path in Path().rglob("*") if path.is_file()}
    forms = (CANARY, quote(CANARY), quote(CANARY, safe=""), json.dumps(CANARY)[1:-1])
    return [name for name, text in texts.items() if any(form in text for form in forms)]


@pytest.fixture(autouse=True)
def _workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RECONCILER_SPECS", raising=False)
    monkeypatch.setenv("CANARY_TOKEN", CANARY)


def test_a_whole_story_tells_no_token(capfd):
    """Import, plans, applies, drift, receipts, snapshots, baselines and an undo, all of it with -v."""
    portal = Portal(json.loads(small_portal()))
    with serve(portal) as server:
        settle_in(server.url)
        everything = ["-o", "json:doc.json", "-o", "markdown:doc.md"]
        assert run(["plan", "-v", *everything]) == 0
        assert run(["apply", "-v", "--auto-approve", *everything]) == 0
        Path("specs/spec.yaml").write_text(SPEC % "Uno", "utf-8")
        assert run(["plan", "-v", "-o", "json:plan.json"]) == 0
        assert run(["apply", "-v", "plan.json"]) == 0
        assert run(["drift", "-v", *everything]) == 0
        assert run(["snapshot", "-v", "read.json"]) == 0
        assert run(["import", "-v", *everything]) == 0
        assert run(["accept", "-v", "--all", "--reason", "seen"]) == 0
        receipt = max(Path(".reconciler/receipts/real").iterdir())
        assert run(["plan", "-v", "--inverse", str(receipt)]) == 0

    assert {request["path"] for request in portal.log}
    assert found(capfd) == []


class _Quiet(WSGIRequestHandler):
    def log_message(self, format, *args):
        pass


ANSWERS = {
    "html": ("500 Oops", "text/html", "<html><body>You sent %s</body></html>"),
    "not-found": ("404 Not Found", "text/html", "<html><body>%s</body></html>"),
    "json": ("400 Bad Request", "application/json", '{"status": "error", "message": "bad %s"}'),
    "denied": ("403 Forbidden", "application/json", '{"message": "%s may not", "category": "MISSING_SCOPES"}'),
    "bad-token": ("401 Unauthorized", "application/json", '{"message": "The token %s is expired"}'),
    "fine": ("200 OK", "application/json", '{"results": [{"name": "%s", "label": 1}]}'),
    "text": ("200 OK", "text/plain", "%s"),
    "moved": ("302 Found", "text/html", "%s"),
    "many": ("429 Too Many Requests", "application/json", '{"message": "%s", "policyName": "%s"}'),
}


@pytest.fixture(params=ANSWERS)
def echo(request):
    """A server that sends the token back in everything it says."""
    status, content_type, body = ANSWERS[request.param]

    def app(environ, start_response):
        token = environ.get("HTTP_AUTHORIZATION", "")
        length = int(environ.get("CONTENT_LENGTH") or 0)
        environ["wsgi.input"].read(length)
        location = f"http://127.0.0.1:1/?token={token}"
        headers = [("Content-Type", content_type), ("Location", location), ("X-HubSpot-Correlation-Id", token)]
        start_response(status, headers)
        return [body.replace("%s", token).encode()]

    server = make_server("127.0.0.1", 0, app, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_that_sends_it_back_is_not_quoted(echo, capfd):
    """In a page, a message, a header, a definition or a redirect: what we say of it has no token in it."""
    settle_in(echo)
    for words in (["plan"], ["apply", "--auto-approve"], ["import"], ["snapshot", "read.json"]):
        more = [] if words[0] == "snapshot" else ["-o", "json:doc.json", "-o", "markdown:doc.md"]
        run([*words, "-v", *more])

    assert found(capfd) == []


def test_a_token_that_is_none_is_not_quoted(monkeypatch, capfd):
    """A line break in it is said, and not shown."""
    settle_in("http://127.0.0.1:1")
    monkeypatch.setenv("CANARY_TOKEN", CANARY + "\n")

    assert run(["plan", "-v", "-o", "json:doc.json"]) == 4
    assert found(capfd) == []


def test_a_portal_that_is_not_there_is_told_without_it(capfd):
    """The connection is refused, in words about the address."""
    settle_in("http://127.0.0.1:1")

    assert run(["plan", "-v", "-o", "json:doc.json"]) == 8
    assert found(capfd) == []
