"""How a directory of specs begins."""

import os
from pathlib import Path

import pytest

from reconciler.cli import run
from reconciler.doctor import NEWEST
from reconciler.emulator import Portal, serve


@pytest.fixture(autouse=True)
def _an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def files():
    return sorted(path.name for path in Path("specs").iterdir())


def test_a_real_portal_begins_without_examples(monkeypatch, capsys):
    """The README's first steps, in order: what is in the portal gets into specs, and a plan finds nothing to do."""
    monkeypatch.setenv("HUBSPOT_ACCESS_TOKEN", "pat-na1-first-steps")

    assert run(["init", "--portal-id", "12345678"]) == 0

    assert files() == ["reconciler.yaml", "schema.json"]
    assert Path(".gitignore").read_text("utf-8") == ".reconciler/\n"
    out = capsys.readouterr().out
    assert out == "Next: put a service key into HUBSPOT_ACCESS_TOKEN, then: reconciler import\n"
    with serve(Portal.seeded("empty")) as server:
        settings = Path("specs/reconciler.yaml")
        known = "portalId: 12345678 "
        text = settings.read_text("utf-8")
        assert known in text
        settings.write_text(text.replace(known, f"baseUrl: {server.url}\n    {known}"), "utf-8")
        assert run(["import", "-q"]) == 0
        assert run(["plan", "--detailed-exitcode"]) == 0
    assert "No changes." in capsys.readouterr().out


def test_what_begins_now_is_supported_for_long(monkeypatch, capsys):
    """A fresh directory asks for the API version that the doctor recommends, and not for one that ends soon."""
    monkeypatch.delenv("HUBSPOT_ACCESS_TOKEN", raising=False)
    assert run(["init", "-q", "--portal-id", "12345678"]) == 0

    run(["doctor"])

    assert f"API version {NEWEST} is supported until" in capsys.readouterr().out


def test_without_one_there_is_something_to_play_with(capsys):
    """An embedded portal and a spec of each kind; nothing is overwritten by a second time."""
    assert run(["init"]) == 0

    assert files() == [
        "associations.yaml",
        "companies.yaml",
        "contacts.yaml",
        "deals.yaml",
        "lifecycle.yaml",
        "reconciler.yaml",
        "schema.json",
    ]
    assert capsys.readouterr().out == "Next: reconciler plan\n"
    assert run(["init", "--portal-id", "1"]) == 3
    assert "specs/reconciler.yaml is there already" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "[]", '{"portalId": 1}'])
def test_a_broken_embedded_portal_is_named(text, capsys):
    """Its file may go, for the next run begins a new one; but the settings may also name a file that must not."""
    assert run(["init", "-q"]) == 0
    Path(".reconciler").mkdir()
    Path(".reconciler/demo.json").write_text(text, "utf-8")
    capsys.readouterr()

    assert run(["plan", "-q"]) == 3

    said = capsys.readouterr().err
    assert "error: .reconciler/demo.json is no embedded portal" in said
    assert "if it was one, delete the file and the next run begins a new portal; else name another file" in said


@pytest.mark.parametrize("number", ["-5", "0"])
def test_a_number_that_no_portal_has_is_refused_before_anything_is_written(number, capsys):
    """Settings with it would fail in every command, and init would not write over them."""
    assert run(["init", "--portal-id", number]) == 3

    assert "Invalid value for '--portal-id'" in capsys.readouterr().err
    assert list(Path().iterdir()) == []


def test_init_lists_every_file_that_it_wrote_to(capsys):
    """The line for .gitignore is one of them, unless it was there already; also where the specs are here."""
    assert run(["init", "--portal-id", "1"]) == 0
    assert capsys.readouterr().err == "wrote\n  specs/reconciler.yaml\n  specs/schema.json\n  .gitignore\n"

    assert run(["init", "--portal-id", "1", "--specs", "other"]) == 0
    assert capsys.readouterr().err == "wrote\n  other/reconciler.yaml\n  other/schema.json\n"

    Path("below").mkdir()
    os.chdir("below")
    Path("../.gitignore").unlink()
    assert run(["init", "--portal-id", "1", "--specs", "."]) == 0
    assert capsys.readouterr().err == "wrote\n  reconciler.yaml\n  schema.json\n  ../.gitignore\n"


def test_settings_of_the_other_suffix_are_settings(capsys):
    """A second file of settings would only be an error of the next command."""
    Path("specs").mkdir()
    Path("specs/reconciler.yml").write_text("version: 1\nportals: {x: {}}\n", "utf-8")

    assert run(["init"]) == 3
    assert "specs/reconciler.yml is there already" in capsys.readouterr().err
    assert files() == ["reconciler.yml"]


def test_no_example_comes_beside_specs_of_the_users(capsys):
    """Whoever has specs and no settings gets settings; an example among them would be applied as a wish."""
    Path("my specs").mkdir()
    Path("my specs/own.yaml").write_text("propertyGroups: {contacts: {g: {label: G}}}\n", "utf-8")

    assert run(["init", "-q", "--specs", "my specs"]) == 0
    assert sorted(path.name for path in Path("my specs").iterdir()) == ["own.yaml", "reconciler.yaml", "schema.json"]
    assert capsys.readouterr().out == "Next: reconciler plan --specs 'my specs'\n"


def test_a_file_is_no_directory_to_begin_in(capsys):
    """The way out is said, as other commands say it."""
    Path("spec.yaml").write_text("", "utf-8")

    assert run(["init", "--specs", "spec.yaml"]) == 3
    assert "spec.yaml is a file, and --specs names the directory of all specs" in capsys.readouterr().err


def test_a_plan_leaves_nothing_behind(capsys):
    """A look at an embedded portal that was never written to makes no folder for it; the first write does."""
    assert run(["-q", "init"]) == 0
    before = sorted(Path().rglob("*"))

    assert run(["-q", "plan"]) == 0
    assert sorted(Path().rglob("*")) == before
    assert run(["-q", "apply", "--auto-approve"]) == 0
    assert Path(".reconciler/demo.json").exists()
