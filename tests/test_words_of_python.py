"""What a broken file is refused with: words about the file, and none of the language that read it."""

import json
from pathlib import Path

import pytest

from reconciler.cli import run

SETTINGS = "version: 1\nportals: {demo: {emulator: demo.json}}\nwatch: [contacts]\n"
DOCUMENT = '{"formatVersion": "1.0"'


@pytest.fixture(autouse=True)
def _directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("specs/baselines/demo").mkdir(parents=True)
    Path("specs/reconciler.yaml").write_text(SETTINGS, "utf-8")
    Path("specs/a.yaml").write_text("properties: {contacts: {email: {label: Email}}}\n", "utf-8")


@pytest.mark.parametrize(
    ("words", "file", "text", "told"),
    [
        (["plan"], "demo.json", "", "demo.json is no embedded portal: it is not JSON"),
        (["plan"], "demo.json", "[]", "demo.json is no embedded portal: it is no mapping"),
        (
            ["plan"],
            "demo.json",
            '{"portalId": 1, "objects": []}',
            "demo.json is no embedded portal: it lacks objects, pipelines, switches",
        ),
        (["emulator", "--state", "demo.json"], "demo.json", "[]", "demo.json is no embedded portal: it is no mapping"),
        (["emulator", "--seed", "seed.json"], "seed.json", "x", "seed.json: is no JSON"),
        (["show", "it.json"], "it.json", "", "it.json is not JSON (line 1, column 1)"),
        (["show", "it.json"], "it.json", "[" * 100_000, "it.json is not JSON: it is nested too deeply"),
        (["show", "it.json"], "it.json", "1" * 5000, "it.json is not JSON: a number has too many digits"),
        (["show", "it.json"], "it.json", "\udcff", "it.json is not JSON: it is not in UTF-8"),
        (["show", "it.json"], "it.json", '{"a": 1, "a": 2}', "it.json is not JSON: an object has a key twice"),
        (
            ["show", "it.json"],
            "it.json",
            f'{DOCUMENT}, "kind": "plan", "changes": 7, "exit": {{"code": 0}}}}',
            "it.json is not a whole document",
        ),
        (["apply", "it.json"], "it.json", f"{DOCUMENT}}}", "it.json is no plan"),
        (
            ["apply", "it.json"],
            "it.json",
            f'{DOCUMENT}, "kind": "drift"}}',
            "it.json is no plan, but a document of `drift`",
        ),
        (["plan", "--from-snapshot", "it.json"], "it.json", "{\n,}", "it.json is not JSON (line 2, column 1)"),
        (
            ["drift"],
            "specs/baselines/demo/properties.contacts.json",
            "{",
            "specs/baselines/demo/properties.contacts.json is not JSON (line 1, column 2)",
        ),
        (
            ["drift"],
            "specs/baselines/demo/properties.contacts.json",
            json.dumps({"formatVersion": "1.0", "kind": 7}),
            "specs/baselines/demo/properties.contacts.json is not a baseline that this tool wrote",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 40 else "",
)
def test_a_broken_file_is_told_in_words_about_the_file(words, file, text, told, capsys):
    """Which file, what is wrong with it, and a way out; nothing that only who writes Python understands."""
    Path(file).write_bytes(text.encode("utf-8", "surrogateescape"))

    assert run(words) == 3

    first, *rest = capsys.readouterr().err.splitlines()
    assert first == f"error: {told}"
    assert rest
