"""The published schemas of documents name every key that a run writes, for whoever reads them by machine."""

import json
import subprocess
from pathlib import Path

import pytest
from small_portal import STATE, settle_in

from reconciler.cli import run
from reconciler.emulator import Portal, edit
from reconciler.schema import document_schema

MINE = "mine: {label: %s, type: string, fieldType: text, groupName: contactinformation}"


@pytest.fixture(autouse=True)
def _a_repository_with_something_to_say(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    settle_in(spec=f"properties: {{contacts: {{{MINE % 'Mine'}}}}}\n")
    subprocess.run(
        "git init -q . && git add specs && git -c user.name=t -c user.email=t@t commit -qm x", shell=True, check=True
    )
    assert run(["apply", "-q", "--auto-approve"]) == 0
    edit(Portal.open(STATE), "relabel", object="contacts", property="mine", label="Theirs")
    Path("specs/spec.yaml").write_text(f"properties: {{contacts: {{{MINE % 'Ours'}}}}}\n", "utf-8")
    capsys.readouterr()


def unnamed(value, schema, path=""):
    """The keys of a document that its schema does not name."""
    if isinstance(value, dict) and "properties" in schema:
        named = schema["properties"]
        for key, below in value.items():
            yield from unnamed(below, named[key], f"{path}/{key}") if key in named else (f"{path}/{key}",)
    elif isinstance(value, list) and "items" in schema:
        for one in value:
            yield from unnamed(one, schema["items"], path)


@pytest.mark.parametrize(
    "words",
    [
        ["plan", "--on-conflict", "spec", "--fail-on", "breaking", "--allow-forget"],
        ["diff", "--base-ref", "HEAD"],
        ["apply", "--auto-approve", "--on-conflict", "spec"],
        ["drift", "--history", "history.jsonl", "--limits", "--show-normalised", "--fail-on", "low"],
        ["explain", "properties/contacts/mine"],
        ["coverage"],
        ["fleet", "plan"],
    ],
    ids=" ".join,
)
def test_a_document_holds_no_key_that_its_schema_does_not_name(words, capsys):
    """What is in a document is described: nobody has to guess what `comparison` or `receipt` means."""
    assert run([*words, "-q", "-o", "json"]) in (0, 2, 5)

    document = json.loads(capsys.readouterr().out)

    assert list(unnamed(document, document_schema(document["kind"]))) == []
