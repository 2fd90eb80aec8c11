import shlex
from pathlib import Path

import pytest

from reconciler import yaml_loader
from reconciler.cli import run
from reconciler.schema import grammar, settings_schema, text

HOOKS = {
    hook["id"]: [*shlex.split(hook["entry"])[1:], *hook.get("args", ())]
    for hook in yaml_loader.load(
        (Path(__file__).parent.parent / ".pre-commit-hooks.yaml").read_text("utf-8"), "hooks"
    ).value
}


@pytest.fixture(autouse=True)
def _place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["-q", "init"]) == 0


@pytest.mark.parametrize("hook", HOOKS)
def test_a_fresh_directory_passes_every_hook(hook):
    """What init writes can be committed."""
    assert run(HOOKS[hook]) == 0


def test_the_hook_refuses_a_spec_with_a_mistake(capsys):
    """A commit with a mistake is stopped at its line."""
    Path("specs/wrong.yaml").write_text("properties:\n  contacts:\n    a: {hiden: true}\n", "utf-8")

    assert run(HOOKS["reconciler-validate"]) == 3
    assert "specs/wrong.yaml:3:9" in capsys.readouterr().out


def test_the_hook_refuses_a_stale_schema(capsys):
    """A schema of another version, or none, is told with the command that writes it."""
    path = Path("specs/schema.json")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert run(HOOKS["reconciler-schema"]) == 0

    path.write_text(path.read_text("utf-8").replace("Health score", "Score"), "utf-8")
    capsys.readouterr()
    assert run(HOOKS["reconciler-schema"]) == 3
    told = capsys.readouterr().err
    assert "specs/schema.json is not the schema of this version" in told
    assert "reconciler schema > specs/schema.json" in told

    path.unlink()
    assert run(HOOKS["reconciler-schema"]) == 3
    assert "there is no file specs/schema.json" in capsys.readouterr().err


@pytest.mark.parametrize(("what", "wanted"), [("overlay", grammar), ("settings", settings_schema)])
def test_the_schemas_of_overlays_and_settings_are_checked_alike(what, wanted, capsys):
    """Every schema that is printed can be committed and kept fresh."""
    capsys.readouterr()
    assert run(["schema", what]) == 0
    printed = capsys.readouterr().out
    assert printed == text(wanted())

    Path("copy.json").write_text(printed, "utf-8")
    assert run(["schema", what, "--check", "copy.json"]) == 0
    assert run(["schema", "--check", "copy.json"]) == 3
    assert f"reconciler schema {what} > copy.json" not in capsys.readouterr().err


def test_a_check_of_what_is_no_schema_offers_nothing_that_would_overwrite_it(tmp_path, monkeypatch, capsys):
    """Whoever names the settings instead of their schema must not lose them by pasting the way out."""
    monkeypatch.chdir(tmp_path)
    Path("reconciler.yaml").write_text("version: 1\nportals: {demo: {}}\n", "utf-8")

    assert run(["schema", "--check", "reconciler.yaml", "settings"]) == 3

    said = capsys.readouterr().err
    assert "reconciler.yaml holds no schema" in said
    assert "> reconciler.yaml" not in said
    assert "`reconciler validate` checks specs and settings" in said
