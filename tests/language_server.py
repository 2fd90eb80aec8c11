"""The real yaml-language-server, spoken to over its standard input and output as an editor does."""

import json
import os
import shutil
import subprocess
import threading
from contextlib import contextmanager

PATIENCE = 60  # seconds until a server that says nothing is stopped


def command():
    """How the server is started, or nothing where there is none."""
    node, script = shutil.which("node"), os.environ.get("YAML_LANGUAGE_SERVER")
    if node and script:
        return [node, script, "--stdio"]
    found = shutil.which("yaml-language-server")
    return [found, "--stdio"] if node and found else None


class Editor:
    """An editor that has one directory open."""

    def __init__(self, process):
        self.process = process
        self.sent = 0
        self.diagnostics = {}

    def request(self, method, **params):
        """The server's answer; what it asks meanwhile is answered."""
        self.sent += 1
        self.send({"id": self.sent, "method": method, "params": params})
        while True:
            message = self.receive()
            if message.get("id") == self.sent and "method" not in message:
                return message["result"]

    def notify(self, method, **params):
        self.send({"method": method, "params": params})

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def receive(self):
        length = 0
        while line := self.process.stdout.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        assert length, "the language server went away"
        message = json.loads(self.process.stdout.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "id" in message and "method" in message:
            self.send({"id": message["id"], "result": answer(message)})
        return message

    def open(self, path, text):
        """Opens a file; returns its problems as (line, text between the marks of the squiggle, message)."""
        uri = path.as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.notify("textDocument/didOpen", textDocument=document)
        return self.problems(uri, text)

    def change(self, path, text, version=2):
        """Types another text into an open file; returns its problems."""
        uri = path.as_uri()
        document = {"uri": uri, "version": version}
        self.notify("textDocument/didChange", textDocument=document, contentChanges=[{"text": text}])
        return self.problems(uri, text)

    def problems(self, uri, text):
        self.diagnostics.pop(uri, None)
        while uri not in self.diagnostics:
            self.receive()
        return [(*marked(text, one["range"]), one["message"]) for one in self.diagnostics[uri]]

    def hover(self, path, text, word):
        """What is shown over a word of an open file."""
        found = self.request("textDocument/hover", **place(path, text, text.index(word) + 1))
        return found["contents"]["value"] if found else ""

    def completions(self, path, text, after):
        """What is offered right after a piece of text of an open file: label to item."""
        found = self.request("textDocument/completion", **place(path, text, text.index(after) + len(after)))
        return {item["label"]: item for item in found["items"]}


def answer(message):
    """What the server asks of an editor: its settings, without any schema from the network."""
    if message["method"] != "workspace/configuration":
        return None
    known = {"yaml": {"schemaStore": {"enable": False}, "validate": True, "hover": True, "completion": True}}
    return [known.get(item.get("section")) for item in message["params"]["items"]]


def place(path, text, offset):
    before = text[:offset]
    position = {"line": before.count("\n"), "character": offset - (before.rfind("\n") + 1)}
    return {"textDocument": {"uri": path.as_uri()}, "position": position}


def marked(text, span):
    lines = text.splitlines()
    start, end = span["start"], span["end"]
    line = lines[start["line"]]
    return start["line"] + 1, line[start["character"] : end["character"] if end["line"] == start["line"] else None]


@contextmanager
def editor(directory):
    """An editor with a server of its own, which is stopped in the end."""
    with subprocess.Popen(command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=directory) as process:
        timer = threading.Timer(PATIENCE, process.kill)
        timer.start()
        try:
            one = Editor(process)
            abilities = {
                "workspace": {"configuration": True},
                "textDocument": {
                    "hover": {"contentFormat": ["markdown"]},
                    "completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}},
                },
            }
            one.request("initialize", processId=None, rootUri=directory.as_uri(), capabilities=abilities)
            one.notify("initialized")
            one.notify("workspace/didChangeConfiguration", settings={"yaml": {"schemaStore": {"enable": False}}})
            yield one
        finally:
            timer.cancel()
            process.kill()
